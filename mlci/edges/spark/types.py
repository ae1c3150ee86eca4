"""Spark's types, named as DuckDB names them, so that a finding reads the same whichever engine measured."""

from __future__ import annotations

_NAMES = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
}
OTHER = "VARCHAR[]"
"""What stands for nested and binary values, of which only the missing ones are counted."""


def type_name(spark: str) -> str:
    """DuckDB's name of a type.

    >>> type_name("decimal(10,2)"), type_name("timestamp_ntz"), type_name("map<string,int>")
    ('DECIMAL(10,2)', 'TIMESTAMP', 'VARCHAR[]')
    """
    if spark.startswith("decimal"):
        return spark.upper()
    return "VARCHAR" if spark.startswith(("varchar", "char")) else _NAMES.get(spark, OTHER)
