"""From what two models said of the test rows to findings: every check measured, corrected together, put in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlci.judge.budget import beta_of
from mlci.judge.contrast import Terms, change_of, estimate_of, point
from mlci.judge.stats.decision import decide_change
from mlci.judge.stats.multiplicity import Corrected, tarone_holm
from mlci.judge.stats.power import further_rows, smallest_drop, smallest_drop_normal
from mlci.judge.words import gate_mend, gate_message, gate_title
from mlci.nouns.change import Change, Estimate, Missing, TooFew
from mlci.nouns.finding import Finding, GateEvidence
from mlci.nouns.metric import direction
from mlci.nouns.report import SliceChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlci.nouns.finding import Outcome
    from mlci.nouns.policy import Gate, MetricGate, Model, PolicyFile
    from mlci.nouns.sample import Part, Sample

Seen = Change | Estimate | TooFew | Missing
HOPELESS = 3.0
"""A slice that sees no loss under this many tolerances is 'too small to tell' rather than 'not enough data yet'."""


@dataclass(frozen=True)
class Ask:
    """A check that was measured and is not yet settled: that takes the answers of all others.

    Attributes:
        path: Keys inside `mlci` that ask for it.
        metric: Name of the metric.
        part: Name of the slice; None for all rows.
        gate: The promise.
        kind: A change against a baseline, or the value against a floor or ceiling.
        baseline: What it was compared with; None for kind `value`.
        rows: Rows that were looked at.
        positives: Positive rows among them, where the task is binary.
        seen: What the test says.
    """

    path: tuple[str, ...]
    metric: str
    part: str | None
    gate: MetricGate
    kind: Literal["change", "value"]
    baseline: str | None
    rows: int
    positives: int | None
    seen: Seen

    @property
    def limit(self) -> float:
        """The floor or ceiling."""
        limit = self.gate.floor if _up(self.metric) else self.gate.ceiling
        return float("nan") if limit is None else limit

    @property
    def tolerance(self) -> float:
        """The allowed loss in the metric's unit; 0 for a floor."""
        if self.gate.change is None or not isinstance(self.seen, Change):
            return 0.0
        return self.gate.change.of(self.seen.old)


def ask_changes(sample: Sample, gate: Gate, model: Model, baseline: str) -> Iterator[Ask]:
    """Measure every promised change, on all rows and on every slice.

    A slice inherits the allowed changes of `gate.metrics`, but not that they are critical: a small slice would block
    for ever.
    """
    terms = Terms.of(gate, model.cost)
    for part in sample.parts:
        some = sample if part.rows is None else sample.only(part.rows)
        for metric, promise in _promises(part, gate).items():
            if promise.change is not None:
                seen = change_of(metric, some, _own(terms, gate, promise))
                yield _ask(some, part, metric, promise, "change", baseline, seen)


def ask_values(sample: Sample, gate: Gate, model: Model) -> Iterator[Ask]:
    """Measure every promised floor and ceiling of the candidate."""
    terms = Terms.of(gate, model.cost)
    for part in sample.parts:
        some = sample if part.rows is None or not part.metrics else sample.only(part.rows)
        for metric, promise in part.metrics.items():
            limit = promise.floor if _up(metric) else promise.ceiling
            if limit is not None:
                seen = estimate_of(metric, some, limit, _own(terms, gate, promise))
                yield _ask(some, part, metric, promise, "value", None, seen)


def _own(terms: Terms, gate: Gate, promise: MetricGate) -> Terms:
    """The terms of one promise: a critical one may be tried as often as planned."""
    return replace(terms, beta=beta_of(gate, promise))


def _promises(part: Part, gate: Gate) -> dict[str, MetricGate]:
    if part.name is None:
        return gate.metrics
    inherited = {name: item.model_copy(update={"critical": False}) for name, item in gate.metrics.items()}
    own = {name: _with_change(item, inherited.get(name)) for name, item in part.metrics.items()}
    return {**inherited, **own}


def _with_change(own: MetricGate, general: MetricGate | None) -> MetricGate:
    """A slice that names only a floor keeps the general tolerance for changes."""
    if own.change is not None or general is None:
        return own
    return own.model_copy(update={"drop": general.drop, "rise": general.rise})


