"""The statistics of a reference: computed once, kept in a file."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from mlci.edges.duck import session
from mlci.edges.duck_reference import cached_reference, read_reference, write_reference
from mlci.edges.tables import find_table
from mlci.errors import WorldError
from mlci.flows.data_engine import opened
from mlci.measure.data.bins import edges_of, lost
from mlci.measure.data.drift_sql import bin_counts, kind_of_drift
from mlci.measure.data.reference_sql import counts_sql, distinct_sql, names_sql, values_sql
from mlci.nouns.engine import Engine
from mlci.nouns.reference import CategoricalReference, NumericReference, ReferenceStatistics

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.edges.tables import TableFiles
    from mlci.flows.data_engine import OpenTable

CACHE = ".cache/mlci"
MOST_NAMES = 10_000
_VIEW = "the reference"
_BYTES_A_VALUE = 40
"""What a value costs while its column is sorted."""


def reference_statistics(root: Path, path: str, engine: Engine) -> ReferenceStatistics:
    """The statistics behind `drift.reference`: stored ones, or those of a table, computed on first use.

    Args:
        root: Folder that the path starts from; the cache is below it.
        path: A JSON file with statistics, or a table.
        engine: Memory limit and threads.

    Raises:
        WorldError: There is no such file, or it can't be read.
    """
    if path.endswith(".json"):
        return read_reference(root / path, path)
    files = find_table(root, path)
    kept_in, kept = cached_reference(root / CACHE, files)
    if kept is not None:
        return kept
    statistics = _computed(files, engine)
    with suppress(WorldError):  # a cache that can't be written costs time, nothing else
        write_reference(statistics, kept_in)
    return statistics


def store_reference(root: Path, path: str, out: Path, engine: Engine | None = None) -> ReferenceStatistics:
    """Compute a table's statistics and keep them in a file that `drift.reference` can name.

    Args:
        root: Folder that the path starts from.
        path: The table.
        out: The file, which ends with `.json`.
        engine: Memory limit and threads.

    Raises:
        WorldError: The table can't be read, or the file can't be written.
    """
    statistics = _computed(find_table(root, path), engine or Engine())
    write_reference(statistics, out)
    return statistics


def _computed(files: TableFiles, engine: Engine) -> ReferenceStatistics:
    with session(engine, reads=files.reads) as connection:
        table = opened(connection, files, _VIEW, engine.memory)
        columns: dict[str, NumericReference | CategoricalReference] = {}
        for name in table.schema.columns:
            kind = kind_of_drift(name, table.schema)
            if kind == "numeric":
                columns[name] = _numeric(table, name)
            elif kind == "categorical":
                columns[name] = _categorical(table, name)
        return ReferenceStatistics(source=files.path, rows=table.rows, columns=columns)


def _numeric(table: OpenTable, name: str) -> NumericReference:
    schema, total = table.schema, table.rows
    most = max(table.memory // _BYTES_A_VALUE, 100_000)
    sampled = total > most
    values = np.sort(table.engine.numbers(values_sql(name, schema, most if sampled else None)))
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return NumericReference(rows=0, missing=total, edges=(), counts=(0,), error=1.0, mean=0.0, std=0.0)
    edges = edges_of(finite)
    listed = tuple(float(edge) for edge in edges)
    if sampled:
        # Edges may come from a sample where a column does not fit the memory; their counts are of all rows.
        counts = bin_counts(listed, table.engine.rows(counts_sql(name, listed, schema))[0][0])
    else:
        counts = np.diff(np.searchsorted(values, edges, side="right"), prepend=0, append=len(values))
    rows = int(counts.sum())
    return NumericReference(
        rows=rows,
        missing=total - rows,
        edges=listed,
        counts=tuple(int(count) for count in counts),
        error=lost(edges, counts),
        mean=float(f"{finite.mean():.12g}"),
        std=float(f"{finite.std():.12g}"),
    )


def _categorical(table: OpenTable, name: str) -> CategoricalReference:
    schema = table.schema
    rows, distinct = table.engine.rows(distinct_sql(name, schema))[0]
    named: list[tuple[str, int]] = []
    if distinct <= 2 * MOST_NAMES:
        found = table.engine.rows(names_sql(name, schema))
        named, distinct = [(str(row[0]), int(row[1])) for row in found[:MOST_NAMES]], len(found)
    return CategoricalReference(
        rows=int(rows),
        missing=table.rows - int(rows),
        names=tuple(value for value, _ in named),
        counts=tuple(count for _, count in named),
        distinct=int(distinct),
    )
