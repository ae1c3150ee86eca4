"""From what was measured of a table to findings: a missing answer is a failure, never a pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from mlci.judge import data_words as words
from mlci.nouns.aggregate import Number, SliceKey
from mlci.nouns.data_check import AgeOf, DataCheck, Known, NumberOf, RankCounts, RankOf, ShareOf
from mlci.nouns.finding import DataEvidence, Finding, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlci.nouns.aggregate import Aggregate, Answers, Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Judged(NamedTuple):
    """A finding, with the check and the slice that it is about."""

    finding: Finding
    check: DataCheck
    key: SliceKey = ()


def judge_data(checks: Iterable[DataCheck], answers: Answers) -> tuple[Judged, ...]:
    """Findings for every check asked, whether or not it was measured, in the checks' order."""
    return tuple(judged for check in checks for judged in judge_check(check, answers))


def judge_check(check: DataCheck, answers: Answers) -> tuple[Judged, ...]:
    """One finding; of a check that is split by columns, one for each slice that fails.

    Slices without a row or value to check are left out: there is nothing that they could break.
    """
    if isinstance(check.reading, Known):
        return (Judged(_known(check, check.reading), check),)
    if failed := next((answers.failures[need] for need in check.needs if need in answers.failures), None):
        return (Judged(_unmeasured(check, f"This could not be measured: {failed}"), check),)
    if any(need not in answers.values for need in check.needs):
        return (Judged(_unmeasured(check, "This was not measured, and what was not measured does not pass"), check),)
    if not check.part.by:
        return (Judged(_judge(check, answers, ()), check),)
    slices = [Judged(_judge(check, answers, key), check, key) for key in _keys(check, answers)]
    bad = tuple(judged for judged in slices if judged.finding.outcome == "fail")
    held = [judged.finding for judged in slices if judged.finding.outcome == "pass"]
    return bad or (Judged(_all_hold(check, held), check),)


def _keys(check: DataCheck, answers: Answers) -> list[SliceKey]:
    """The slices, with missing values last."""
    met = {key for need in check.needs for key in answers.values[need]}
    return sorted(met, key=lambda key: [(value is None, value or "") for value in key])


def _all_hold(check: DataCheck, held: list[Finding]) -> Finding:
    by = ", ".join(check.part.by)
    if not held:
        return _unmeasured(check, f"There is nothing to check: no slice by {by} has a value")
    worst = max(held, key=lambda finding: (finding.data.share or 0.0) if finding.data else 0.0)
    name = worst.data.slice if worst.data else ""
    many = f"Holds in all {len(held):,} slices by {by}; worst {name}: " if len(held) > 1 else f"Holds in {name}: "
    return worst.model_copy(update={"message": many + worst.message, "title": check.title + f", by {by}"})


def _judge(check: DataCheck, answers: Answers, key: SliceKey) -> Finding:
    match check.reading:
        case ShareOf():
            return _share(check, check.reading, answers, key)
        case NumberOf():
            return _number(check, check.reading, answers, key)
        case RankOf():
            return _rank(check, check.reading, answers, key)
        case AgeOf():
            return _age(check, check.reading, answers, key)
        case Known():
            return _known(check, check.reading)


def _count(answers: Answers, aggregate: Aggregate, key: SliceKey) -> int:
    """A slice that a count does not mention has none."""
    return int(answers.values[aggregate].get(key) or 0)


def _share(check: DataCheck, reading: ShareOf, answers: Answers, key: SliceKey) -> Finding:
    rows, count = _count(answers, reading.of, key), _count(answers, reading.bad, key)
    if rows == 0:
        return _nothing(check, reading.unit, key)
    share = count / rows
    outcome: Outcome = "pass" if reading.limit.holds(share) else "fail"
    evidence = _evidence(check, key).model_copy(
        update={"rows": rows, "count": count, "share": share, "limit": str(reading.limit)}
    )
    return _finding(check, outcome, words.share_message(reading, count, rows), evidence)


