"""Train simple models on the training table, and write what they answer to today's test rows."""

from __future__ import annotations

import difflib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from mlci.edges.duck import session, world_error
from mlci.edges.files import replaced
from mlci.edges.prediction_table import value_sql
from mlci.edges.tables import find_table, open_table
from mlci.errors import WorldError
from mlci.nouns.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from mlci.edges.simple_models import Columns, SimpleModel
    from mlci.nouns.policy import Model, PolicyFile
    from mlci.nouns.simple import SimpleName
    from mlci.nouns.table_schema import TableSchema

MOST_ROWS = 50_000
"""Training rows that a simple model is given: more would not make it less simple."""
MOST_CELLS = 5_000_000
"""Rows times classes that are trained on, or answered, at once."""
BATCH_ROWS = 100_000
RECIPE = "1"
"""Changes whenever the same tables would get other answers."""
_LARGEST = 1e30
"""Larger numbers have no square that could be summed."""
_NUMBERS = {"integer", "float", "decimal", "boolean"}
_TRAINED = b"mlci.trained"


@dataclass(frozen=True)
class Trained:
    """How many rows a simple model was trained on, of how many."""

    rows: int
    of: int


def write_answers(root: Path, policy: PolicyFile, inputs: Sequence[str], wanted: Mapping[SimpleName, Path]) -> None:
    """Train the wanted models and write a predictions table for each.

    Args:
        root: Folder of the project.
        policy: Names the tables, the label, the task and the seed.
        inputs: Columns that the models read.
        wanted: Where each goes.

    Raises:
        WorldError: A table cannot be read, lacks a column, has one that is neither number nor text, or no labelled
            row to train on; or scikit-learn is not installed.
    """
    try:
        from mlci.edges.simple_models import Encoder, SimpleModel  # noqa: PLC0415 - scikit-learn takes a second
    except ImportError as error:
        raise WorldError(
            "simple models are trained with scikit-learn, which is not installed",
            'install it: `pip install "mlci[model]"`',
        ) from error
    model, gate = policy.policy.model, policy.policy.gate
    assert model is not None and gate is not None  # noqa: S101, PT018 - whoever compares has both
    files = find_table(root, gate.train), find_table(root, gate.test)
    with session(policy.policy.engine, reads=[*files[0].reads, *files[1].reads]) as connection:
        train, test = (open_table(connection, each, name) for each, name in zip(files, ("train", "test"), strict=True))
        tables = _Tables(connection, model, train, test, tuple(inputs))
        label, rows, of = tables.training()
        encoder = Encoder(rows)
        matrix = encoder.matrix(rows)
        try:
            fitted = [SimpleModel(name, model.task, matrix, label, gate.seed) for name in wanted]
        except ValueError as error:
            raise WorldError(
                f"a simple model cannot be trained on {gate.train}: {str(error).splitlines()[0]}",
                "see what is odd in its columns, or name other ones in `mlci.gate.inputs`",
            ) from error
        _write(tables, encoder, list(zip(fitted, wanted.values(), strict=True)), Trained(len(label), of))


