"""Commands about the model by itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mlci.cli.options import AsJson, PolicyName, Project, progress, show, tell
from mlci.cli.trust import ISSUER, Identity, Issuer, Key, Repo, Root, Source, TokenEnv, trusting

app = typer.Typer(
    help="Export the trained model, test and measure it by itself, and train it again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(epilog="Example: mlci model export models/model.pkl --data data/train.parquet --out models/model.onnx")
def export(
    estimator: Annotated[Path, typer.Argument(help="The trained scikit-learn estimator, as the training wrote it.")],
    data: Annotated[Path, typer.Option(help="The training table: real rows to prove parity on.")],
    out: Annotated[Path, typer.Option(help="ONNX file to write.")] = Path("models/model.onnx"),
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    commit: Annotated[
        str,
        typer.Option(help="Commit to name inside the model; none by default: equal inputs give equal bytes."),
    ] = "",
    trust: Annotated[
        bool, typer.Option("--trust", help="Load an estimator that no stage of dvc.yaml wrote: it can run any code.")
    ] = False,
) -> None:
    """Convert the trained estimator to ONNX, and prove on real rows that it answers the same."""
    from mlci.edges.policy_file import load_policy
    from mlci.flows.export_model import export as run

    with progress() as say:
        told = run(project, load_policy(project, policy), estimator, data, out, commit=commit, trust=trust, say=say)
    for line in told:
        tell(line)


@app.command("test", epilog="Example: mlci model test --json")
def judge(project: Project = Path(), policy: PolicyName = "params.yaml", as_json: AsJson = False) -> None:
    """Test the candidate by itself: floors and ceilings; write reports/metrics.json and reports/plots."""
    from mlci.edges.policy_file import load_policy
    from mlci.flows.judge_model import MODEL_REPORT, judge_model
    from mlci.flows.report import save_stage

    found = judge_model(project, load_policy(project, policy))
    save_stage(project, MODEL_REPORT, found)
    raise typer.Exit(show(found, as_json=as_json))


@app.command(epilog="Example: mlci model seeds --jobs 2")
def seeds(
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    jobs: Annotated[int, typer.Option(help="Trainings at the same time; 0: one per core.", min=0)] = 1,
    as_json: AsJson = False,
) -> None:
    """Train again with other seeds, and on shuffled labels; write reports/seeds.json."""
    from mlci.edges.policy_file import load_policy
    from mlci.flows.data_findings import SEEDS
    from mlci.flows.seeds import measure_seeds

    with progress() as say:
        found = measure_seeds(project, load_policy(project, policy), jobs=jobs, say=say)
    if as_json:
        from mlci.render.json import to_json

        sys.stdout.write(to_json(found))
        return
    tell(f"wrote {SEEDS}: {len(found.retrained)} other seeds{', and shuffled labels' if found.shuffled else ''}")


@app.command(epilog="Example: mlci model embed flights#prod --out flights-page")
def embed(  # noqa: PLR0913 - every option is an argument
    model: Annotated[
        str,
        typer.Argument(
            help="An ONNX model, a bundle's folder, or a release such as flights#prod; default: `mlci.model.path`."
        ),
    ] = "",
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    out: Annotated[Path, typer.Option(help="Folder to write.", file_okay=False)] = Path("embed"),
    data: Annotated[
        Path | None,
        typer.Option(help="Table to draw examples from; default: the bundle's, else the test table.", dir_okay=False),
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            help="Folder that holds ONNX Runtime Web; default: the cache, filled by npm the first time.",
            file_okay=False,
            exists=True,
        ),
    ] = None,
    repo: Repo = "",
    source: Source = "",
    key: Key = None,
    root: Root = None,
    identity: Identity = "",
    issuer: Issuer = ISSUER,
    token_env: TokenEnv = "",
) -> None:
    """Write the model as one page, and a folder for Node, that run it offline."""
    from mlci.flows.embed import embed as run
    from mlci.flows.market import Market
    from mlci.flows.serve_sources import Order

    market = Market(repo, source, token_env, trusting(key, root, identity, issuer))
    with progress() as say:
        told = run(Order(project, policy, model, {}, market, say), out, runtime=runtime, data=data)
    tell(f"wrote {out / 'index.html'}: {told}")


@app.command(epilog="Example: mlci model measure")
def measure(
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    baseline: Annotated[
        str | None, typer.Option(metavar="REV", help="Take the previous model from here; default: `gate.baseline`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure what running the model takes, beside the previous one; write reports/budgets.json."""
    from mlci.edges.policy_file import load_policy
    from mlci.flows.budgets import measure_budgets
    from mlci.flows.data_findings import BUDGETS

    with progress() as say:
        found, findings = measure_budgets(project, load_policy(project, policy), baseline=baseline, say=say)
    if as_json:
        from mlci.render.json import to_json

        sys.stdout.write(to_json(found))
        return
    for finding in findings:
        tell(f"{finding.title}: {finding.message}")
    tell(f"wrote {BUDGETS}: {len(found.sessions)} sessions")
