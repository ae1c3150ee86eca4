"""Tables that come as a stream of Arrow batches: of PostgreSQL and SQLite, of Delta Lake and Apache Iceberg."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mlci.edges.sources.where import Kind, named_table
from mlci.errors import WorldError
from mlci.nouns.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_AT_A_TIME = 65_536
_AFFINITIES = (("INT", "int64"), ("CHAR", "string"), ("CLOB", "string"), ("TEXT", "string"), ("REAL", "float64"))
_MORE = (("FLOA", "float64"), ("DOUB", "float64"), ("NUM", "float64"), ("DEC", "float64"), ("BOOL", "int64"))


@contextmanager
def arrow_rows(root: Path, path: str, kind: Kind) -> Iterator[Any]:
    """A reader of a table's Arrow batches, which is open while the block runs.

    Raises:
        WorldError: The table can't be read, or the packages for it are not installed.
    """
    try:
        match kind:
            case "postgres":
                yield from _postgres(path)
            case "sqlite":
                yield from _sqlite(root, path)
            case "delta":
                yield from _delta(root / path)
            case _:
                yield from _iceberg(root / path)
    except ImportError as error:
        raise WorldError(
            f"{path}: tables of this kind need packages that are not installed: {error}",
            "Install them with `pip install 'mlci[remote]'`.",
        ) from error


def _postgres(path: str) -> Iterator[Any]:
    from adbc_driver_manager import Error  # noqa: PLC0415 - only who reads such tables has it
    from adbc_driver_postgresql import dbapi  # noqa: PLC0415

    database, table = named_table(path)
    name = ".".join(identifier(part) for part in table.split("."))
    try:
        with dbapi.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT {_columns(cursor, name)} FROM {name}")
            yield cursor.fetch_record_batch()
    except Error as error:
        said = str(error).strip().splitlines()[0]
        raise WorldError(
            f"{path} can't be read: {said}",
            "Check the server, the user, the password (PGPASSWORD or ~/.pgpass) and the table's name.",
        ) from error


def _columns(cursor: Any, name: str) -> str:  # noqa: ANN401 - the driver's
    """The table's columns; exact numbers as floats, because the driver would give them as text."""
    cursor.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        f" WHERE attrelid = {literal(name)}::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    shown = []
    for column, kind in cursor.fetchall():
        quoted = identifier(column)
        if kind.startswith("numeric"):
            quoted = f"{quoted}::float8 AS {quoted}"
        elif kind in _TEXTS:
            quoted = f"{quoted}::text AS {quoted}"
        shown.append(quoted)
    return ", ".join(shown)


_TEXTS = {"uuid", "json", "jsonb", "inet", "name", "citext"}


def _sqlite(root: Path, path: str) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415 - slow to load

    database, table = named_table(path)
    parts = urlsplit(database)
    file = root / unquote((parts.netloc + parts.path).removeprefix("/"))
    if not file.is_file():
        raise WorldError(f"{path}: there is no database {file}", "Correct the path: `sqlite:///data/app.db#table`.")
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, check_same_thread=False)) as connection:
            named = connection.execute(f"PRAGMA table_info({identifier(table)})").fetchall()
            if not named:
                raise WorldError(f"{path}: there is no table {table} in {file.name}", "Correct the name after `#`.")
            schema = pa.schema([(row[1], getattr(pa, _affinity(str(row[2])))()) for row in named])
            cursor = connection.execute(f"SELECT * FROM {identifier(table)}")
            yield pa.RecordBatchReader.from_batches(schema, _batches(cursor, schema, path))
    except sqlite3.Error as error:
        raise WorldError(f"{path} can't be read: {error}", "Check the database's file and the table's name.") from error


def _affinity(declared: str) -> str:
    """The Arrow type of a declared one, by SQLite's own rules; dates and times are texts there."""
    return next((kind for word, kind in (*_AFFINITIES, *_MORE) if word in declared.upper()), "string")


def _batches(cursor: sqlite3.Cursor, schema: Any, path: str) -> Iterator[Any]:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa  # noqa: PLC0415

    while page := cursor.fetchmany(_AT_A_TIME):
        columns = zip(*page, strict=True)
        try:
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        except pa.ArrowException as error:
            raise WorldError(
                f"{path} holds values that are not of their column's declared type: {error}",
                "SQLite allows that, mlci does not: repair the values, or declare the column as TEXT.",
            ) from error
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _delta(folder: Path) -> Iterator[Any]:
    from deltalake import DeltaTable  # noqa: PLC0415 - only who reads such tables has it
    from deltalake.exceptions import DeltaError  # noqa: PLC0415

    try:
        yield DeltaTable(folder).to_pyarrow_dataset().scanner().to_reader()
    except DeltaError as error:
        raise WorldError(f"{folder.name} can't be read as a Delta table: {error}", "Repair the table's log.") from error


def _iceberg(folder: Path) -> Iterator[Any]:
    from pyiceberg.exceptions import NoSuchTableError, ValidationError  # noqa: PLC0415
    from pyiceberg.table import StaticTable  # noqa: PLC0415 - only who reads such tables has it

    try:
        yield StaticTable.from_metadata(str(newest_metadata(folder))).scan().to_arrow_batch_reader()
    except (NoSuchTableError, ValidationError, ValueError, OSError) as error:
        mend = "Check that the table's files are all there (`dvc pull`)."
        raise WorldError(f"{folder.name} can't be read as an Iceberg table: {error}", mend) from error


def newest_metadata(folder: Path) -> Path:
    """The metadata file of the newest version: what `version-hint.text` names, else the last written."""
    hint = folder / "metadata" / "version-hint.text"
    if hint.is_file():
        version = hint.read_text(encoding="utf-8").strip()
        for name in (f"v{version}.metadata.json", f"{version}.metadata.json", version):
            if (folder / "metadata" / name).is_file():
                return folder / "metadata" / name
    return max((folder / "metadata").glob("*.metadata.json"))