def _number(check: DataCheck, reading: NumberOf, answers: Answers, key: SliceKey) -> Finding:
    value: Value = answers.values[reading.value].get(key)
    if value is None and reading.counts:
        value = 0
    if value is None:
        return _nothing(check, "values", key)
    measured = _stable(float(value), reading.value)
    name = reading.name[0].upper() + reading.name[1:]
    message = f"{name} is {words.number(measured, reading.limit)}; the policy wants {reading.limit}."
    if reading.counts and value == 0:
        message = f"The table has no rows{', where the condition holds' if check.part.where else ''}."
    evidence = _evidence(check, key).model_copy(update={"measured": measured, "limit": str(reading.limit)})
    return _finding(check, "pass" if reading.limit.holds(measured) else "fail", message, evidence)


def _stable(value: float, aggregate: Aggregate) -> float:
    """The digits that do not depend on the order in which an engine adds: a verdict must be the same every time.

    Sums are compensated and good to 12 digits; a standard deviation, which is merged from parts, is to 9.
    """
    if float(value).is_integer():
        return value
    spread = isinstance(aggregate, Number) and aggregate.what == "std"
    return float(f"{value:.9g}" if spread else f"{value:.12g}")


def rank_counts(reading: RankOf, answers: Answers, key: SliceKey) -> RankCounts:
    """The counts behind a quantile check, for one slice."""
    return RankCounts(
        under=None if reading.under is None else _count(answers, reading.under, key),
        upto=None if reading.upto is None else _count(answers, reading.upto, key),
        rows=_count(answers, reading.of, key),
    )


def _rank(check: DataCheck, reading: RankOf, answers: Answers, key: SliceKey) -> Finding:
    counts = rank_counts(reading, answers, key)
    if counts.rows == 0:
        return _nothing(check, "values", key)
    side = reading.side(counts)
    exact = answers.values.get(reading.exact(counts), {}).get(key)
    message = words.rank_message(reading, counts, exact)
    update = {"rows": counts.rows, "measured": exact, "limit": str(reading.limit)}
    evidence = _evidence(check, key).model_copy(update=update)
    return _finding(check, "pass" if side == "inside" else "fail", message, evidence)


def _age(check: DataCheck, reading: AgeOf, answers: Answers, key: SliceKey) -> Finding:
    newest = answers.values[reading.newest].get(key)
    if newest is None:
        return _nothing(check, "timestamps", key)
    oldest = (reading.now - reading.within - _EPOCH) / timedelta(microseconds=1)
    update = {"measured": words.moment(newest), "limit": f"<= {reading.allowed}"}
    evidence = _evidence(check, key).model_copy(update=update)
    return _finding(check, "pass" if newest >= oldest else "fail", words.age_message(reading, newest), evidence)


def _known(check: DataCheck, reading: Known) -> Finding:
    update = {"measured": reading.measured, "limit": reading.limit}
    evidence = _evidence(check, ()).model_copy(update=update)
    return _finding(check, reading.outcome, f"{reading.message}.", evidence, mend=reading.mend)


def _nothing(check: DataCheck, unit: str, key: SliceKey) -> Finding:
    if key:
        evidence = _evidence(check, key)
        return _finding(check, "too_small", f"There are no {unit} to check in this slice.", evidence)
    where = ", where the condition holds" if check.part.where else ""
    return _unmeasured(check, f"There are no {unit} to check{where}, and a verdict on nothing does not pass")


def _unmeasured(check: DataCheck, why: str) -> Finding:
    mend = f"Correct the data or the check at {check.place}, or give it `level: warn` there."
    return _finding(check, "not_measured", f"{why}.", _evidence(check, ()), mend=mend)


def _evidence(check: DataCheck, key: SliceKey) -> DataEvidence:
    name = words.slice_name(check.part.by, key) if key else None
    return DataEvidence(table=check.table, column=check.column, slice=name)


def _finding(check: DataCheck, outcome: Outcome, message: str, evidence: DataEvidence, mend: str = "") -> Finding:
    if not mend and outcome == "fail":
        mend = words.fail_mend(check)
    return Finding(
        check=check.id,
        title=f"{check.title}, {evidence.slice}" if evidence.slice else check.title,
        area="data",
        level=check.level,
        outcome=outcome,
        message=message,
        mend=mend,
        place=check.place,
        data=evidence,
    )
