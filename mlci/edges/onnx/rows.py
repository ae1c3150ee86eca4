"""Rows of a Parquet or CSV file, in batches of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_CSV_TYPES = {"float": pa.float64(), "integer": pa.float64(), "string": pa.string(), "boolean": pa.bool_()}
_REMAKE = "make it again: `dvc repro`, or `dvc pull`"


class Rows:
    """A table on disk: its column names, and its rows batch by batch.

    Args:
        path: A Parquet file, or a CSV file with a header (also compressed: `.csv.gz`).
        types: For CSV, the columns whose type is known: `float`, `integer`, `string` or `boolean`.

    Raises:
        WorldError: There is no such file, or it is no table.
    """

    def __init__(self, path: Path, types: Mapping[str, str] | None = None) -> None:
        self.path = path
        self._is_csv = ".csv" in path.suffixes
        self._types = {name: _CSV_TYPES[kind] for name, kind in (types or {}).items()}
        try:
            self.columns = self._csv(None).schema.names if self._is_csv else pq.read_schema(path).names
        except (OSError, pa.ArrowException) as error:
            raise self._unreadable(error) from error

    def batches(self, columns: Sequence[str], batch_rows: int) -> Iterator[pa.Table]:
        """Yield tables of at most `batch_rows` rows.

        Raises:
            WorldError: The file breaks off, or holds values of another type further down.
        """
        columns = list(dict.fromkeys(columns))
        try:
            if not self._is_csv:
                with pq.ParquetFile(self.path) as file:
                    for batch in file.iter_batches(batch_size=batch_rows, columns=columns):
                        yield pa.Table.from_batches([batch]).select(columns)
                return
            for batch in self._csv(columns):
                table = pa.Table.from_batches([batch])
                for start in range(0, table.num_rows, batch_rows):
                    yield table.slice(start, batch_rows)
        except (OSError, pa.ArrowException) as error:
            raise self._unreadable(error) from error

    def count(self) -> int | None:
        """Return the number of rows where the file says it (Parquet), else None."""
        return None if self._is_csv else int(pq.read_metadata(self.path).num_rows)

    def sample(self, columns: Sequence[str], rows: int) -> pa.Table:
        """Return up to about `rows` rows, spread evenly over the file.

        Raises:
            WorldError: The file has no rows, or breaks off.
        """
        step = max(1, -(-(self.count() or 0) // rows))
        parts, seen = [], 0
        for batch in self.batches(columns, 65_536):
            first = -seen % step
            parts.append(batch.take(np.arange(first, batch.num_rows, step)) if step > 1 else batch)
            seen += batch.num_rows
        if not seen:
            raise WorldError(f"{self.path} has no rows", _REMAKE)
        table = pa.concat_tables(parts)
        if table.num_rows > rows:
            table = table.take(np.linspace(0, table.num_rows - 1, rows).astype(np.int64))
        return table

    def _csv(self, columns: list[str] | None) -> pacsv.CSVStreamingReader:
        # As DuckDB and pandas read it: nothing between two commas is a missing value, also of a string.
        convert = pacsv.ConvertOptions(
            column_types=self._types, include_columns=columns, null_values=[""], strings_can_be_null=True
        )
        return pacsv.open_csv(self.path, convert_options=convert)

    def _unreadable(self, error: Exception) -> WorldError:
        if isinstance(error, FileNotFoundError):
            return WorldError(f"{self.path} is not there", _REMAKE)
        return WorldError(f"{self.path} cannot be read: {str(error).splitlines()[0]}", _REMAKE)
