"""Set the candidate against its baselines on the same rows, and judge every promise of the gate."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.files import digest
from mlci.edges.git import History
from mlci.edges.predictions import Loaded, PredictionFiles
from mlci.edges.revisions import Revisions
from mlci.errors import WorldError
from mlci.flows.baseline import Finder
from mlci.flows.beats import Beaten, beats
from mlci.flows.budgets import budget_findings
from mlci.flows.data_findings import at_hand, read_data_report
from mlci.flows.data_open import running
from mlci.flows.diff_data import diff_data
from mlci.flows.guard import guard, policy_base
from mlci.flows.illustrate import calibration_of, charts_of, metrics_of, weak_of
from mlci.flows.ledger import asked_of
from mlci.flows.meet import Case, Met, meet, trained_on_here
from mlci.flows.recipe import recipe_of, sanity_findings, seed_dots
from mlci.flows.verdict import assemble, assemble_stage, digests, repeat
from mlci.judge.asks import Ask, ask_changes, ask_values
from mlci.judge.budget import spent_finding
from mlci.judge.fairness import group_rates
from mlci.judge.gate import incomparable, leaked_finding, settle, slice_changes
from mlci.judge.value_intervals import slice_values
from mlci.judge.whole_columns import whole_columns
from mlci.nouns.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlci.nouns.finding import Finding
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.report import DataDiff
    from mlci.nouns.sample import Sample


_MANY = 10_000_000
"""More rows than this are judged for minutes."""


class Looked(NamedTuple):
    """What the candidate said, alone and beside every baseline."""

    case: Case
    alone: Loaded
    met: list[Met]

    def asks(self) -> list[Ask]:
        """Every promise of the gate, measured: values first, then changes against each baseline."""
        gate, model = self.case.files.gate, self.case.files.model
        asks = list(ask_values(self.alone.sample, gate, model))
        for comparison, sample in self.met:
            if sample is not None:
                asks += self._told(ask_changes(sample, gate, model, comparison.baseline), sample)
        return asks

    def _told(self, asks: Iterator[Ask], sample: Sample) -> Iterator[Ask]:
        """Say of which slice they are, where that takes its time."""
        last: str | None = ""
        for ask in asks:
            if sample.size > _MANY and ask.part != last:
                names = [part.name for part in sample.parts]
                self.case.say(f"judged {ask.part or 'all rows'}, {names.index(ask.part) + 1} of {len(names)}")
            last = ask.part
            yield ask

    @property
    def commits(self) -> tuple[str, ...]:
        """The baselines' commits, the policy's first one first."""
        return tuple(comparison.commit for comparison, _ in self.met if comparison.commit)

    def beats(self) -> Beaten:
        """The simple models of the gate, set beside the candidate."""
        case = self.case
        return beats(case.files, trained_on_here(case), case.say)


def compare(
    root: Path,
    policy: PolicyFile,
    *,
    baseline: str | None = None,
    change: str = "",
    base: str | None = None,
    extra: tuple[Finding, ...] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Judge the candidate: floors by itself, changes against every baseline, the data checks beside them.

    Args:
        root: Folder of the project.
        policy: What the gate promises.
        baseline: A revision to compare with instead of the policy's baselines.
        change: The pull request that asks: its looks share alpha, where the ledger knows them.
        base: The merge base, where the caller knows it; default: with the policy's branch.
        extra: Findings of the pipeline, which come first.
        say: Told what is being done, for a progress line.

    Raises:
        PolicyError: The policy asks for what the tables do not have.
        WorldError: A file, the history or a baseline cannot be read.
    """
    with running(policy.policy.engine):
        return _report(look(root, policy, baseline=baseline, base=base, say=say), baseline, base, change, extra)


