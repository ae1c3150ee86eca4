"""What is kept of a reference table, so that it need not be read again to see whether the data has moved."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlci.nouns.base import Noun


class NumericReference(Noun):
    """A numeric column: values counted between edges.

    Attributes:
        rows: Values; nulls and NaN are left out.
        missing: Rows without a value.
        edges: Increasing. Quantiles of the column, the two sides of every value that is frequent, and a few edges in
            and beyond the tails.
        counts: Values up to the first edge, then those above each edge up to the next one, then those above the last:
            one more than there are edges.
        error: The Kolmogorov-Smirnov distance computed from these counts is too small by at most this.
        mean: Of the values.
        std: Their standard deviation.
    """

    kind: Literal["numeric"] = "numeric"
    rows: int
    missing: int
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    error: float
    mean: float
    std: float


class CategoricalReference(Noun):
    """A column of texts or of true and false.

    Attributes:
        rows: Values that are not null.
        missing: Rows that are.
        names: The values by falling frequency, at most 10,000.
        counts: How often each occurs.
        distinct: How many different values there are in all.
    """

    kind: Literal["categorical"] = "categorical"
    rows: int
    missing: int
    names: tuple[str, ...]
    counts: tuple[int, ...]
    distinct: int

    @property
    def complete(self) -> bool:
        """Whether every value is named."""
        return self.distinct == len(self.names)


ColumnReference = Annotated[NumericReference | CategoricalReference, Field(discriminator="kind")]


class ReferenceStatistics(Noun):
    """The statistics of a table.

    Attributes:
        schema_version: Of this noun; a reader refuses one that it does not know.
        source: The table's path.
        rows: Its rows.
        columns: Its columns, but those whose values cannot be compared.
    """

    schema_version: Literal[1] = 1
    source: str
    rows: int
    columns: dict[str, ColumnReference]
