"""The tables of a comparison, opened for the judge: read by DuckDB, or joined by Spark first."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlci.edges.aligned import HERE, Aligned
from mlci.edges.duck import session
from mlci.edges.duck_tree import columns_named
from mlci.edges.scratch import scratch
from mlci.edges.tables import TableFiles, find_table, open_table
from mlci.errors import WorldError
from mlci.nouns.sql import identifier, literal
from mlci.nouns.table_schema import TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import duckdb

    from mlci.edges.aligned import SideName
    from mlci.nouns.policy import Gate, Model, PolicyFile


@dataclass(frozen=True)
class Sources:
    """Open tables.

    Attributes:
        connection: The session that they are open in.
        new: The candidate's predictions.
        old: The baseline's.
        test: The test table.
        aligned: All of them in one, where they are joined already.
    """

    connection: duckdb.DuckDBPyConnection
    new: TableSchema
    old: TableSchema | None
    test: TableSchema | None
    aligned: Aligned | None = None


@contextmanager
def open_sources(root: Path, policy: PolicyFile, gate: Gate, model: Model, old: Path | None) -> Iterator[Sources]:
    """Open the tables of a gate.

    Args:
        root: Folder of the project.
        policy: Its engine reads the tables.
        gate: Names the candidate's predictions and the test table.
        model: Names the columns.
        old: The baseline's predictions, if there are any.

    Raises:
        WorldError: A table can't be read.
    """
    if policy.policy.engine.name == "spark":
        with _in_spark(root, policy, gate, model, old) as found:
            yield found
        return
    new_files, test_files = find_table(root, gate.predictions), _test_files(root, gate)
    old_files = find_table(old.parent, old.name) if old is not None else None
    reads = [path for files in (new_files, test_files, old_files) if files is not None for path in files.reads]
    with session(policy.policy.engine, reads=reads) as connection:
        new = open_table(connection, new_files, "new file")
        earlier = open_table(connection, old_files, "old file") if old_files is not None else None
        test = open_table(connection, test_files, "test file") if test_files is not None else None
        yield Sources(connection, new, earlier, test)


def _test_files(root: Path, gate: Gate) -> TableFiles | None:
    """The test table; it may be absent where nothing asks for its columns."""
    try:
        return find_table(root, gate.test)
    except WorldError:
        if _asks_for_columns(gate):
            raise
        return None


def _asks_for_columns(gate: Gate) -> bool:
    return bool(gate.slices.named or gate.slices.by or gate.slices.bins or gate.group or gate.weak or gate.fairness)


@contextmanager
def _in_spark(root: Path, policy: PolicyFile, gate: Gate, model: Model, old: Path | None) -> Iterator[Sources]:
    """Let Spark read and join the tables, and open what comes of it."""
    from mlci.edges.spark.session import spark_session  # noqa: PLC0415 - only who measures with Spark has it

    engine = policy.policy.engine
    with scratch("spark") as folder:
        file = folder / "aligned.parquet"
        with spark_session(engine) as spark:
            from mlci.edges.spark.align import Side, align  # noqa: PLC0415
            from mlci.edges.spark.open import is_name, open_in_spark  # noqa: PLC0415
            from mlci.edges.spark.texts import in_parquet  # noqa: PLC0415

            places: dict[SideName, tuple[Path, str]] = {"new": (root, gate.predictions)}
            if old is not None:
                places["old"] = (old.parent, old.name)
            elsewhere = "://" in gate.test or is_name(root, gate.test)
            if elsewhere or _test_files(root, gate) is not None:
                places["test"] = (root, gate.test)
            schemas, columns, sides = {}, {}, []
            convert = in_parquet(engine, folder, widen=False)
            for side, (base, path) in places.items():
                schema = open_in_spark(spark, base, path, f"{side} file", convert)
                needed = _of_test(gate, model, schema) if side == "test" else _of_predictions(model, schema)
                names = {name: name if side == "test" else f"{HERE[side]} {i}" for i, name in enumerate(needed)}
                ids = (model.id,) if side == "test" else (model.id, "id")
                id_ = next((name for name in ids if name in schema.columns), None)
                frame = spark.table(f"`{schema.view}`")
                sides.append(Side(HERE[side], frame, id=id_, columns=names, shown=path))
                schemas[side], columns[side] = schema, names
            align(sides, file)
        with session(engine, reads=[file]) as connection:
            aligned = Aligned("aligned", columns)
            connection.execute(f"CREATE VIEW {identifier(aligned.view)} AS FROM read_parquet({literal(str(file))})")
            opened = {side: _view(connection, aligned, side, schema) for side, schema in schemas.items()}
            yield Sources(connection, opened["new"], opened.get("old"), opened.get("test"), aligned)


def _view(connection: duckdb.DuckDBPyConnection, aligned: Aligned, side: SideName, schema: TableSchema) -> TableSchema:
    """One table of those that were joined; the columns that nobody asks for hold nothing."""
    known: Mapping[str, str] = aligned.columns[side]
    columns = ", ".join(
        f"{identifier(known[name])} AS {identifier(name)}"
        if name in known
        else f"CAST(NULL AS {kind}) AS {identifier(name)}"
        for name, kind in schema.columns.items()
    )
    connection.execute(
        f"CREATE VIEW {identifier(schema.view)} AS SELECT {columns} FROM {identifier(aligned.view)} "
        f"WHERE {identifier(HERE[side])}"
    )
    described = connection.execute(f"DESCRIBE {identifier(schema.view)}").fetchall()
    return TableSchema(
        view=schema.view, path=schema.path, format="parquet", columns={name: kind for name, kind, *_ in described}
    )


def _of_predictions(model: Model, schema: TableSchema) -> list[str]:
    wanted = {model.id, "id", model.label, "label", "prediction", "score"}
    return [name for name in schema.columns if name in wanted or name.startswith("score_")]


def _of_test(gate: Gate, model: Model, schema: TableSchema) -> list[str]:
    """The columns of the test table that the gate asks for, in any case of their letters where SQL names them."""
    wanted = {model.id, model.label, gate.group, *gate.slices.bins}
    for columns in gate.slices.by:
        wanted |= {columns} if isinstance(columns, str) else {*columns}
    wanted |= {*(gate.weak.features if gate.weak else ()), *(gate.fairness.groups if gate.fairness else ())}
    said = {name.lower() for item in gate.slices.named.values() for name in columns_named(item.where)}
    return [name for name in schema.columns if name in wanted or name.lower() in said]