def look(
    root: Path,
    policy: PolicyFile,
    *,
    baseline: str | None = None,
    base: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Looked:
    """Read what the candidate and every baseline said, without judging it. Arguments and errors as for `compare`."""
    _refuse_parts(root, policy)
    history = History(root)
    case = Case(root, policy, PredictionFiles(root, policy, say), history, Revisions(root, history), say)
    say("reading the candidate's predictions")
    case.files.check()
    own = trained_on_here(case)
    finder = Finder(history, case.revisions, case.files.model, case.files.gate, base)
    met = [meet(case, one, own) for one in finder.find(baseline)]
    # Last, because what was read beside a baseline need not be read again.
    alone = case.files.load(trained_on=own)
    beside = next((sample for _, sample in met if sample is not None), alone.sample)
    for sentence in whole_columns(beside, case.files.gate, policy.policy.engine.memory):
        say(sentence)
    return Looked(case, alone, met)


def judge_alone(root: Path, policy: PolicyFile) -> Report:
    """Judge the candidate by itself: floors and ceilings, no baseline. Raises as `compare` does."""
    history = History(root)
    case = Case(root, policy, PredictionFiles(root, policy), history, Revisions(root, history), lambda _: None)
    alone = case.files.load(trained_on=trained_on_here(case))
    findings = findings_of(case, alone, [], [*ask_values(alone.sample, case.files.gate, case.files.model)])
    about = digests(root, policy).model_copy(update={"policy": "", "test": "", "gate": ""})
    return Report(
        verdict=assemble_stage(root, policy, findings=findings, about=about),
        metrics=metrics_of(case.files, alone.sample, []),
        charts=charts_of(alone.sample, []),
    )


def _refuse_parts(root: Path, policy: PolicyFile) -> None:
    """A gate's predictions are one file, which a commit names by one digest."""
    gate = policy.policy.gate
    if gate is None or (root / gate.predictions).is_file():
        return
    path, folder = gate.predictions, (root / gate.predictions).is_dir()
    if folder or "://" in path or set(path) & set("*?["):
        parts = f"{path}/*.parquet" if folder else path
        raise WorldError(
            f"{path} is not one file, and predictions that are compared must be: commits are told apart by it",
            f"Write its parts into one: `duckdb -c \"COPY (FROM '{parts}') TO 'predictions.parquet'\"`, or"
            " with Spark `coalesce(1)`; name that one in `mlci.gate.predictions`.",
        )


def findings_of(
    case: Case, alone: Loaded, met: list[Met], asks: list[Ask], look: int | None = None
) -> tuple[Finding, ...]:
    """One finding for every check asked, in the order asked, and then what could not be asked."""
    gate, model = case.files.gate, case.files.model
    found = [*settle(asks, gate, case.policy, look=look)]
    for comparison, _ in met:
        if comparison.status == "not_comparable":
            found += incomparable(alone.sample, gate, model, comparison.baseline, case.policy)
    if alone.leaked:
        found.append(leaked_finding(alone.leaked, alone.leaked + alone.sample.size, case.policy))
    return tuple(found)


def _gate_findings(
    root: Path, policy: PolicyFile, baseline: str | None, base: str | None, which_look: int | None
) -> tuple[Finding, ...]:
    """What the gate of another policy says of the same candidate."""
    looked = look(root, policy, baseline=baseline, base=base)
    beaten = looked.beats()
    asks = [*looked.asks(), *beaten.asks]
    trained = sanity_findings(root, policy, looked.alone.sample, looked.met, lambda _: None)
    budgets = budget_findings(root, policy, looked.commits, looked.case.revisions)
    return (*findings_of(*looked, asks, which_look), *beaten.failed, *trained, *budgets)


def _report(looked: Looked, baseline: str | None, base: str | None, change: str, extra: tuple[Finding, ...]) -> Report:
    case, alone, met = looked
    beaten = looked.beats()
    asks = [*looked.asks(), *beaten.asks]
    comparisons = tuple(comparison for comparison, _ in met)
    gate = case.files.gate
    asked = asked_of(case.root, case.policy, digest(case.root / gate.predictions), comparisons, change)
    trained = sanity_findings(case.root, case.policy, alone.sample, met, case.say)
    budgets = budget_findings(case.root, case.policy, looked.commits, case.revisions, case.say)
    findings = (*findings_of(case, alone, met, asks, asked.look), *beaten.failed, *trained, *budgets)
    checked = read_data_report(case.root, case.policy)
    spent = (
        (spent_finding(asked.use, case.policy, gate.reuse),) if asked.use is not None and asked.use > gate.reuse else ()
    )
    everything = guard(
        case.root,
        case.policy,
        case.history,
        (*extra, *(checked.verdict.findings if checked else ()), *findings, *spent),
        base or policy_base(case.history, case.policy),
        now=datetime.now(UTC),
        judge_gate=lambda strict: _gate_findings(case.root, strict, baseline, base, asked.look),
    )
    verdict = assemble(
        case.root,
        case.policy,
        case.history,
        findings=everything,
        comparisons=comparisons,
        asked=asked,
        tables=checked.verdict.digests.data if checked else None,
    )
    recipe = recipe_of(case.root, case.policy, asks, comparisons, history=case.history, revisions=case.revisions)
    charts = charts_of(alone.sample, met).model_copy(
        update={
            "seeds": seed_dots(recipe),
            "slices": slice_changes(asks, findings),
            "drift": checked.charts.drift if checked else (),
        }
    )
    first = next((sample for _, sample in met if sample is not None), None)
    return Report(
        verdict=verdict,
        metrics=(*metrics_of(case.files, alone.sample, met), *calibration_of(alone.sample, met, gate.seed)),
        charts=charts,
        diffs=_diffs(case, met),
        weak=weak_of(alone.sample, met),
        slices=slice_values(first or alone.sample, gate, case.files.model),
        fairness=group_rates(alone.sample, first),
        recipe=recipe,
        repeat=repeat(change if asked.look is not None else ""),
    )


def _diffs(case: Case, met: list[Met]) -> tuple[DataDiff, ...]:
    """How the tables changed since the first baseline, as far as the old ones are at hand."""
    commit = next((comparison.commit for comparison, _ in met if comparison.commit), None)
    if commit is None:
        return ()

    def read_old(rev: str, path: str) -> Path:
        file = case.revisions.at_hand(rev, path)
        if file is None:
            raise WorldError(f"{path} of {rev[:10]} is not at hand")
        return file

    case.say("comparing the data")
    here = [name for name, table in case.policy.policy.data.items() if at_hand(case.root, table.path)]
    diffs = [diff for name in here for diff in diff_data(case.root, case.policy, commit, table=name, read_old=read_old)]
    return tuple(diff for diff in diffs if not diff.note.startswith("not compared"))
