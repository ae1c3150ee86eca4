"""Rows of Parquet or CSV files, in batches of bounded size."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CSV_TYPES = {"float": pa.float64(), "integer": pa.float64(), "string": pa.string(), "boolean": pa.bool_()}
_REMAKE = "make it again: `dvc repro`, or `dvc pull`"


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in the one form that its values have, whichever file and batch they come from."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return column.cast(pa.string() if text else kind)


class Rows:
    """A table on disk: its column names, and its rows batch by batch.

    Args:
        paths: A Parquet file, or a CSV file with a header (also compressed: `.csv.gz`); or several with the same
            columns, whose rows follow each other.
        types: For CSV, the columns whose type is known: `float`, `integer`, `string` or `boolean`.

    Raises:
        WorldError: There is no such file, or it is no table.
    """

    def __init__(self, paths: Path | Sequence[Path], types: Mapping[str, str] | None = None) -> None:
        self.files = [_File(path, types or {}) for path in ([paths] if isinstance(paths, Path) else paths)]
        self.path = self.files[0].path
        self.columns = self.files[0].columns

    def batches(self, columns: Sequence[str], batch_rows: int, *, skip: int = 0) -> Iterator[pa.Table]:
        """Yield tables of `batch_rows` rows, the last one of as many as are left.

        Args:
            columns: Names, in the order in which they are wanted.
            batch_rows: Rows of a table, wherever the files and their row groups end.
            skip: Rows at the beginning to leave out.

        Raises:
            WorldError: A file breaks off, lacks a column, or holds values of another type further down.
        """
        columns = list(dict.fromkeys(columns))
        waiting: list[pa.Table] = []
        for table in self._tables(columns, batch_rows, skip):
            waiting.append(table)
            while sum(each.num_rows for each in waiting) >= batch_rows:
                joined = self._joined(waiting)
                yield joined.slice(0, batch_rows)
                waiting = [joined.slice(batch_rows)]
        if any(each.num_rows for each in waiting):
            yield self._joined(waiting)

    def _joined(self, tables: list[pa.Table]) -> pa.Table:
        """One table; its columns in one form where the files store them in several, such as dictionaries."""
        try:
            return pa.concat_tables(
                (pa.table({name: plain(each[name]) for name in each.column_names}) for each in tables),
                promote_options="permissive",
            )
        except pa.ArrowException as error:
            raise WorldError(
                f"{self.path} and the files after it do not hold one table: {str(error).splitlines()[0]}", _REMAKE
            ) from error

    def _tables(self, columns: list[str], batch_rows: int, skip: int) -> Iterator[pa.Table]:
        for file in self.files:
            groups, passed = file.groups_after(skip)
            skip -= passed
            for table in file.tables(columns, batch_rows, groups):
                taken = min(skip, table.num_rows)
                skip -= taken
                if table.num_rows > taken:
                    yield table.slice(taken)

    def count(self) -> int | None:
        """Return the number of rows where the files say it (Parquet), else None."""
        counts = [file.count() for file in self.files]
        return None if None in counts else sum(count or 0 for count in counts)

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


class _File:
    """One file of a table."""

    def __init__(self, path: Path, types: Mapping[str, str]) -> None:
        self.path = path
        self._is_csv = ".csv" in path.suffixes
        self._types = {name: _CSV_TYPES[kind] for name, kind in types.items()}
        with self._readable():
            self.columns = self._csv(None).schema.names if self._is_csv else pq.read_schema(path).names

    def groups_after(self, skip: int) -> tuple[list[int], int]:
        """The row groups that do not end within the first `skip` rows, and how many rows are in those that do."""
        if self._is_csv:
            return [], 0
        metadata = pq.read_metadata(self.path)
        groups, passed = list(range(metadata.num_row_groups)), 0
        while groups and passed + (rows := metadata.row_group(groups[0]).num_rows) <= skip:
            passed += rows
            groups.pop(0)
        return groups, passed

    def tables(self, columns: list[str], batch_rows: int, groups: list[int]) -> Iterator[pa.Table]:
        """Yield the rows: of the row groups of a Parquet file, all of a CSV file."""
        if lacks := [name for name in columns if name not in self.columns]:
            raise WorldError(f"{self.path} has no column `{lacks[0]}`", f"its columns are {', '.join(self.columns)}")
        with self._readable():
            if self._is_csv:
                for batch in self._csv(columns):
                    table = pa.Table.from_batches([batch])
                    for start in range(0, table.num_rows, batch_rows):
                        yield table.slice(start, batch_rows)
                return
            with pq.ParquetFile(self.path, pre_buffer=False) as file:
                for batch in file.iter_batches(batch_size=batch_rows, row_groups=groups, columns=columns):
                    yield pa.Table.from_batches([batch]).select(columns)

    def count(self) -> int | None:
        return None if self._is_csv else int(pq.read_metadata(self.path).num_rows)

    def _csv(self, columns: list[str] | None) -> pacsv.CSVStreamingReader:
        # As DuckDB and pandas read it: nothing between two commas is a missing value, also of a string.
        convert = pacsv.ConvertOptions(
            column_types=self._types,
            include_columns=columns,
            null_values=[""],
            strings_can_be_null=True,
        )
        return pacsv.open_csv(self.path, convert_options=convert)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise WorldError(f"{self.path} is not there", _REMAKE) from error
        except (OSError, pa.ArrowException) as error:
            raise WorldError(f"{self.path} cannot be read: {str(error).splitlines()[0]}", _REMAKE) from error