def _ask(
    some: Sample,
    part: Part,
    metric: str,
    promise: MetricGate,
    kind: Literal["change", "value"],
    baseline: str | None,
    seen: Seen,
) -> Ask:
    positives = int(np.count_nonzero(some.label)) if some.task == "binary" else None
    path = (*part.path, metric) if metric in part.metrics else part.path
    return Ask(path, metric, part.name, promise, kind, baseline, some.size, positives, seen)


def settle(asks: Sequence[Ask], gate: Gate, policy: PolicyFile) -> tuple[Finding, ...]:
    """Decide all checks of a run together.

    Every check that can block shares one bound alpha on a false block (Tarone-Holm); passing needs no correction,
    because all checks must pass.

    Args:
        asks: All checks, against all baselines.
        gate: Error rates.
        policy: For the places of the findings.
    """
    judged = [ask for ask in asks if isinstance(ask.seen, Change | Estimate)]
    corrected = tarone_holm([_p(ask) for ask in judged], [_smallest(ask) for ask in judged], gate.alpha)
    at = {id(ask): i for i, ask in enumerate(judged)}
    several = len({ask.baseline for ask in asks if ask.baseline is not None}) > 1
    return tuple(_finding(ask, at.get(id(ask)), corrected, gate, policy, several=several) for ask in asks)


def _p(ask: Ask) -> float:
    return ask.seen.p if isinstance(ask.seen, Change | Estimate) else 1.0


def _smallest(ask: Ask) -> float:
    return ask.seen.smallest_p if isinstance(ask.seen, Change | Estimate) else 1.0


def _finding(
    ask: Ask, at: int | None, corrected: Corrected, gate: Gate, policy: PolicyFile, *, several: bool
) -> Finding:
    evidence = _evidence(ask, at, corrected, gate)
    threshold = float(corrected.threshold[at]) if at is not None else 0.0
    outcome = _outcome(ask, evidence, threshold)
    promise, why = ask.gate, f"{ask.seen.why} " if isinstance(ask.seen, Missing) else ""
    return Finding(
        check=_check_id(ask, several=several),
        title=gate_title(evidence, name_baseline=several),
        area="gate",
        level=promise.level,
        critical=promise.critical,
        outcome=outcome,
        message=why + gate_message(evidence, outcome, alpha=gate.alpha, beta=beta_of(gate, promise)),
        mend="Leave the metric out, or give it what it needs." if why else gate_mend(evidence, outcome),
        place=policy.place(*ask.path),
        gate=evidence,
    )


def _outcome(ask: Ask, evidence: GateEvidence, threshold: float) -> Outcome:
    if isinstance(ask.seen, Missing):
        return "not_measured"
    if isinstance(ask.seen, TooFew):
        return "too_small"
    outcome = decide_change(ask.seen, ask.tolerance, threshold, ask.gate.fail_when)
    blind = evidence.detectable is not None and evidence.detectable > HOPELESS * ask.tolerance > 0
    return "too_small" if outcome == "inconclusive" and ask.part is not None and blind else outcome


def _check_id(ask: Ask, *, several: bool) -> str:
    word = "drop" if _up(ask.metric) else "rise"
    limit = "floor" if _up(ask.metric) else "ceiling"
    part = f".slices.{ask.part}" if ask.part is not None else ""
    end = f"@{ask.baseline}" if several and ask.baseline is not None else ""
    return f"gate{part}.{ask.metric}.{word if ask.kind == 'change' else limit}{end}"


