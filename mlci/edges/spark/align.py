"""Predictions and test rows joined by Spark, and their rows brought here some at a time."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import functions as F  # noqa: N812 - as everybody calls it
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.window import Window
from pyspark.storagelevel import StorageLevel

from mlci.edges.spark.errors import spark_error
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame

_KEY, _NTH = "mlci key", "mlci nth"
_ROWS_OF_A_PART = 250_000
"""The rows that are in this process's and in Java's memory at a time."""
_AS_TEXT = ("tinyint", "smallint", "int", "bigint", "string", "varchar", "char", "boolean", "decimal")
"""Types whose values both engines write as the same texts, so that tables may differ in them."""


class Side:
    """One table that is joined.

    Attributes:
        flag: Name of the column that tells whether a row has one of this table.
        frame: The table.
        id: Its column that names a row; None where it has none.
        columns: The columns that are needed, each with its name in the joined table.
        shown: What messages call it.
    """

    def __init__(
        self,
        flag: str,
        frame: DataFrame,
        *,
        id: str | None,  # noqa: A002 - the policy's word
        columns: Mapping[str, str],
        shown: str,
    ) -> None:
        self.flag = flag
        self.frame = frame
        self.id = id
        self.columns = columns
        self.shown = shown

    @property
    def kind(self) -> str:
        """Spark's type of the id."""
        return dict(self.frame.dtypes).get(self.id or "", "string")

    def rows(self, parts: int) -> DataFrame:
        """The needed columns, the id as a text, and which of the rows with this id it is: ids may come twice."""
        kept = [_column(name).alias(alias) for name, alias in self.columns.items()]
        key = _column(self.id).cast("string") if self.id is not None else F.lit(None).cast("string")
        # A table without ids is refused for it; nothing of it needs to be read.
        frame = self.frame if self.id is not None else self.frame.limit(0)
        found = frame.select(key.alias(_KEY), F.lit(True).alias(self.flag), *kept).repartition(parts, _column(_KEY))  # noqa: FBT003 - a value, no switch
        nth = F.row_number().over(Window.partitionBy(_column(_KEY)).orderBy(F.lit(1)))
        return found.withColumn(_NTH, nth)


def align(sides: Sequence[Side], file: Path) -> None:
    """Write a Parquet file with every row of every table once, those of the same id side by side.

    The n-th row with an id stands beside the n-th row with it of the other tables, so that whoever reads the file
    finds the ids that come twice. Spark joins; what comes here is written to the disk part by part.

    Args:
        sides: The tables.
        file: To be written.

    Raises:
        WorldError: The ids are of types that can't be compared, or Spark can't read a table.
    """
    _comparable(sides)
    shown = ", ".join(side.shown for side in sides)
    try:
        most = max(side.frame.count() for side in sides)
        parts = -(-most // _ROWS_OF_A_PART) or 1
        joined = reduce(_joined, [side.rows(parts) for side in sides])
        wanted = joined.drop(_KEY, _NTH)
        schema = to_arrow_schema(wanted.schema)
        packed = wanted.mapInArrow(_packer(), "rows BINARY").persist(StorageLevel.DISK_ONLY)
        try:
            # All parts at once, which the iterator asks for one by one.
            packed.count()
            _write((bytes(row[0]) for row in packed.toLocalIterator()), schema, file)
        finally:
            packed.unpersist()
    except Exception as error:
        raise spark_error(error, shown) from error


def _joined(one: DataFrame, other: DataFrame) -> DataFrame:
    return one.join(other, [_KEY, _NTH], "full")


def _column(name: str) -> Any:  # noqa: ANN401 - pyspark's types are loose
    return F.col("`" + name.replace("`", "``") + "`")


def _comparable(sides: Sequence[Side]) -> None:
    """Ids of several types are compared as texts, which must be the texts that DuckDB makes of them."""
    kinds = {side.kind for side in sides if side.id is not None}
    odd = sorted(kind for kind in kinds if kind.partition("(")[0] not in _AS_TEXT)
    if odd and len(kinds) > 1:
        told = ", ".join(f"{side.kind} in {side.shown}" for side in sides if side.id is not None)
        raise WorldError(
            f"Spark can't compare ids of different types as DuckDB does: {told}",
            "Write the ids of all tables with one type, as texts or whole numbers, or measure with DuckDB"
            " (`mlci.engine`).",
        )


def _packer() -> Callable[[Iterable[Any]], Iterable[Any]]:
    """What packs a batch into one value; it imports nothing of ours, which Spark's machines need not have."""

    def pack(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa  # noqa: PLC0415 - on another machine

        options = pa.ipc.IpcWriteOptions(compression="lz4")
        for batch in batches:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
                writer.write_batch(batch)
            values = pa.array([sink.getvalue().to_pybytes()], pa.binary())
            yield pa.RecordBatch.from_arrays([values], names=["rows"])

    return pack


def _write(packed: Iterable[bytes], schema: pa.Schema, file: Path) -> None:
    with pq.ParquetWriter(file, schema) as writer:
        for content in packed:
            with pa.ipc.open_stream(content) as reader:
                writer.write_table(reader.read_all().cast(schema))
