"""The checks of a table as a whole: row count, freshness, keys, rules, overlap, label conflicts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlci.measure.data.asked import impossible
from mlci.measure.data.column import HOLDS, at_most
from mlci.measure.data.times import read_time
from mlci.nouns.aggregate import Conflicting, Count, Number, Repeats, Shared
from mlci.nouns.condition import Breaks
from mlci.nouns.data_check import AgeOf, NumberOf, ShareOf
from mlci.nouns.scalars import Bound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.measure.data.asked import Asked
    from mlci.nouns.data_check import DataCheck, Reading
    from mlci.nouns.data_policy import Fresh

_SOME = Bound(low=1, text=">= 1")


def row_checks(asked: Asked) -> Iterator[DataCheck]:
    """The table has so many rows; without a word of the policy, at least one: a verdict on nothing does not pass."""
    own = asked.table.rows
    scopes = (own,) if own is not None else ()
    limit = own.limit if own is not None else _SOME
    reading = NumberOf(value=Count(part=asked.part(*scopes)), limit=limit, name="the number of rows", counts=True)
    yield asked.check(("rows",), f"rows {limit}", reading, scopes=scopes)


def fresh_checks(asked: Asked) -> Iterator[DataCheck]:
    """The newest row is not too old."""
    if (own := asked.table.fresh) is None:
        return
    yield asked.check(
        ("fresh",),
        f"{own.column} is not older than {duration(own)}",
        _age(asked, own),
        scopes=(own,),
        column=own.column,
    )


def duration(own: Fresh) -> str:
    """`45 days`, `12 hours`: the span in its largest whole unit."""
    seconds = own.within.total_seconds()
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}{'' if seconds == size else 's'}"
    return f"{seconds:g} seconds"


def _age(asked: Asked, own: Fresh) -> Reading:
    if asked.lacks([own.column]):
        return asked.absent([own.column])
    kind = asked.schema.kind(own.column)
    if kind not in {"timestamp", "date"}:
        why = f"`{own.column}` holds {HOLDS[kind]} ({asked.schema.columns[own.column]}), and `fresh` needs timestamps"
        return impossible(why, "Write the column as a timestamp, or name another column.")
    now = asked.now
    if own.as_of is not None:
        moment = read_time(own.as_of)
        if moment is None:
            return impossible(f"`as_of` is no date or time: {own.as_of}", "Write it as 2013-12-31 or 2013-12-31T12:00.")
        now = datetime(*moment.timetuple()[:6], tzinfo=UTC)
    newest = Number(what="newest", column=own.column, part=asked.part(own))
    return AgeOf(newest=newest, within=own.within, now=now, allowed=duration(own), column=own.column)


def key_checks(asked: Asked) -> Iterator[DataCheck]:
    """Columns together identify a row."""
    for own in asked.table.unique:
        part = asked.part(own)
        names = " and ".join(f"`{name}`" for name in own.columns)
        reading: Reading = ShareOf(
            bad=Repeats(columns=own.columns, part=part),
            of=asked.present(part, *own.columns),
            limit=at_most(own.tolerance),
            subject="the rows",
            verb=f"repeat the {names} of an earlier row",
            unit="rows",
        )
        if asked.lacks(own.columns):
            reading = asked.absent(own.columns)
        title = f"{', '.join(own.columns)} {'is' if len(own.columns) == 1 else 'are together'} unique"
        yield asked.check(("unique", "+".join(own.columns)), title, reading, scopes=(own,))


def rule_checks(asked: Asked) -> Iterator[DataCheck]:
    """Every row meets the policy's conditions."""
    for name, own in asked.table.rules.items():
        part = asked.part(own)
        condition = Breaks(sql=own.sql, nulls=own.nulls)
        reading = ShareOf(
            bad=Count(what=condition, part=part),
            of=Count(part=part),
            limit=at_most(own.tolerance),
            subject="the rows",
            verb=f"break the rule “{name}”",
            unit="rows",
            shows=condition,
        )
        yield asked.check(("rules", name), name, reading, scopes=(own,))


def overlap_checks(asked: Asked) -> Iterator[DataCheck]:
    """No row is also in another table."""
    own, other = asked.table.overlap, asked.other
    if own is None or other is None:
        return
    part = asked.part(own)
    reading: Reading = ShareOf(
        bad=Shared(other=other.view, columns=own.key, part=part),
        of=Count(part=part),
        limit=own.limit,
        subject="the rows",
        verb=f"are also in {own.table}",
        unit="rows",
    )
    if asked.lacks(own.key):
        reading = asked.absent(own.key)
    elif lacking := [name for name in own.key if name not in other.columns]:
        why = f"{other.path} has no column {' and '.join(f'`{name}`' for name in lacking)}"
        reading = impossible(why, "Name columns that both tables have under `on`.")
    title = f"rows that are also in {own.table} {own.limit}"
    yield asked.check(("overlap",), title, reading, scopes=(own,))


def conflict_checks(asked: Asked) -> Iterator[DataCheck]:
    """Rows that agree in all features agree in the label."""
    if (own := asked.table.conflicts) is None:
        return
    part = asked.part(own)
    left_out = {own.label, asked.id_column}
    features = own.features or tuple(name for name in asked.schema.columns if name not in left_out)
    reading: Reading = ShareOf(
        bad=Conflicting(label=own.label, features=features, part=part),
        of=Count(part=part),
        limit=own.limit,
        subject="the rows",
        verb=f"agree in all features with a row that has another `{own.label}`",
        unit="rows",
    )
    if asked.lacks((own.label, *features)):
        reading = asked.absent((own.label, *features))
    elif not features:
        reading = impossible("there are no features to compare", "Name them under `features`.")
    yield asked.check(("conflicts",), f"conflicting labels {own.limit}", reading, scopes=(own,), column=own.label)
