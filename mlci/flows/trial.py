"""Judge a model on trial by the gate: what the log has of it beside the current model, on the same rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import TypeAdapter, ValidationError

from mlci.edges.dvc_pull import pull_files
from mlci.edges.files import write_text
from mlci.edges.git import History
from mlci.edges.log.trial import labelled, shadowed, split, write_pair
from mlci.edges.log.window import SEEN, read_window, window_schema
from mlci.edges.predictions import PredictionFiles
from mlci.errors import PolicyError
from mlci.flows.data_findings import REPORTS
from mlci.flows.illustrate import calibration_of, charts_of, metrics_of
from mlci.flows.trial_gate import fitting
from mlci.flows.trial_models import Models
from mlci.flows.verdict import assemble
from mlci.judge.asks import ask_changes, ask_values
from mlci.judge.fairness import group_rates
from mlci.judge.flips import flips
from mlci.judge.gate import settle, slice_changes
from mlci.nouns.finding import Comparison
from mlci.nouns.ledger import Asked
from mlci.nouns.report import Report
from mlci.nouns.scalars import Duration
from mlci.nouns.serve import ServePolicy
from mlci.render.json import to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlci.edges.log.trial import Pair
    from mlci.flows.market import Market
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.sample import Sample

TRIAL_REPORT = f"{REPORTS}/trial.json"
FOLDER = Path(".cache/mlci/trial")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
Role = Literal["shadow", "canary"]


class Trying(NamedTuple):
    """Which trial is judged.

    Attributes:
        root: Folder of the project.
        policy: Its policy, whose gate judges.
        role: As what the model is on trial.
        log: Where the predictions are; empty: what the policy says.
        since: How far back to look from `now`; None: as far as the log goes.
        now: Predictions from then on are left alone.
        look: How often this trial was looked at, this time included; None: it is looked at once.
        market: Where releases are, for a canary.
        say: Told what is being done.
    """

    root: Path
    policy: PolicyFile
    role: Role
    log: str
    since: timedelta | None
    now: datetime
    look: int | None
    market: Market
    say: Callable[[str], None] = lambda _: None


def span(text: str | None) -> timedelta | None:
    """A span of time as the command names it. Raises PolicyError where it is none."""
    try:
        return TypeAdapter(Duration).validate_python(text) if text else None
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise PolicyError(f"--since: {said}", "write it as 30d or 12h") from error


def judge_trial(asked: Trying) -> Report:
    """Judge the model on trial against the current one; write `reports/trial.json`.

    Raises:
        PolicyError: The policy has no gate, or the gate needs a column that the log has not.
        WorldError: The log or a model can't be read, or no row can be judged yet.
    """
    # An earlier one never stands for a trial that comes to none.
    (asked.root / TRIAL_REPORT).unlink(missing_ok=True)
    pair = _pair(asked)
    model = asked.policy.policy.model
    assert model is not None  # noqa: S101 - asked by `Models`
    write_pair(pair, asked.root / FOLDER, model.id, model.label)
    policy, lacking = fitting(asked.policy, asked.root, FOLDER)
    files = PredictionFiles(asked.root, policy)
    asked.say(f"judging {pair.rows.num_rows:,} rows")
    report = _report(asked, policy, files, pair, lacking)
    write_text(asked.root / TRIAL_REPORT, to_json(report))
    return report


def _pair(asked: Trying) -> Pair:
    policy = asked.policy.policy
    if policy.model is None or policy.gate is None:
        raise PolicyError(
            f"{asked.policy.file}: a trial is judged by `mlci.gate`, and there is none",
            "add `model: {name, label, id}` and `gate: {metrics}`; see docs/reference/policy.md",
        )
    serve = policy.serve or ServePolicy()
    pull_files(asked.root, [policy.model.path], asked.say)
    models = Models(asked.root, asked.policy, serve, asked.market, asked.say)
    signature = models.signature()
    since = asked.now - asked.since if asked.since is not None else _BEGINNING
    log = asked.log or serve.log
    asked.say(f"reading {log.partition('@')[2] or log}")
    # A shadow's rows have no label by themselves: they are joined to those that they stand behind.
    batches = read_window(log, since, asked.now, signature, root=asked.root, roles=(*SEEN, "shadow"))
    found = labelled(batches, window_schema(signature))
    return shadowed(found, signature) if asked.role == "shadow" else split(found, signature, models.again)


def _report(asked: Trying, policy: PolicyFile, files: PredictionFiles, pair: Pair, lacking: tuple[str, ...]) -> Report:
    sample = files.load(asked.root / FOLDER / "old.parquet").sample
    asks = [*ask_values(sample, files.gate, files.model), *ask_changes(sample, files.gate, files.model, "current")]
    comparison = _comparison(asked, pair, sample, lacking)
    findings = settle(asks, files.gate, policy, look=asked.look)
    met = [(comparison, sample)]
    verdict = assemble(
        asked.root,
        policy,
        History(asked.root),
        findings=findings,
        comparisons=(comparison,),
        asked=Asked(None, asked.look),
        looked_at="trial",
    )
    charts = charts_of(sample, met)
    return Report(
        verdict=verdict,
        metrics=(*metrics_of(files, sample, met), *calibration_of(sample, met, files.gate.seed)),
        charts=charts.model_copy(update={"slices": slice_changes(asks, findings)}),
        fairness=group_rates(sample, sample),
        repeat=(f"mlci compare --trial {asked.role}", f"mlci report --from {TRIAL_REPORT}"),
    )


def _comparison(asked: Trying, pair: Pair, sample: Sample, lacking: tuple[str, ...]) -> Comparison:
    tried, current = pair.tried, pair.current
    both = f"{tried.model} {tried.version}, beside {current.model} {current.version}"
    said = [f"On trial as {asked.role}: {both}", f"It answered {pair.answered:,} rows"]
    if asked.role == "canary":
        said.append("Each was asked again what the other one answered")
    if lacking:
        said.append(f"The log can't tell: {', '.join(lacking)}")
    return Comparison(
        baseline="current",
        status="compared",
        reason=". ".join(said) + ".",
        commit=current.commit,
        model=current.version,
        rows=sample.size,
        flips=flips(sample),
    )
