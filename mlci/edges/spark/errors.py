"""What Spark's complaints mean to a user."""

from __future__ import annotations

from pyspark.errors import (
    AnalysisException,
    ArithmeticException,
    ArrayIndexOutOfBoundsException,
    DateTimeException,
    NumberFormatException,
    SparkRuntimeException,
)

from mlci.edges.portable import first_line
from mlci.errors import MlciError, WorldError

OF_THE_DATA = (
    AnalysisException,
    ArithmeticException,
    ArrayIndexOutOfBoundsException,
    DateTimeException,
    NumberFormatException,
    SparkRuntimeException,
)
"""Errors that values or types cause: the one check that meets them is not measured."""
_PLAINER = (
    ("is not a Parquet file", "it is no whole Parquet file, and may be cut off"),
    ("Illegal Parquet type: INT64 (TIMESTAMP(NANOS", "Spark reads no timestamps in nanoseconds"),
    ("OutOfMemoryError", "it needs more memory than Spark has"),
)


def spark_error(error: Exception, path: str) -> MlciError:
    """The error of ours that a failed query is."""
    text = str(error)
    said = next((plain for sign, plain in _PLAINER if sign in text), first_line(error))
    if "NANOS" in text:
        mend = "Write timestamps in microseconds, or measure this table with DuckDB."
    elif "OutOfMemory" in text:
        mend = "Raise `mlci.engine.memory`, or `spark.executor.memory` in `mlci.engine.config`."
    else:
        mend = "Check that Spark's machines reach the table, or write it again."
    return WorldError(f"Spark can't read {path}: {said}", mend)
