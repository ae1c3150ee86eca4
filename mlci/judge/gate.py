"""From what two models said of the test rows to findings: every check measured, corrected together, put in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlci.judge.asks import Ask
from mlci.judge.budget import alpha_of, beta_of
from mlci.judge.contrast import point
from mlci.judge.stats.decision import decide, decide_beats
from mlci.judge.stats.multiplicity import tarone_holm
from mlci.judge.stats.power import further_rows, rows_to_tell, smallest_drop, smallest_drop_normal
from mlci.judge.words import gate_mend, gate_message, gate_title
from mlci.judge.words_beats import beats_message
from mlci.nouns.change import Change, Estimate, Missing, TooFew
from mlci.nouns.finding import Finding, GateEvidence
from mlci.nouns.report import SliceChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.finding import Outcome
    from mlci.nouns.policy import Gate, Model, PolicyFile
    from mlci.nouns.sample import Sample

HOPELESS = 3.0
"""A slice that sees no loss under this many tolerances is 'too small to tell' rather than 'not enough data yet'."""


def settle(asks: Sequence[Ask], gate: Gate, policy: PolicyFile, *, look: int | None = None) -> tuple[Finding, ...]:
    """Decide all checks of a run together.

    Every check that can block shares one bound alpha on a false block (Tarone-Holm); what only warns or informs takes
    nothing from it, and is corrected for itself and them. Passing needs no correction, because all checks must pass.

    Args:
        asks: All checks, against all baselines.
        gate: Error rates.
        policy: For the places of the findings.
        look: Which look of its pull request this is, where that is known; each spends half of what is left of alpha.
    """
    alpha = alpha_of(gate, look)
    judged = [ask for ask in asks if isinstance(ask.seen, Change | Estimate)]
    blocking = _family([ask for ask in judged if ask.gate.level == "block"], alpha)
    settled = blocking if len(blocking) == len(judged) else _family(judged, alpha) | blocking
    several = len({ask.baseline for ask in asks if ask.baseline is not None}) > 1
    return tuple(_finding(ask, settled.get(id(ask)), gate, alpha, policy, several=several) for ask in asks)


class _Settled(NamedTuple):
    """What the correction says of one check.

    Attributes:
        threshold: What its p-value is compared with.
        adjusted: Its p-value, adjusted.
        tests: How many checks it was corrected for.
    """

    threshold: float
    adjusted: float
    tests: int


def _family(asks: Sequence[Ask], alpha: float) -> dict[int, _Settled]:
    """The checks of one bound alpha, by their identity."""
    corrected = tarone_holm([_p(ask) for ask in asks], [_smallest(ask) for ask in asks], alpha)
    tests = int(np.count_nonzero(corrected.kept))
    return {
        id(ask): _Settled(float(corrected.threshold[i]), float(corrected.adjusted[i]), tests)
        for i, ask in enumerate(asks)
    }


def _p(ask: Ask) -> float:
    if ask.p is not None:
        return ask.p
    return ask.seen.p if isinstance(ask.seen, Change | Estimate) else 1.0


def _smallest(ask: Ask) -> float:
    if ask.least is not None:
        return ask.least
    return ask.seen.smallest_p if isinstance(ask.seen, Change | Estimate) else 1.0


def _finding(
    ask: Ask, settled: _Settled | None, gate: Gate, alpha: float, policy: PolicyFile, *, several: bool
) -> Finding:
    evidence = _evidence(ask, settled, gate, alpha)
    outcome = _outcome(ask, evidence, settled.threshold if settled is not None else 0.0, gate)
    promise, why = ask.gate, f"{ask.seen.why} " if isinstance(ask.seen, Missing) else ""
    return Finding(
        check=_check_id(ask, several=several),
        title=gate_title(evidence, name_baseline=several),
        area="gate",
        level=promise.level,
        critical=promise.critical,
        outcome=outcome,
        message=why + _message(ask, evidence, outcome, gate, alpha),
        mend="Leave the metric out, or give it what it needs." if why else gate_mend(evidence, outcome),
        place=policy.place(*ask.path),
        gate=evidence,
    )


def _message(ask: Ask, evidence: GateEvidence, outcome: Outcome, gate: Gate, alpha: float) -> str:
    beta = beta_of(gate, ask.gate)
    if ask.beats is not None and outcome != "not_measured":
        return beats_message(evidence, outcome, alpha=gate.alpha, beta=beta, trained=ask.trained)
    return gate_message(evidence, outcome, alpha=gate.alpha, beta=beta, spent=alpha)


def _outcome(ask: Ask, evidence: GateEvidence, threshold: float, gate: Gate) -> Outcome:
    if isinstance(ask.seen, Missing):
        return "not_measured"
    if isinstance(ask.seen, TooFew):
        return "too_small"
    if ask.better is not None:
        return decide_beats(ask.better, _p(ask), beta=gate.beta, alpha=threshold)
    outcome = decide(ask.seen.lower_bound, _p(ask), ask.tolerance, threshold)
    blind = evidence.detectable is not None and evidence.detectable > HOPELESS * ask.tolerance > 0
    return "too_small" if outcome == "inconclusive" and ask.part is not None and blind else outcome


def _check_id(ask: Ask, *, several: bool) -> str:
    if ask.beats is not None:
        return f"gate.beats.{ask.beats}"
    word = "drop" if ask.up else "rise"
    limit = "floor" if ask.up else "ceiling"
    part = f".slices.{ask.part}" if ask.part is not None else ""
    end = f"@{ask.baseline}" if several and ask.baseline is not None else ""
    return f"gate{part}.{ask.metric}.{word if ask.kind == 'change' else limit}{end}"


def _evidence(ask: Ask, settled: _Settled | None, gate: Gate, alpha: float) -> GateEvidence:
    seen = ask.seen
    known: dict[str, object] = {
        "metric": ask.metric,
        "slice": ask.part,
        "baseline": ask.beats or ask.baseline,
        "kind": ask.kind,
        "good": ask.gate.good,
        "rows": ask.rows,
        "positives": ask.positives,
        "limit": _limit_text(ask),
    }
    if settled is None or not isinstance(seen, Change | Estimate):
        return GateEvidence.model_validate(known)
    known |= {
        "low": seen.low,
        "high": seen.high,
        "p_value": _p(ask) if ask.beats is not None else seen.p,
        "p_adjusted": settled.adjusted,
        "tests": settled.tests,
        "method": seen.method,
    }
    if isinstance(seen, Estimate):
        return GateEvidence.model_validate({**known, "new": seen.value, "bound": seen.limit})
    gained, lost = seen.discordant or (None, None)
    share = (gained + lost) / seen.n if gained is not None and lost is not None else 1.0
    if ask.beats is not None:
        level = settled.threshold or alpha
        further = rows_to_tell(
            seen.gain, seen.variance, seen.n, ask.tolerance, alpha=level, beta=gate.beta, label_share=share
        )
    else:
        risk = beta_of(gate, ask.gate)
        further = further_rows(seen.variance, seen.n, ask.tolerance, beta=risk, label_share=share)
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
            "detectable": None if ask.beats is not None else _detectable(seen, alpha / max(settled.tests, 1)),
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
    if ask.beats is not None:
        return f"beats {ask.beats}"
    if ask.kind == "change":
        return f"{'drop' if ask.up else 'rise'} <= {ask.gate.change}"
    return f"{'floor' if ask.up else 'ceiling'} {ask.limit:g}"


def incomparable(sample: Sample, gate: Gate, model: Model, baseline: str, policy: PolicyFile) -> tuple[Finding, ...]:
    """A finding for every promised change that cannot be measured, because the models share no rows."""
    whole = sample.parts[0]
    found = []
    for metric, promise in gate.metrics.items():
        if promise.change is None:
            continue
        ask = Ask.of(sample, whole, metric, promise, Missing(why="The models share no rows."), baseline)
        value = point(metric, sample, sample.new, model.cost)
        evidence = GateEvidence(
            metric=metric,
            good=promise.good,
            baseline=baseline,
            kind="change",
            rows=sample.size,
            new=value,
            limit=_limit_text(ask),
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
            good=ask.gate.good,
        )
        for ask, finding in zip(asks, findings, strict=False)
        if isinstance(ask.seen, Change) and ask.beats is None
    )
