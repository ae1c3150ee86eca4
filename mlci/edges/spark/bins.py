"""Count values in bins where they lie: one small table of counts leaves each partition."""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING, Any

from mlci.edges.spark.errors import spark_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyspark.sql import SparkSession

    from mlci.nouns.query import Binned

_MISSING = -1
_SHAPE = "item INT, place INT, n BIGINT"


def count_in_bins(
    session: SparkSession, sql: str, bins: Sequence[Binned], path: str
) -> list[tuple[dict[float, int], int]]:
    """For every column of a statement, the count of each bin by its upper edge or place, and the rows without a value.

    Raises:
        WorldError: Spark can't read the table.
    """
    work = _counter([(each.edges, each.names) for each in bins])
    try:
        found = session.sql(sql).mapInArrow(work, _SHAPE).groupBy("item", "place").sum("n").collect()
    except Exception as error:
        raise spark_error(error, path) from error
    counts: list[dict[float, int]] = [defaultdict(int) for _ in bins]
    missing = [0] * len(bins)
    for item, place, n in found:
        if place == _MISSING:
            missing[item] = n
            continue
        edges = bins[item].edges
        key = place if edges is None else edges[place] if place < len(edges) else inf
        counts[item][key] += n
    return [(dict(seen), lacking) for seen, lacking in zip(counts, missing, strict=True)]


def _counter(
    bins: Sequence[tuple[tuple[float, ...] | None, tuple[str, ...]]],
) -> Callable[[Iterable[Any]], Iterable[Any]]:
    """What each partition runs; it imports nothing of ours, which Spark's machines need not have."""

    def count(batches: Iterable[Any]) -> Iterator[Any]:
        import numpy as np  # noqa: PLC0415 - on another machine
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.compute as pc  # noqa: PLC0415

        sizes = [len(names) + 1 if edges is None else len(edges) + 1 for edges, names in bins]
        counts = [np.zeros(size, dtype=np.int64) for size in sizes]
        missing = [0] * len(bins)
        for batch in batches:
            for item, (edges, names) in enumerate(bins):
                column = batch.column(item)
                held = column.drop_null()
                if edges is None:
                    missing[item] += column.null_count
                    places = pc.index_in(held, value_set=pa.array(names, pa.string()))
                    at = pc.add(pc.fill_null(places, -1), 1).to_numpy(zero_copy_only=False)
                else:
                    values = held.to_numpy(zero_copy_only=False)
                    values = values[~np.isnan(values)]
                    missing[item] += batch.num_rows - len(values)
                    at = np.searchsorted(np.asarray(edges), values, side="left")
                counts[item] += np.bincount(at, minlength=sizes[item])
        found = [(item, -1, n) for item, n in enumerate(missing) if n]
        found += [
            (item, int(place), int(counts[item][place]))
            for item in range(len(bins))
            for place in np.flatnonzero(counts[item])
        ]
        items, places, numbers = zip(*found, strict=True) if found else ((), (), ())
        kinds = (pa.int32(), pa.int32(), pa.int64())
        arrays = [pa.array(values, kind) for values, kind in zip((items, places, numbers), kinds, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, names=["item", "place", "n"])

    return count
