"""The portable forms, and where engines differ from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from mlci.nouns.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.measure.data.dialects.patterns import Target
    from mlci.nouns.table_schema import Kind, TableSchema


def all_of(*conditions: str) -> str:
    """Those that are not empty, joined by AND."""
    return " AND ".join(f"({condition})" for condition in conditions if condition)


class Dialect:
    """Standard SQL; what an engine writes in another way, its own dialect overrides.

    Types are named as DuckDB names them (`BIGINT`, `DOUBLE`, `VARCHAR`, `TIMESTAMP`), whichever engine holds the table.

    Attributes:
        types: The engine's names of types where they differ.
        patterns: The syntax of its regular expressions.
        name: What it is called.
        null_safe: The operator of equality that holds for two nulls.
        has_infinity: Whether its floats can be infinite or NaN.
        finds_quantiles: Whether it has an exact quantile as an aggregate; else rows are ranked.
        refuses_casts: Whether a text that is no number can't be cast to one.
        strange: Functions that mean something else there.
    """

    types: ClassVar[dict[str, str]] = {}
    patterns: ClassVar[Target] = "python"
    name: ClassVar[str] = "DuckDB"
    null_safe: ClassVar[str] = "IS NOT DISTINCT FROM"
    has_infinity: ClassVar[bool] = True
    finds_quantiles: ClassVar[bool] = True
    refuses_casts: ClassVar[bool] = True
    strange: ClassVar[frozenset[str]] = frozenset()

    def type(self, name: str) -> str:
        """The engine's name of a type."""
        return self.types.get(name, name)

    def identifier(self, name: str) -> str:
        """A name of a column or table."""
        return identifier(name)

    def table(self, name: str) -> str:
        """A table's name."""
        return self.identifier(name)

    def compared(self, value: str, type_name: str) -> str:
        """A column's value as it is read, where texts would else be compared by another order than their characters."""
        del type_name
        return value

    def source(self, schema: TableSchema) -> str:
        """What rows are read from: the table, or a query where some columns are read in another way."""
        table = self.table(schema.view)
        read = {name: self.compared(self.identifier(name), kind) for name, kind in schema.columns.items()}
        if all(value == self.identifier(name) for name, value in read.items()):
            return table
        listed = ", ".join(f"{value} AS {self.identifier(name)}" for name, value in read.items())
        return f"(SELECT {listed} FROM {table}) AS mlci_rows"

    def nulls_last(self, name: str) -> str:
        """Ascending order with nulls at its end."""
        return f"{name} ASC NULLS LAST"

    def in_order(self, name: str) -> str:
        """A text that is compared by its characters."""
        return name

    def text(self, value: str | None) -> str:
        """A text as a literal."""
        return "NULL" if value is None else "'" + value.replace("'", "''") + "'"

    def cast(self, sql: str, type_name: str) -> str:
        """A value as another type."""
        return f"CAST({sql} AS {self.type(type_name)})"

    def number(self, digits: str, type_name: str) -> str:
        """A number, given in plain digits, as a literal of a column's float type."""
        return self.cast(f"'{digits}'", type_name)

    def infinity(self) -> str:
        """Positive infinity."""
        return self.cast("'Infinity'", "DOUBLE")

    def nan(self) -> str:
        """What is no number."""
        return self.cast("'NaN'", "DOUBLE")

    def is_nan(self, name: str) -> str:
        """Whether a float is NaN."""
        return f"{name} = {self.nan()}"

    def has_number(self, name: str) -> str:
        """Whether a float is neither null nor NaN: NaN comes after infinity in these engines' order."""
        return f"{name} <= {self.infinity()}"

    def is_finite(self, name: str) -> str:
        """Whether a float is a number and finite."""
        return f"{name} > -{self.infinity()} AND {name} < {self.infinity()}"

    def endless(self, name: str) -> str:
        """Whether a moment is infinite; empty where moments can't be."""
        del name
        return ""

    def moment(self, text: str, type_name: str) -> str:
        """A moment as a literal of a column's type."""
        return self.cast(self.text(text), type_name)

    def as_text(self, name: str, type_name: str) -> str:
        """A value as text."""
        return name if type_name == "VARCHAR" else self.cast(name, "VARCHAR")

    def same_text(self, name: str, type_name: str, value: str | None) -> str:
        """Whether a value, written as text, is this one; two nulls are the same."""
        if value is None:
            return f"{name} IS NULL"
        return f"{name} = {self.cast(self.text(value), type_name)}"

    def mismatch(self, name: str, pattern: str) -> str:
        """Whether a text does not match a regular expression as a whole."""
        return f"NOT ({name} ~ {self.text(pattern)})"

    def like(self, pattern: str) -> str:
        """A pattern of LIKE: there is no escape in DuckDB, so a backslash means itself."""
        return pattern.replace("\\", "\\\\")

    def length(self, name: str) -> str:
        """The number of characters of a text."""
        return f"char_length({name})"

    def none_of(self, name: str, text: str, values: Sequence[str]) -> str:
        """Whether a text is there and is none of these."""
        del name
        return f"{text} NOT IN ({', '.join(self.text(value) for value in values)})"

    def kept(self, name: str, rows: str) -> str:
        """A column's values in some of the rows."""
        return f"CASE WHEN {rows} THEN {name} END" if rows else name

    def mean(self, name: str, rows: str, kind: Kind) -> str:
        """The mean of the values; of integers and decimals it is added up exactly."""
        return f"{self.sum(name, rows, kind)} / nullif(count({self.kept(name, rows)}), 0)"

    def of_finite(self, function: Literal["mean", "sum"], name: str, rows: str) -> str:
        """The mean or sum of floats that are known to be finite."""
        return self.mean(name, rows, "float") if function == "mean" else self.sum(name, rows, "float")

    def sum(self, name: str, rows: str, kind: Kind) -> str:
        """The sum of the values as DOUBLE; integers and decimals are added up exactly."""
        kept = self.kept(name, rows)
        return self.cast(f"sum({self.cast(kept, 'HUGEINT') if kind == 'integer' else kept})", "DOUBLE")

    def spread(self, name: str, rows: str, finite: str, infinite: str) -> str:
        """The standard deviation of a sample; infinite as soon as a value is, which engines tell in different ways."""
        value = self.deviation(self.kept(name, all_of(rows, finite)))
        if not infinite:
            return value
        some = f"count(CASE WHEN {all_of(rows, infinite)} THEN 1 END) > 0"
        return f"CASE WHEN {some} THEN {self.infinity()} ELSE {value} END"

    def deviation(self, value: str) -> str:
        """The standard deviation of finite values."""
        return f"stddev_samp({self.cast(value, 'DOUBLE')})"

    def quantile(self, name: str, quantile: float, rows: str) -> str:
        """The smallest value that at least so many of all values don't exceed."""
        kept = self.kept(name, rows)
        return self.cast(f"percentile_disc({quantile!r}) WITHIN GROUP (ORDER BY {kept})", "DOUBLE")

    def newest(self, name: str, rows: str) -> str:
        """The latest of the moments in some rows, in microseconds since 1970."""
        return f"CAST(extract(epoch FROM max({self.kept(name, rows)})) * 1000000 AS BIGINT)"

    def slice_key(self, name: str) -> str:
        """A value by which rows are split."""
        return name

    def bucket(self, name: str, edges: Sequence[float]) -> str:
        """How many edges are below a value; null where there is no value. The edges are halved, and halved again."""
        return f"CASE WHEN {self.has_number(name)} THEN {self._halved(name, edges, 0, len(edges))} END"

    def _halved(self, name: str, edges: Sequence[float], low: int, high: int) -> str:
        if low == high:
            return str(low)
        middle = (low + high) // 2
        left, right = self._halved(name, edges, low, middle), self._halved(name, edges, middle + 1, high)
        return f"CASE WHEN {name} <= {self.double(edges[middle])} THEN {left} ELSE {right} END"

    def double(self, value: float) -> str:
        """A finite DOUBLE, exactly."""
        text = repr(float(value))
        return text if "e" in text else f"{text}e0"

    def seconds(self, name: str) -> str:
        """A moment as seconds since 1970."""
        return self.cast(f"extract(epoch FROM {name})", "DOUBLE")