def _evidence(ask: Ask, at: int | None, corrected: Corrected, gate: Gate) -> GateEvidence:
    seen = ask.seen
    known: dict[str, object] = {
        "metric": ask.metric,
        "slice": ask.part,
        "baseline": ask.baseline,
        "kind": ask.kind,
        "rows": ask.rows,
        "positives": ask.positives,
        "limit": _limit_text(ask),
    }
    if at is None or not isinstance(seen, Change | Estimate):
        return GateEvidence.model_validate(known)
    tests = int(np.count_nonzero(corrected.kept))
    known |= {
        "low": seen.low,
        "high": seen.high,
        "p_value": seen.p,
        "p_adjusted": float(corrected.adjusted[at]),
        "tests": tests,
        "method": seen.method,
    }
    if isinstance(seen, Estimate):
        return GateEvidence.model_validate({**known, "new": seen.value, "bound": seen.limit})
    gained, lost = seen.discordant or (None, None)
    share = (gained + lost) / seen.n if gained is not None and lost is not None else 1.0
    further = further_rows(seen.variance, seen.n, ask.tolerance, beta=beta_of(gate, ask.gate), label_share=share)
    return GateEvidence.model_validate(
        {
            **known,
            "old": seen.old,
            "new": seen.new,
            "worst": max(0.0, -seen.lower_bound),
            "gained": gained,
            "lost": lost,
            "tolerance": ask.tolerance,
            "more_rows": further.rows if further else None,
            "more_labels": further.labels if further else None,
            "detectable": _detectable(seen, gate.alpha / max(tests, 1)),
        }
    )


def _detectable(seen: Change, alpha: float) -> float | None:
    """The smallest loss that is seen 8 times in 10, by the first step of Holm's procedure."""
    if seen.discordant is not None:
        drop = smallest_drop(seen.n, sum(seen.discordant) / seen.n, alpha=alpha)
    else:
        drop = smallest_drop_normal(seen.variance, seen.n, alpha=alpha)
    return drop if np.isfinite(drop) else None


def _limit_text(ask: Ask) -> str:
    if ask.kind == "change":
        return f"{'drop' if _up(ask.metric) else 'rise'} <= {ask.gate.change}"
    return f"{'floor' if _up(ask.metric) else 'ceiling'} {ask.limit:g}"


def _up(metric: str) -> bool:
    """Whether more of the metric is better."""
    return direction(metric) == 1


def incomparable(sample: Sample, gate: Gate, model: Model, baseline: str, policy: PolicyFile) -> tuple[Finding, ...]:
    """A finding for every promised change that cannot be measured, because the models share no rows."""
    whole = sample.parts[0]
    found = []
    for metric, promise in gate.metrics.items():
        if promise.change is None:
            continue
        ask = _ask(sample, whole, metric, promise, "change", baseline, Missing(why="The models share no rows."))
        value = point(metric, sample, sample.new, model.cost)
        evidence = GateEvidence(
            metric=metric, baseline=baseline, kind="change", rows=sample.size, new=value, limit=_limit_text(ask)
        )
        found.append(
            Finding(
                check=_check_id(ask, several=True),
                title=gate_title(evidence, name_baseline=True),
                area="gate",
                level=promise.level,
                critical=promise.critical,
                outcome="not_comparable",
                message=gate_message(evidence, "not_comparable"),
                mend=gate_mend(evidence, "not_comparable"),
                place=policy.place(*ask.path),
                gate=evidence,
            )
        )
    return tuple(found)


def leaked_finding(leaked: int, rows: int, policy: PolicyFile) -> Finding:
    """Test rows that the candidate was trained on: left out, and said."""
    return Finding(
        check="gate.leakage",
        title="no test row was trained on",
        area="gate",
        level="warn",
        outcome="fail",
        message=f"The model was trained on {leaked:,} of the {rows:,} test rows; they are left out of every number.",
        mend="Split again, so that train and test share no row.",
        place=policy.place("gate", "test"),
    )


def slice_changes(asks: Sequence[Ask], findings: Sequence[Finding]) -> tuple[SliceChange, ...]:
    """Changes with their intervals for the chart, in the order asked; `settle` gives a finding for every ask."""
    return tuple(
        SliceChange(
            metric=ask.metric,
            slice=ask.part or "all rows",
            baseline=ask.baseline or "",
            rows=ask.rows,
            change=ask.seen.change,
            low=ask.seen.low,
            high=ask.seen.high,
            outcome=finding.outcome,
            tolerance=ask.tolerance,
        )
        for ask, finding in zip(asks, findings, strict=False)
        if isinstance(ask.seen, Change)
    )
