"""All commands by name."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlci import __version__
from mlci.cli import (
    data,
    doctor,
    feedback,
    init,
    model,
    monitor,
    plan,
    publish,
    pull,
    registry,
    release,
    replay,
    retrain,
    serve,
)
from mlci.cli.options import AsJson, PolicyName, Project, ended, progress, show, show_all, tell
from mlci.cli.trust import ISSUER, Key, trusting
from mlci.errors import PolicyError

if TYPE_CHECKING:
    from mlci.nouns.report import Report

app = typer.Typer(
    name="mlci",
    help="GitOps for machine learning: check the data, test the model against the previous one, gate the merge.",
    epilog="Exit codes: 0 held, 1 a gate failed, 2 the policy or the call is wrong, 3 the world is wrong.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data.app, name="data")
app.add_typer(model.app, name="model")
app.add_typer(feedback.app, name="feedback")


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        typer.echo(f"mlci {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Nothing happens before a command."""


root.__doc__ = app.info.help


class Trial(StrEnum):
    """As what a model is on trial."""

    SHADOW = "shadow"
    CANARY = "canary"


@app.command(epilog="Examples: mlci compare --baseline v1.2.0; mlci compare --trial shadow --since 30d")
def compare(  # noqa: PLR0913 - every option is an argument
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    baseline: Annotated[
        str | None, typer.Option(help="Revision to compare with; default: what `mlci.gate.baseline` says.")
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Count this use of the test set, and share it with the remote.")
    ] = False,
    change: Annotated[
        str, typer.Option(help="The pull request that asks: its looks share alpha. Enters the branch where not given.")
    ] = "",
    trial: Annotated[
        Trial | None,
        typer.Option(help="Judge the server's shadow or canary against its current model, by the log's labelled rows."),
    ] = None,
    log: Annotated[
        str,
        typer.Option(metavar="URL", help="Of a trial: its log; default: `mlci.serve.log`."),
    ] = "",
    since: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Of a trial: how far back, such as 30d; default: all.")
    ] = None,
    look: Annotated[
        int | None, typer.Option(help="Of a trial: its first look, its second, …: all share alpha.", min=1)
    ] = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Test the candidate against the previous model on the same rows, and write reports/verdict.json.

    With --trial: the model on trial against the one that serves, and reports/trial.json.
    """
    from mlci.edges.policy_file import load_policy

    if trial is not None:
        if baseline or record or change:
            raise PolicyError("a trial has its own baseline, and uses no test set", "leave the other options out")
        asked = _trial(project, policy, trial, log, since, look, key)
        raise typer.Exit(show(asked, as_json=as_json))
    if log or since or look or key:
        raise PolicyError("--log, --since, --look and --key are of a trial", "name it: --trial shadow")
    from mlci.flows.crashed import outdating
    from mlci.flows.record import compare_and_save

    now = datetime.now(UTC) if record else None
    with progress() as say, outdating(project, "mlci compare"):
        loaded = load_policy(project, policy)
        report = compare_and_save(project, loaded, baseline=baseline, now=now, change=change, say=say)
    raise typer.Exit(show(report, as_json=as_json))


def _trial(
    project: Path, policy: str, trial: Trial, log: str, since: str | None, look: int | None, key: Path | None
) -> Report:
    from mlci.edges.policy_file import load_policy
    from mlci.flows.market import Market
    from mlci.flows.trial import Trying, judge_trial, span

    market = Market(trust=trusting(key, None, "", ISSUER))
    with progress() as say:
        loaded = load_policy(project, policy)
        asked = Trying(project, loaded, trial.value, log, span(since), datetime.now(UTC), look, market, say)
        return judge_trial(asked)


@app.command(epilog="Example: mlci ci --base origin/main")
def ci(
    project: Annotated[
        list[Path] | None,
        typer.Option(
            "--project",
            "-C",
            file_okay=False,
            exists=True,
            help="Folder of a project; may be repeated. Default: this one, or all tracked ones.",
        ),
    ] = None,
    policy: PolicyName = "params.yaml",
    base: Annotated[
        str | None, typer.Option(help="Revision that the change starts from; default: the pull request's target.")
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Count this use of the test set, and share it with the remote.")
    ] = False,
    change: Annotated[str, typer.Option(help="The pull request: its looks at the test set share alpha.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder to copy every project's report to.", file_okay=False)] = None,
    what: Annotated[
        bool, typer.Option("--what", help="Only say what of the pipeline changed, and run nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run what a pull request runs: reproduce what changed, compare, and write the report in every format."""
    from mlci.flows.ci import Asked
    from mlci.flows.projects import ci_all, what_changed_in_all

    if what:
        for phrase in what_changed_in_all(project or [], Asked(base, policy=policy)):
            typer.echo(phrase)
        return
    now = datetime.now(UTC) if record else None
    with progress() as say:
        results = ci_all(project or [], Asked(base, change, now, policy), out, say)
    raise typer.Exit(show_all(results, as_json=as_json))


