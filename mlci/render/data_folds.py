"""Folds about the data: rows that broke a check, and what changed in the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.render import view
from mlci.render.tables import MOST_CELL, MOST_NAME, MOST_WORDS, Drawn, Fold, examples, line, table
from mlci.render.text import markdown_code, markdown_prose, markdown_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlci.nouns.finding import Verdict
    from mlci.nouns.report import ColumnDiff, DataDiff, Report


def data_folds(report: Report) -> Iterable[Fold]:
    """What changed in every table; those that are as they were share one."""
    for diff in report.diffs:
        if not view.is_same(diff):
            yield _diff(diff)
            yield _cells(diff)
    yield _same([diff for diff in report.diffs if view.is_same(diff)])


def _same(diffs: Sequence[DataDiff]) -> Fold:
    items = tuple(line(markdown_text(diff.table, MOST_NAME)) for diff in diffs)
    many = "1 table" if len(diffs) == 1 else f"{units.count(len(diffs))} tables"
    return Fold("same data", 7, f"Data: {many} unchanged", table("table"), items)


def failing_fold(verdict: Verdict) -> Fold:
    """Rows that broke a check."""
    items = [
        (item.title, item.finding.data.examples)
        for item in view.ordered(verdict.findings)
        if item.finding.data is not None and item.finding.data.examples and item.finding.outcome != "pass"
    ]
    return Fold("failing rows", 5, "Some of the rows that broke a data check", (), Drawn(items, examples), "\n\n")


def _diff(diff: DataDiff) -> Fold:
    changed = [column for column in diff.columns if column.what != "same"]
    headline = markdown_text(view.diff_headline(diff), MOST_WORDS)
    items = tuple(_column(column) for column in changed) or (line("no column changed", "", "", "", "", ""),)
    summary = f"Data: {markdown_text(diff.table, MOST_NAME)}, {headline}"
    return Fold("data diff", 7, summary, table("column", "what", ">changed rows", "old", "new", "note"), items)


def _cells(diff: DataDiff) -> Fold:
    items = tuple(
        line(*(markdown_code(cell, MOST_CELL) if cell is not None else "" for cell in row))
        for row in ((item.id, item.column, item.old, item.new) for item in diff.examples)
    )
    summary = f"Data: some of the changed cells of {markdown_text(diff.table, MOST_NAME)}"
    return Fold("changed cells", 8, summary, table("row", "column", "old", "new"), items)


def _column(column: ColumnDiff) -> str:
    return line(
        markdown_code(column.column, MOST_CELL),
        column.what,
        units.count(column.changed) if column.changed is not None else "",
        _numbers(column.old),
        _numbers(column.new),
        markdown_prose(column.note, MOST_WORDS),
    )


def _numbers(numbers: Mapping[str, str]) -> str:
    return markdown_text(", ".join(f"{name} {value}" for name, value in numbers.items()), MOST_WORDS)
