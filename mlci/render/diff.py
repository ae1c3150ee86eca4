"""What changed in the data, as plain text for a terminal; names and values may be hostile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.render.text import clean
from mlci.render.view import diff_headline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlci.nouns.report import ColumnDiff, DataDiff, RowChange

_MOST_NAME = 60
_MOST_VALUE = 40


def render_diffs(diffs: Iterable[DataDiff]) -> str:
    """One paragraph a table; empty where the policy has no table."""
    return "\n".join(_diff(diff) for diff in diffs)


def _diff(diff: DataDiff) -> str:
    title = (
        f"{clean(diff.table, _MOST_NAME)} ({clean(diff.old, _MOST_NAME)} {units.ARROW} {clean(diff.new, _MOST_NAME)})"
    )
    headline = diff_headline(diff)
    lines = [f"{title}: {clean(headline)}"]
    if diff.note and diff.note != headline:
        lines.append(f"  {clean(diff.note)}")
    lines += [line for column in diff.columns for line in _column(column)]
    if diff.examples:
        lines += ["  some of the changed cells:", *(_example(change) for change in diff.examples)]
    return "\n".join(lines) + "\n"


def _column(column: ColumnDiff) -> list[str]:
    name, note = clean(column.column, _MOST_NAME), f"; {clean(column.note)}" if column.note else ""
    if column.what in {"added", "removed"}:
        kind = column.new.get("type") or column.old.get("type", "")
        return [f"  {name}: {column.what} ({clean(kind, _MOST_VALUE)}){note}"]
    changed = f" in {units.rows(column.changed)}" if column.changed else ""
    lines = [f"  {name}: {'changed' if column.what == 'shifted' else column.what}{changed}{note}"]
    for word in column.new:
        before, after = (clean(side.get(word, ""), _MOST_VALUE) or "-" for side in (column.old, column.new))
        lines.append(f"    {clean(word, _MOST_NAME)} {before} {units.ARROW} {after}")
    return lines


def _example(change: RowChange) -> str:
    before, after = (
        "missing" if value is None else clean(value, _MOST_VALUE) or '""' for value in (change.old, change.new)
    )
    return f"    {clean(change.id, _MOST_NAME)}, {clean(change.column, _MOST_NAME)}: {before} {units.ARROW} {after}"