@app.command(epilog="Example: mlci report --format html --format markdown --out /tmp/report")
def report(
    project: Project = Path(),
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="html, markdown, junit, sarif or svg; default: all.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; default: reports/.", file_okay=False)] = None,
    source: Annotated[str, typer.Option("--from", help="The report to show.")] = "reports/report.json",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Write the files, and show nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the last verdict and write it as HTML, Markdown, JUnit, SARIF and charts; exits as that verdict did."""
    from mlci.flows.report import chosen_formats, load, write

    wanted = chosen_formats(formats or [])
    found = load(project, source)
    code = ended(found) if quiet else show(found, as_json=as_json)
    for file in write(project, found, wanted, out):
        if not quiet:
            tell(f"wrote {file}")
    raise typer.Exit(code)


@app.command(epilog="Example: mlci score models/model.onnx data/test.parquet --out models/predictions.parquet")
def score(
    model_file: Annotated[Path, typer.Argument(metavar="MODEL", help="An ONNX model.")],
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="Parquet or CSV with the model's inputs: a file, a glob or a folder.")
    ],
    out: Annotated[Path, typer.Option(help="Parquet file for the predictions; without an ending, a folder of parts.")],
    project: Project = Path(),
    policy: PolicyName = "params.yaml",
    workers: Annotated[int, typer.Option(help="Batches to score at a time; 0: one per core.", min=0)] = 0,
) -> None:
    """Write a predictions table: the policy names id, label and threshold.

    An interrupted run goes on where it was. The bytes are the same with any number of workers.
    """
    from mlci.edges.machine import cores
    from mlci.edges.policy_file import load_policy
    from mlci.flows.score import score_file

    with progress() as say:
        done = score_file(
            load_policy(project, policy), model_file, table, out, project=project, workers=workers or cores(), say=say
        )
    resumed = f", {done.resumed:,} of them scored before the interruption" if done.resumed else ""
    tell(f"wrote {done.rows:,} predictions to {out}{resumed}")


app.command(epilog="Example: mlci plan --rows 2000 --differ 5% --drop 1pt")(plan.plan)
app.command(epilog="Example: mlci status --ledger")(plan.status)
app.command(epilog="Example: mlci release --dry-run")(release.release)
app.command(epilog="Example: mlci verify flights-v1.2.0.tar.gz --key team.pub")(pull.verify)
app.command(epilog="Example: mlci pull flights#prod --key team.pub")(pull.pull)
app.command(epilog="Example: mlci promote flights@v1.2.0 --to prod")(registry.promote)
app.command(epilog="Example: mlci rollback prod")(registry.rollback)
app.command(epilog="Example: mlci deploy 'flights#prod#3' --key team.pub")(registry.deploy)
app.command(epilog="Example: mlci unassign flights#prod")(registry.unassign)
app.command(epilog='Example: mlci deprecate flights@v1.2.0 --reason "wrong units"')(registry.deprecate)
app.command(epilog="Example: mlci init --yes")(init.init)
app.command(epilog="Example: mlci doctor --score --at-least 2")(doctor.doctor)
app.command(epilog="Example: mlci publish --preview")(publish.publish)
app.command(epilog="Example: mlci monitor --alert --out reports")(monitor.monitor)
app.command(epilog="Example: mlci retrain --by-hand --dry-run")(retrain.retrain)
app.command(epilog="Example: mlci replay --out docs/explanation")(replay.replay)
app.command(epilog="Example: mlci serve models/model.onnx --port 8080")(serve.serve)
