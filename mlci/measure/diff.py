"""Say in numbers and words how two versions of a table differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.nouns.report import ColumnDiff, DataDiff

if TYPE_CHECKING:
    from mlci.nouns.table_diff import ColumnStats, TableDiff

_MOST_CATEGORIES = 3
_RARE = 0.001
"""A text that is rarer in both versions is not worth a line."""
_SMALL_SHARE = 0.0005
_SMALL_SHIFT = 0.001
"""A shift of mean or quantile below this part of the middle 90 % of the values is not worth a line."""
_ABOUT = 1_000
"""More different values than this are estimated, within `_ESTIMATE`."""
_ESTIMATE = 0.05
_MOST_DIGITS = 6
_QUANTILES = {0.05: "5 % quantile", 0.5: "median", 0.95: "95 % quantile"}


def data_diff(measured: TableDiff, table: str, old: str, new: str) -> DataDiff:
    """The diff of a table as a report shows it.

    Args:
        measured: The two versions, set against each other.
        table: Name of the table in the policy.
        old: The older revision.
        new: The newer revision, or `work tree`.
    """
    counts = measured.counts
    columns = tuple(item for name in _names(measured) if (item := _column(measured, name)) is not None)
    return DataDiff(
        table=table,
        old=old,
        new=new,
        rows_old=measured.rows_old,
        rows_new=measured.rows_new,
        added=counts.added,
        removed=counts.removed,
        changed=counts.changed,
        columns=columns,
        examples=measured.examples,
        note=_note(measured, changed=bool(columns or counts.added or counts.removed or counts.changed)),
    )


def _names(measured: TableDiff) -> list[str]:
    """All columns: the new version's in its order, then those that are gone."""
    gone = [name for name in measured.types_old if name not in measured.types_new]
    return [*measured.types_new, *gone]


def _column(measured: TableDiff, name: str) -> ColumnDiff | None:
    """How the column changed; None where it did not."""
    before, after = measured.types_old.get(name), measured.types_new.get(name)
    if before is None:
        return ColumnDiff(column=name, what="added", new={"type": str(after)})
    if after is None:
        return ColumnDiff(column=name, what="removed", old={"type": before})
    old, new = _shift(measured, name)
    if before != after:
        old, new = {"type": before, **old}, {"type": after, **new}
    changed = measured.cells.get(name)
    if before == after and not old and not new and not changed:
        return None
    note = ""
    if name not in measured.stats and changed:
        note = "values moved between rows; as a whole they are the same"
    return ColumnDiff(
        column=name,
        what="shifted" if before == after else "retyped",
        old=old,
        new=new,
        changed=(changed or 0) if measured.key else None,
        note=note,
    )


def _shift(measured: TableDiff, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """What can be told apart of a column's numbers, before and after."""
    if name not in measured.stats:
        return {}, {}
    old, new = measured.stats[name]
    pairs: list[tuple[str, tuple[str, str] | None]] = [("missing", _shares(_missing(old), _missing(new)))]
    small = _SMALL_SHIFT * max(_spread(old), _spread(new))
    if old.share_true is not None and new.share_true is not None:
        pairs.append(("true", _shares(old.share_true, new.share_true)))
    pairs.append(("mean", _numbers(old.mean, new.mean, small)))
    for quantile, word in _QUANTILES.items():
        pairs.append((word, _numbers(old.quantiles.get(quantile), new.quantiles.get(quantile), small)))
    for word, before, after in (("smallest", old.low, new.low), ("largest", old.high, new.high)):
        pairs.append((word, (before or "", after or "") if before != after else None))
    pairs.append(("different values", _distinct(old, new)))
    pairs += _categories(old, new)
    found = {word: pair for word, pair in pairs if pair is not None}
    return {word: pair[0] for word, pair in found.items()}, {word: pair[1] for word, pair in found.items()}


def _spread(stats: ColumnStats) -> float:
    """The span of the middle 90 % of the values; 0 where it is not known."""
    span = stats.quantiles.get(0.95, 0.0) - stats.quantiles.get(0.05, 0.0)
    return span if math.isfinite(span) else 0.0


def _distinct(old: ColumnStats, new: ColumnStats) -> tuple[str, str] | None:
    """How many different values there are; None where it is the same as far as one knows."""
    if old.distinct is None or new.distinct is None:
        return None
    most = max(old.distinct, new.distinct)
    if old.distinct == new.distinct or (most > _ABOUT and abs(old.distinct - new.distinct) <= _ESTIMATE * most):
        return None
    before, after = (
        f"about {units.about(number)}" if number > _ABOUT else str(number) for number in (old.distinct, new.distinct)
    )
    return before, after


def _missing(stats: ColumnStats) -> float:
    return stats.missing / stats.rows if stats.rows else 0.0


def _shares(old: float, new: float) -> tuple[str, str] | None:
    """Two shares in percent; None where they are about the same, unless one of them is nothing."""
    if abs(old - new) < _SMALL_SHARE and (old > 0) == (new > 0):
        return None
    pair = _numbers(100 * old, 100 * new)
    return (f"{pair[0]} %", f"{pair[1]} %") if pair else None


def _numbers(old: float | None, new: float | None, small: float = 0.0) -> tuple[str, str] | None:
    """Two numbers with as many digits as tell them apart, four at least; None where six do not, or the shift is small.

    >>> _numbers(12.34567, 12.35), _numbers(1.0, 1.0000001)
    (('12.346', '12.35'), None)
    """
    if old is None and new is None:
        return None
    if old is not None and new is not None and abs(old - new) < small:
        return None
    for digits in range(4, _MOST_DIGITS + 1):
        pair = _number(old, digits), _number(new, digits)
        if pair[0] != pair[1]:
            return pair
    return None


def _number(value: float | None, digits: int) -> str:
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 10**digits and abs(value) < 1e15:  # noqa: PLR2004 - readable without an exponent
        return f"{value:,.0f}"
    return f"{value:,.{digits}g}"


def _categories(old: ColumnStats, new: ColumnStats) -> list[tuple[str, tuple[str, str] | None]]:
    """The texts whose share moved most."""
    if not (old.top or new.top) or not old.rows or not new.rows:
        return []
    before, after = dict(old.top), dict(new.top)
    moved = []
    for value in sorted({*before, *after}):
        if (value not in before and not _whole(old)) or (value not in after and not _whole(new)):
            continue  # it was there, but too rare to be listed
        shares = before.get(value, 0) / old.rows, after.get(value, 0) / new.rows
        if max(shares) < _RARE:
            continue
        moved.append((abs(shares[0] - shares[1]), value, _shares(*shares)))
    moved.sort(key=lambda item: (-item[0], item[1]))
    return [(f"share of {value}", pair) for _, value, pair in moved[:_MOST_CATEGORIES]]


def _whole(stats: ColumnStats) -> bool:
    """Whether the list of the most frequent texts has them all."""
    return sum(times for _, times in stats.top) == stats.rows - stats.missing


def _note(measured: TableDiff, *, changed: bool) -> str:
    """What a reader must know of the comparison."""
    if not changed:
        return "the same rows and columns, written anew"
    counts, key = measured.counts, ", ".join(f"`{name}`" for name in measured.key)
    if not measured.key:
        return "there is no id: a changed row counts as one removed and one added"
    notes = []
    if counts.repeated_old or counts.repeated_new:
        notes.append(f"{key} repeats: {counts.repeated_old:,} values before, {counts.repeated_new:,} now")
    if counts.unpaired:
        notes.append(f"{counts.unpaired:,} changed rows share their {key} with others, so their cells are not compared")
    return "; ".join(notes)