def read_trained(path: Path) -> Trained:
    """How the answers in a file came about.

    Raises:
        WorldError: The file is none of `write_answers`.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - only where there are simple models

    try:
        rows, of = (pq.read_schema(path).metadata or {})[_TRAINED].split(b"/")
        return Trained(int(rows), int(of))
    except (OSError, KeyError, ValueError) as error:
        raise WorldError(f"{path} cannot be read", "delete the file; it is made again") from error


class _Tables:
    """The training and the test table, read alike."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        model: Model,
        train: TableSchema,
        test: TableSchema,
        inputs: tuple[str, ...],
    ) -> None:
        self.connection, self.model, self.train, self.test = connection, model, train, test
        self.batch_rows = BATCH_ROWS
        for schema, columns in ((train, (model.label, *inputs)), (test, (model.id, *inputs))):
            for column in columns:
                _require(schema, column)
        self.numbers = [name for name in inputs if train.kind(name) in _NUMBERS]
        self.texts = [name for name in inputs if train.kind(name) == "string"]
        odd = next((name for name in inputs if name not in {*self.numbers, *self.texts}), None)
        if odd is not None:
            raise WorldError(
                f"{train.path}: `{odd}` is {train.columns[odd]}, which is neither number nor text",
                "name the columns that simple models may read in `mlci.gate.inputs`",
            )

    def training(self) -> tuple[Any, Columns, int]:
        """Labels, rows and their number before sampling: labelled ones that are no test rows.

        A sample is of the rows whose ids have the smallest digests: the same whatever the order of the rows.
        """
        label, view = value_sql(self.model, self.train, self.model.label), identifier(self.train.view)
        wanted = f"({label}) IS NOT NULL" + (f" AND isfinite({label})" if self.model.task == "regression" else "")
        if self.model.id in self.train.columns:
            key = f"CAST({identifier(self.model.id)} AS VARCHAR)"
            tested = f"SELECT {key} FROM {identifier(self.test.view)} WHERE {identifier(self.model.id)} IS NOT NULL"
            wanted += f" AND ({key} IS NULL OR {key} NOT IN ({tested}))"
        else:
            parts = [identifier(name) for name in (self.model.label, *self.numbers, *self.texts)]
            key = f"concat_ws(',', {', '.join(f'CAST({part} AS VARCHAR)' for part in parts)})"
        of = self._count(f"SELECT count(*) FROM {view} WHERE {wanted}")
        if not of:
            raise WorldError(
                f"{self.train.path} has no row to train a simple model on",
                "it needs labelled rows that are not in the test table; `mlci.gate.train` names another table",
            )
        columns = [f"{label} AS label", *self._columns()]
        rows = self._run(
            f"SELECT {', '.join(columns)} FROM {view} WHERE {wanted} ORDER BY md5({key}), label LIMIT {MOST_ROWS}"
        ).fetchnumpy()
        # In the order of the digests, so that the first ones are as good a sample.
        most = self._most(rows["label"])
        rows = {name: values[:most] for name, values in rows.items()}
        return np.ma.getdata(rows["label"]), self._as_columns(rows), of

    def _most(self, label: Any) -> int:  # noqa: ANN401 - arrays of three kinds
        """How many rows are taken at once, where there are many classes."""
        if self.model.task != "multiclass":
            return MOST_ROWS
        classes = len(set(np.ma.getdata(label)))
        self.batch_rows = max(1, min(BATCH_ROWS, MOST_CELLS // classes))
        return min(MOST_ROWS, self.batch_rows)

    def testing(self) -> Iterator[tuple[NDArray[np.object_], Columns]]:
        """Ids and rows of the test table, in batches of about `batch_rows`."""
        view, key = identifier(self.test.view), f"CAST({identifier(self.model.id)} AS VARCHAR)"
        columns = [f"{key} AS id", *self._columns()]
        batches = -(-self._count(f"SELECT count(*) FROM {view}") // self.batch_rows)
        for batch in range(batches):
            part = f"hash({key}) % {batches} = {batch}"
            rows = self._run(f"SELECT {', '.join(columns)} FROM {view} WHERE {part}").fetchnumpy()
            if len(rows["id"]):
                yield np.ma.getdata(rows["id"]), self._as_columns(rows)

    def _columns(self) -> list[str]:
        numbers = [f"TRY_CAST({identifier(name)} AS DOUBLE) AS n{i}" for i, name in enumerate(self.numbers)]
        texts = [f"coalesce(CAST({identifier(name)} AS VARCHAR), '') AS t{i}" for i, name in enumerate(self.texts)]
        return [*numbers, *texts]

    def _as_columns(self, rows: dict[str, Any]) -> Columns:
        from mlci.edges.simple_models import Columns  # noqa: PLC0415 - see `write_answers`

        size = len(next(iter(rows.values())))
        numbers, texts = np.empty((size, len(self.numbers))), np.empty((size, len(self.texts)), dtype=object)
        for i in range(len(self.numbers)):
            numbers[:, i] = np.ma.filled(rows[f"n{i}"].astype(np.float64), np.nan)
        for i in range(len(self.texts)):
            texts[:, i] = np.ma.getdata(rows[f"t{i}"])
        numbers[~np.isfinite(numbers)] = np.nan
        np.clip(numbers, -_LARGEST, _LARGEST, out=numbers)
        return Columns(numbers, texts)

    def _count(self, query: str) -> int:
        found = self._run(query).fetchone()
        return int(found[0]) if found is not None else 0

    def _run(self, query: str) -> duckdb.DuckDBPyConnection:
        try:
            return self.connection.execute(query)
        except duckdb.Error as error:
            raise world_error(error, self.train.path) from error


def _require(schema: TableSchema, column: str) -> None:
    if column in schema.columns:
        return
    close = difflib.get_close_matches(column, schema.columns, n=1, cutoff=0.5)
    raise WorldError(
        f"{schema.path} has no column `{column}`" + (f"; did you mean `{close[0]}`?" if close else ""),
        "correct `mlci.gate.inputs`, or name another table in `mlci.gate.train`",
    )


def _write(tables: _Tables, encoder: Any, fitted: list[tuple[SimpleModel, Path]], known: Trained) -> None:  # noqa: ANN401 - its class is imported late
    """One table for each model, whole or not at all."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    with ExitStack() as stack:
        places = [stack.enter_context(replaced(path)) for _, path in fitted]
        writers: list[pq.ParquetWriter] = []
        for ids, rows in tables.testing():
            matrix = encoder.matrix(rows)
            parts = [_table(ids, model, matrix) for model, _ in fitted]
            if not writers:
                told = {_TRAINED: f"{known.rows}/{known.of}".encode()}
                writers = [
                    stack.enter_context(pq.ParquetWriter(place, part.schema.with_metadata(told), compression="zstd"))
                    for place, part in zip(places, parts, strict=True)
                ]
            for writer, part in zip(writers, parts, strict=True):
                writer.write_table(part.replace_schema_metadata(writer.schema.metadata))
        if not writers:
            raise WorldError(f"{tables.test.path} has no rows", "see the stage that writes it")


def _table(ids: NDArray[np.object_], model: SimpleModel, rows: Any) -> pa.Table:  # noqa: ANN401 - scipy's matrices have no one type
    """A predictions table; its labels are empty, because those of the candidate's table count."""
    import pyarrow as pa  # noqa: PLC0415

    said = model.answer(rows)
    columns: dict[str, Any] = {"id": pa.array(ids, pa.string())}
    if model.task == "binary":
        columns["label"] = pa.nulls(len(ids), pa.bool_())
        at = model.classes.index(True) if True in model.classes else None
        columns["score"] = pa.array(
            said.score[:, at] if said.score is not None and at is not None else np.zeros(len(ids))
        )
    elif model.task == "multiclass":
        columns["label"] = pa.nulls(len(ids), pa.string())
        columns["prediction"] = pa.array(said.prediction, pa.string())
        for at, name in enumerate(model.classes):
            columns[f"score_{name}"] = pa.array(said.score[:, at] if said.score is not None else [])
    else:
        columns["label"] = pa.nulls(len(ids), pa.float64())
        columns["prediction"] = pa.array(said.prediction)
    return pa.table(columns)
