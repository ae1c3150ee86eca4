"""Open a table: Parquet, CSV or JSON lines, one file, a glob or a folder of them, behind a URL or not; or a stream."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import duckdb

from mlci.edges.duck import glob_escaped, world_error
from mlci.edges.sources.arrow import arrow_rows
from mlci.edges.sources.objects import Found, find_objects, let_read
from mlci.edges.sources.where import Kind, kind_of_source
from mlci.errors import WorldError
from mlci.nouns.sql import identifier, literal
from mlci.nouns.table_schema import Format, TableSchema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_FORMATS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
_COMPRESSED = {".gz", ".zst"}


@dataclass(frozen=True)
class TableFiles:
    """The files behind a path or glob.

    Attributes:
        path: As it was written, for messages.
        format: How they are stored; `table` for rows that come from a database or a lake.
        files: Absolute paths, sorted; at least one where they are local.
        objects: What is behind a URL, where they are not.
        partitioned: Whether folders such as `year=2013` hold the values of further columns.
        kind: What the path names.
        root: Folder that it starts from.
    """

    path: str
    format: Format
    files: tuple[Path, ...] = ()
    objects: tuple[Found, ...] = ()
    partitioned: bool = False
    kind: Kind = "files"
    root: Path = Path()

    @property
    def reads(self) -> tuple[Path | str, ...]:
        """What a session must be let read for it."""
        return (*self.files, *(each.url for each in self.objects))

    @property
    def stamps(self) -> tuple[str, ...]:
        """What changes when the table does; nothing where that can't be told without reading it."""
        local = [f"{file}\0{file.stat().st_size}\0{file.stat().st_mtime_ns}" for file in self.files]
        return (*local, *(f"{each.url}\0{each.version}" for each in self.objects))

    @property
    def listed(self) -> str:
        """The files as a list in SQL."""
        names = [*map(glob_escaped, self.files), *(each.url for each in self.objects)]
        return "[" + ", ".join(map(literal, names)) + "]"


def find_table(root: Path, path: str) -> TableFiles:
    """The files of a table, looked at from the outside only.

    Args:
        root: Folder that a relative path starts from.
        path: One file, a glob such as `data/flights-*.parquet`, a folder of files or of partitions, a Delta or Iceberg
            table's folder, a URL, or a table of a database.

    Raises:
        WorldError: There is no such file, it is empty or unreadable, or its kind is unknown.
    """
    kind = kind_of_source(root, path)
    if kind not in {"files", "objects"}:
        return TableFiles(path, "table", kind=kind, root=root)
    if kind == "objects":
        objects = find_objects(path)
        return TableFiles(path, _only_format([urlsplit(each.url).path for each in objects], path), objects=objects)
    exact = root / path
    folder = exact.is_dir()
    files = _inside(exact, path) if folder else [exact] if exact.exists() else _matches(root, path)
    for file in files:
        _readable(file, path)
    partitioned = folder and any("=" in part for file in files for part in file.relative_to(exact).parts[:-1])
    form = _only_format([file.name for file in files], path)
    return TableFiles(path, form, tuple(file.resolve() for file in files), partitioned=partitioned, root=root)


def _only_format(names: Iterable[str], path: str) -> Format:
    formats = {_format(Path(name)) for name in names}
    if len(formats) != 1 or None in formats:
        endings = ", ".join(_FORMATS)
        raise WorldError(
            f"{path} is no kind of table that can be read", f"Use one kind of file of {endings} (.gz, .zst)."
        )
    return next(item for item in formats if item)


def _inside(folder: Path, path: str) -> list[Path]:
    """The tables below a folder; what begins with `.` or `_` is somebody's note."""
    found = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and _format(file) is not None
        and not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    ]
    if not found:
        raise WorldError(f"{path} is a folder without a table", "Name a file, or a glob such as `data/*.parquet`.")
    return found


def _matches(root: Path, path: str) -> list[Path]:
    if any(char in path for char in "*?["):
        if files := sorted(match for match in _glob(root, path) if match.is_file()):
            return files
        raise WorldError(
            f"no file matches {path}", "Correct the glob, or make the files with `dvc pull` or `dvc repro`."
        )
    raise WorldError(f"{path} does not exist", "Correct the path, or make the file with `dvc pull` or `dvc repro`.")


def _glob(root: Path, path: str) -> Iterable[Path]:
    absolute = Path(path)
    if not absolute.is_absolute():
        return root.glob(path)
    return Path(absolute.anchor).glob(str(absolute.relative_to(absolute.anchor)))


def _readable(file: Path, path: str) -> None:
    try:
        with file.open("rb") as stream:
            if not stream.read(1):
                raise WorldError(f"{path} is an empty file ({file.name})", "Write the file again, or `dvc pull` it.")
    except OSError as error:
        raise WorldError(f"{path} can't be read: {error.strerror}", "Check the file and its permissions.") from error


def _format(file: Path) -> Format | None:
    name = file.with_suffix("") if file.suffix.lower() in _COMPRESSED else file
    return _FORMATS.get(name.suffix.lower())


