"""DuckDB: the default engine, and the forms that were measured to be its quickest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mlci.measure.data.dialects.base import Dialect, all_of
from mlci.measure.data.dialects.globs import glob_of
from mlci.nouns.sql import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.table_schema import Kind

_MOST_IN_LIST = 200
"""Up to so many values a list is searched for each entry of a column's dictionary; beyond, a hash table is quicker."""


class DuckDialect(Dialect):
    """DuckDB."""

    def number(self, digits: str, type_name: str) -> str:
        """A number as text with a cast: the engine reads `0.1` as a DECIMAL."""
        return f"'{digits}'::{type_name}"

    def infinity(self) -> str:
        """Positive infinity."""
        return "'inf'::DOUBLE"

    def is_nan(self, name: str) -> str:
        """Whether a float is NaN."""
        return f"isnan({name})"

    def is_finite(self, name: str) -> str:
        """Whether a float is a number and finite."""
        return f"isfinite({name})"

    def endless(self, name: str) -> str:
        """Whether a moment is infinite."""
        return f"NOT isfinite({name})"

    def moment(self, text: str, type_name: str) -> str:
        """A moment as a literal."""
        return f"{literal(text)}::{type_name}"

    def as_text(self, name: str, type_name: str) -> str:
        """A value as text."""
        return name if type_name == "VARCHAR" else f"{name}::VARCHAR"

    def same_text(self, name: str, type_name: str, value: str | None) -> str:
        """Whether a value, written as text, is this one."""
        del type_name
        return f"CAST({name} AS VARCHAR) IS NOT DISTINCT FROM {literal(value)}"

    def mismatch(self, name: str, pattern: str) -> str:
        """Whether a text does not match a regular expression as a whole."""
        glob = glob_of(pattern)
        return (
            f"NOT regexp_full_match({name}, {literal(pattern)})" if glob is None else f"{name} NOT GLOB {literal(glob)}"
        )

    def like(self, pattern: str) -> str:
        """A pattern of LIKE, as it is."""
        return pattern

    def length(self, name: str) -> str:
        """The number of characters of a text."""
        return f"length({name})"

    def none_of(self, name: str, text: str, values: Sequence[str]) -> str:
        """Evaluated once for each entry of the column's dictionary, not once a row."""
        listed = ", ".join(literal(value) for value in values)
        if len(values) > _MOST_IN_LIST:
            return f"{text} NOT IN ({listed})"
        return f"(list_position([{listed}], {text}) IS NULL AND {name} IS NOT NULL)"

    def mean(self, name: str, rows: str, kind: Kind) -> str:
        """The mean; of floats with compensation."""
        return self._compensated("avg", name, rows, kind)

    def sum(self, name: str, rows: str, kind: Kind) -> str:
        """The sum; of floats with compensation."""
        return self._compensated("sum", name, rows, kind)

    def of_finite(self, function: Literal["mean", "sum"], name: str, rows: str) -> str:
        """Compensated, with nothing to fall back to: half the time."""
        return f"CAST({'favg' if function == 'mean' else 'fsum'}({name}){_filter(rows)} AS DOUBLE)"

    def _compensated(self, function: str, name: str, rows: str, kind: Kind) -> str:
        """Compensation makes NaN of an infinite value, of which the plain sum is infinite."""
        plain = f"CAST({function}({name}){_filter(rows)} AS DOUBLE)"
        if kind != "float":
            return plain
        value = f"CAST(f{function}({name}){_filter(rows)} AS DOUBLE)"
        return f"CASE WHEN isnan({value}) THEN {plain} ELSE {value} END"

    def spread(self, name: str, rows: str, finite: str, infinite: str) -> str:
        """Infinite as soon as a value is: the engine would refuse to compute it."""
        value = f"stddev_samp({name}::DOUBLE){_filter(all_of(rows, finite))}"
        if not infinite:
            return value
        return f"CASE WHEN count_if({all_of(rows, infinite)}) > 0 THEN 'inf'::DOUBLE ELSE {value} END"

    def quantile(self, name: str, quantile: float, rows: str) -> str:
        """The smallest value that at least so many of all values don't exceed."""
        return f"CAST(quantile_disc({name}, {quantile}){_filter(rows)} AS DOUBLE)"

    def newest(self, name: str, rows: str) -> str:
        """The latest of the moments in some rows, in microseconds since 1970."""
        return f"epoch_us(CAST(max({name}){_filter(rows)} AS TIMESTAMP))"

    def slice_key(self, name: str) -> str:
        """A value by which rows are split, as text."""
        return f"CAST({name} AS VARCHAR)"

    def seconds(self, name: str) -> str:
        """A moment as seconds since 1970."""
        return f"epoch({name})"


def _filter(rows: str) -> str:
    return f" FILTER ({rows})" if rows else ""
