"""Open a table in Spark: Parquet files wherever Spark reads them, text files of this machine, or of its catalogue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlci.edges.spark.errors import spark_error
from mlci.edges.spark.types import type_name
from mlci.edges.tables import find_table
from mlci.errors import WorldError
from mlci.nouns.table_schema import TableSchema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from mlci.edges.tables import TableFiles
    from mlci.nouns.table_schema import Format

_TEXT = re.compile(r"\.(csv|tsv|jsonl|ndjson|json)(\.gz|\.zst)?$")
_FILE, _ROW = "mlci file", "mlci row"
"""Columns that tell a row's place; nothing reads them but a statement that sorts by them."""


def open_in_spark(
    session: SparkSession, root: Path, path: str, view: str, convert: Callable[[TableFiles], Path] | None = None
) -> TableSchema:
    """Give the table a name in the session, without reading its rows.

    Args:
        session: The session.
        root: Folder that a relative path starts from.
        path: A file, a glob, a URI that Spark reads (`s3a://`, `hdfs://`, `abfss://`), or a table's name.
        view: Name to read it by.
        convert: Writes a text file of this machine as Parquet.

    Raises:
        WorldError: There is no such table, or Spark does not read it.
    """
    try:
        frame, order = _frame(session, root, path, convert)
        frame.createOrReplaceTempView("`" + view.replace("`", "``") + "`")
        columns = {name: type_name(kind) for name, kind in frame.dtypes if name not in order}
    except WorldError:
        raise
    except Exception as error:
        raise spark_error(error, path) from error
    form: Format = "parquet" if "://" in path or is_name(root, path) else find_table(root, path).format
    return TableSchema(view=view, path=path, format=form, columns=columns, dialect="spark", order=order)


def _frame(
    session: SparkSession, root: Path, path: str, convert: Callable[[TableFiles], Path] | None
) -> tuple[DataFrame, tuple[str, ...]]:
    if is_name(root, path):
        if not session.catalog.tableExists(path):
            raise WorldError(
                f"Spark's catalogue has no table {path}", "Correct the name, or name a file with its ending."
            )
        return session.table(path), ()
    if "://" in path and _TEXT.search(path):
        raise WorldError(
            f"{path} is a text file, and the types that Spark would read from it are not those of DuckDB",
            "Write it as Parquet, which carries its types, or measure this table with DuckDB.",
        )
    uris = [path] if "://" in path else _local(session, root, path, convert)
    from pyspark.sql import functions as F  # noqa: N812, PLC0415 - as everybody calls it; heavy

    frame = session.read.option("recursiveFileLookup", "false").parquet(*uris)
    file, row = F.col("_metadata.file_path").alias(_FILE), F.col("_metadata.row_index").alias(_ROW)
    return frame.select("*", file, row), (_FILE, _ROW)


def is_name(root: Path, path: str) -> bool:
    """Whether this names a table of the catalogue rather than a file."""
    plain = all(part.isidentifier() for part in path.split("."))
    return plain and not (root / path).exists() and not path.endswith((".parquet", ".pq", ".csv", ".json", ".jsonl"))


def _local(session: SparkSession, root: Path, path: str, convert: Callable[[TableFiles], Path] | None) -> list[str]:
    found = find_table(root, path)
    if found.format == "parquet":
        return [f"file://{file}" for file in found.files]
    if found.format == "table":
        raise WorldError(
            f"{path} is read by DuckDB only",
            "Name Parquet files or a table of Spark's catalogue, or measure with DuckDB.",
        )
    if convert is None or not _is_here(session):
        raise WorldError(
            f"{path} is a text file of this machine, which Spark is not told",
            "Write it as Parquet, which carries its types, or measure this table with DuckDB.",
        )
    return [convert(found).as_uri()]


def _is_here(session: SparkSession) -> bool:
    """Whether Spark's processes see the temporary files of this machine."""
    try:
        return str(session.sparkContext.master).startswith("local")
    except Exception:  # noqa: BLE001 - Spark Connect has no context
        return False
