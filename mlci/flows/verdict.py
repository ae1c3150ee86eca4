"""Put findings together to one verdict, with the digests of everything that it speaks of."""

from __future__ import annotations

import hashlib
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from mlci import __version__
from mlci.edges.files import digest
from mlci.flows.data_findings import REPORT, VERDICT, at_hand, promise_digest, table_digest
from mlci.judge.headline import footer, headline, overall
from mlci.nouns.finding import Digests, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlci.edges.git import History
    from mlci.nouns.finding import Comparison, Finding
    from mlci.nouns.ledger import Asked
    from mlci.nouns.policy import Gate, Policy, PolicyFile

_PLAIN = re.compile(r"[A-Za-z0-9][\w./-]{0,99}", re.ASCII)
"""Names of pull requests that mean nothing to a shell."""


def assemble(
    root: Path,
    policy: PolicyFile,
    history: History,
    *,
    findings: tuple[Finding, ...],
    comparisons: tuple[Comparison, ...] = (),
    asked: Asked | None = None,
    tables: Mapping[str, str] | None = None,
    looked_at: str = "pull request",
) -> Verdict:
    """One verdict from all findings. The same files give the same bytes: no clock, no host, no random number.

    Args:
        root: Folder of the project.
        policy: What was judged by.
        history: Names the commit.
        findings: Everything that was found.
        comparisons: One for each baseline.
        tables: Digests of tables that are not at hand, by path, from the reports that speak of them.
        asked: Which use of the test set this is, and which look of its pull request, where somebody counts.
        looked_at: What the look is of.
    """
    gate = policy.policy.gate
    use, look = asked if asked is not None else (None, None)
    compared = any(comparison.status == "compared" for comparison in comparisons)
    return Verdict(
        project=project_name(root, policy),
        outcome=overall(findings),
        headline=headline(findings, comparisons),
        findings=findings,
        comparisons=comparisons,
        tool=f"mlci {__version__}",
        commit=history.head,
        # A verdict that is kept in Git is about to be written itself.
        dirty=history.dirty_besides(VERDICT, REPORT),
        digests=digests(root, policy, tables or {}),
        alpha=gate.alpha if gate is not None else None,
        look=look,
        beta=gate.beta if gate is not None else None,
        footer=footer(
            gate.alpha if gate is not None and compared else None,
            use,
            gate.reuse if gate is not None else None,
            look,
            simple=gate is not None and bool(gate.beats),
            of=looked_at,
        ),
    )


def assemble_stage(root: Path, policy: PolicyFile, *, findings: tuple[Finding, ...], about: Digests) -> Verdict:
    """The verdict of one stage of the pipeline.

    It names no commit: it is committed itself, and a clone that runs the stage again must get the same
    bytes.
    """
    gate = policy.policy.gate
    return Verdict(
        project=project_name(root, policy),
        outcome=overall(findings),
        headline=headline(findings),
        findings=findings,
        tool=f"mlci {__version__}",
        digests=about,
        alpha=gate.alpha if gate is not None else None,
        beta=gate.beta if gate is not None else None,
    )


def repeat(change: str) -> tuple[str, ...]:
    """The commands that come to the same verdict elsewhere; a look of a pull request needs what others entered."""
    if not _PLAIN.fullmatch(change):
        return ("dvc repro", "mlci compare", "mlci report")
    return ("mlci status --fetch", "dvc repro", f"mlci compare --change {change}", "mlci report")


def project_name(root: Path, policy: PolicyFile) -> str:
    """The model's name, or the folder's where the policy names no model."""
    return policy.policy.model.name if policy.policy.model is not None else root.resolve().name


def data_digests(root: Path, policy: PolicyFile, tables: tuple[str, ...] = ()) -> Digests:
    """SHA-256 of the policy's tables, or of some of them by name."""
    chosen = {name: table for name, table in policy.policy.data.items() if not tables or name in tables}
    paths = sorted({table.path for table in chosen.values()})
    return Digests(
        data={path: table_digest(root, path) for path in paths},
        checks={name: promise_digest(table) for name, table in chosen.items()},
    )


def digests(root: Path, policy: PolicyFile, known: Mapping[str, str] = MappingProxyType({})) -> Digests:
    """SHA-256 of the policy as it was understood, the model, the predictions and every table.

    A table that is not at hand has the digest that is `known` of it, and the version that DVC records; or none.
    """
    from mlci.edges.git import History  # noqa: PLC0415 - the verdict of a stage needs nothing of Git
    from mlci.edges.revisions import Revisions  # noqa: PLC0415

    model, gate = policy.policy.model, policy.policy.gate
    tables = {table.path for table in policy.policy.data.values()} | ({gate.test} if gate is not None else set())
    revisions = Revisions(root, History(root))
    data = {path: table_digest(root, path) if at_hand(root, path) else known.get(path, "") for path in sorted(tables)}
    return Digests(
        policy=policy_digest(policy.policy),
        versions={
            path: version
            for path in judged_paths(policy.policy)
            if (version := revisions.version_now(path) or (revisions.version_recorded(path) if path in known else ""))
        },
        model=_of(root / model.path) if model is not None else "",
        predictions=_of(root / gate.predictions) if gate is not None else "",
        data=data,
        test=data.get(gate.test, "") if gate is not None else "",
        gate=gate_digest(gate) if gate is not None else "",
    )


def gate_digest(gate: Gate) -> str:
    """SHA-256 of a gate as it was understood: other limits on the data do not ask the test set again."""
    return hashlib.sha256(gate.model_dump_json().encode()).hexdigest()


def policy_digest(policy: Policy) -> str:
    """SHA-256 of what the policy says of model, data, gate and budgets; a new default changes nothing."""
    said = policy.model_dump_json(include={"model", "data", "gate", "budgets", "waivers"}, exclude_defaults=True)
    return hashlib.sha256(said.encode()).hexdigest()


def judged_paths(policy: Policy) -> tuple[str, ...]:
    """The files that a verdict speaks of: model, predictions and every table that is one file."""
    model, gate = policy.model, policy.gate
    paths = {table.path for table in policy.data.values()}
    if gate is not None:
        paths |= {gate.test, gate.predictions}
    if model is not None:
        paths.add(model.path)
    return tuple(sorted(paths))


def _of(path: Path) -> str:
    return digest(path) if path.is_file() else ""
