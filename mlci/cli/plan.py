"""Commands about the test set: what it can see, and how used it is."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli.options import AsJson, PolicyName, Project, progress


class Adapts(StrEnum):
    """Whether developers see the outcomes and act on them."""

    none = "none"
    full = "full"


def plan(  # noqa: PLR0913 - every option is an argument
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    rows: Annotated[int | None, typer.Option(help="Suppose so many test rows, without any data.", min=1)] = None,
    differ: Annotated[
        str | None, typer.Option(help="Suppose that the two models differ on this share of rows, such as 5%.")
    ] = None,
    drop: Annotated[
        str | None, typer.Option(help="Suppose that this drop of accuracy is allowed, such as 1pt.")
    ] = None,
    confidence: Annotated[
        str | None, typer.Option(help="Chance to stop a model that is worse by that; default: the policy's, 95%.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="How often the test set is used; default: `gate.reuse`.", min=1)
    ] = None,
    adaptivity: Annotated[Adapts, typer.Option(help="Whether each outcome may steer the next try.")] = Adapts.none,
    condition: Annotated[str | None, typer.Option(help="A condition in ease.ml/ci's language, for its bounds.")] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Revision to compare with; default: what `mlci.gate.baseline` says.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what the test set can see, and the rows and labels that every promise of the gate needs."""
    from mlci.flows.plan import plan as run
    from mlci.flows.plan import wish

    wanted = wish(
        rows=rows,
        shares={"differ": differ, "drop": drop, "confidence": confidence},
        steps=steps,
        adaptivity=adaptivity.value,
        condition=condition,
        baseline=baseline,
    )
    with progress() as say:
        made = run(project, policy, wanted, say=say)
    if as_json:
        from mlci.render.json import to_json

        sys.stdout.write(to_json(made))
        return
    from rich.console import Console

    from mlci.render.plan import render_plan

    render_plan(made, Console())


def status(
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    ledger: Annotated[bool, typer.Option("--ledger", help="List the newest uses of every test set.")] = False,
    fetch: Annotated[bool, typer.Option("--fetch", help="Ask the remote for its entries first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the last verdict, and how often the test set was used and may be used."""
    from mlci.edges.policy_file import load_policy
    from mlci.flows.status import status as run

    found = run(project, load_policy(project, policy), now=datetime.now(UTC) if fetch else None)
    if as_json:
        from mlci.render.json import to_json

        sys.stdout.write(to_json(found))
        return
    from rich.console import Console

    from mlci.render.plan import render_status

    render_status(found, Console(), uses=ledger)