def open_table(
    connection: duckdb.DuckDBPyConnection,
    table: TableFiles,
    view: str,
    *,
    texts: Collection[str] = (),
    whole: bool = False,
) -> TableSchema:
    """Give the table a name in the session, without reading its rows.

    Args:
        connection: The session.
        table: From `find_table`.
        view: Name to read it by; quoted here, so it can be any text.
        texts: Columns of a CSV file that hold text even where they look like numbers, such as ids with leading zeros.
        whole: Whether the types of a CSV or JSON file are taken from all of its rows rather than from the first ones.

    Raises:
        WorldError: The file is truncated, corrupt or no such table.
    """
    if table.format == "table":
        return _streamed(connection, table, view)
    if table.objects:
        let_read(connection, table.path)
    schema = _bind(connection, table, view, _scan(table, whole=whole))
    delimiter = _delimiter(schema)
    if delimiter:
        schema = _bind(connection, table, view, _scan(table, whole=whole, delimiter=delimiter))
    typed = [name for name in texts if name in schema.columns and schema.kind(name) != "string"]
    if not typed or table.format != "csv":
        return schema
    return _bind(connection, table, view, _scan(table, texts=typed, whole=whole, delimiter=delimiter))


def _streamed(connection: duckdb.DuckDBPyConnection, table: TableFiles, view: str) -> TableSchema:
    """Keep the rows of a database's or a lake's table in the session, which spills what does not fit."""
    kept, stream = identifier(f"rows of {view}"), f"stream of {view}"
    with arrow_rows(table.root, table.path, table.kind) as reader:
        connection.register(stream, reader)
        try:
            connection.execute(f"CREATE OR REPLACE TABLE {kept} AS FROM {identifier(stream)}")
        except duckdb.Error as error:
            raise world_error(error, table.path) from error
        finally:
            connection.unregister(stream)
    return _bind(connection, table, view, kept)


def _bind(connection: duckdb.DuckDBPyConnection, table: TableFiles, view: str, scan: str) -> TableSchema:
    try:
        connection.execute(f"CREATE OR REPLACE VIEW {identifier(view)} AS FROM {scan}")
        described = connection.execute(f"DESCRIBE {identifier(view)}").fetchall()
    except duckdb.Error as error:
        raise world_error(error, table.path) from error
    return TableSchema(
        view=view, path=table.path, format=table.format, columns={name: kind for name, kind, *_ in described}
    )


def _delimiter(schema: TableSchema) -> str:
    """What separates the fields where the engine's guess was 'nothing' because the rows are of different lengths."""
    if schema.format != "csv" or len(schema.columns) > 1:
        return ""
    header = next(iter(schema.columns))
    return next((char for char in ",;\t|" if char in header), "")


def _scan(table: TableFiles, *, texts: Collection[str] = (), whole: bool, delimiter: str = "") -> str:
    """The table function that reads the files."""
    hive = f"hive_partitioning = {str(table.partitioned).lower()}"
    if table.format == "parquet":
        return f"read_parquet({table.listed}, {hive})"
    sample = ", sample_size = -1" if whole else ""
    if table.format == "json":
        return f"read_json({table.listed}, {hive}{sample})"
    # Without `header` a file of texts only would lose its names to `column0`.
    typed = "".join(f"{literal(name)}: 'VARCHAR', " for name in texts)
    types = f", types = {{{typed[:-2]}}}" if typed else ""
    delim = f", delim = {literal(delimiter)}" if delimiter else ""
    return f"read_csv({table.listed}, header = true, {hive}{sample}{types}{delim})"


def materialise(
    connection: duckdb.DuckDBPyConnection,
    table: TableFiles,
    schema: TableSchema,
    *,
    texts: Collection[str] = (),
    columns: Collection[str] | None = None,
) -> TableSchema:
    """Parse a CSV or JSON file once, so that further queries don't parse it again; a Parquet file stays as it is.

    A value that doesn't fit the type that the first rows suggested widens the type, as if all rows had been looked at.

    Args:
        connection: The session.
        table: From `find_table`.
        schema: From `open_table`.
        texts: As for `open_table`.
        columns: Those that are needed, so that the others aren't kept; None for all.

    Raises:
        WorldError: The file can't be parsed.
    """
    if schema.format in {"parquet", "table"}:
        return schema
    try:
        _keep(connection, schema, columns)
    except (duckdb.ConversionException, duckdb.InvalidInputException):
        schema = open_table(connection, table, schema.view, texts=texts, whole=True)
        try:
            _keep(connection, schema, columns)
        except duckdb.Error as error:
            raise world_error(error, table.path) from error
    except duckdb.Error as error:
        raise world_error(error, table.path) from error
    return schema


def _keep(connection: duckdb.DuckDBPyConnection, schema: TableSchema, columns: Collection[str] | None) -> None:
    kept = [identifier(name) for name in schema.columns if columns is None or name in columns]
    rows = identifier(f"rows of {schema.view}")
    connection.execute(
        f"CREATE OR REPLACE TABLE {rows} AS SELECT {', '.join(kept) or '1'} FROM {identifier(schema.view)}"
    )
    connection.execute(f"CREATE OR REPLACE VIEW {identifier(schema.view)} AS FROM {rows}")
