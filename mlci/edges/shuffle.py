"""Shuffle the labels of a training table, in place; everything else of it stays as it is."""

from __future__ import annotations

import csv
import difflib
import io
from typing import TYPE_CHECKING

import numpy as np

from mlci.edges.files import replaced
from mlci.errors import PolicyError, WorldError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_CSV = {".csv": ",", ".tsv": "\t"}


def shuffle_labels(file: Path, shown: str, label: str, seed: int) -> None:
    """Permute one column of a Parquet or CSV file.

    Rows, their order, the other columns, types and the file's own metadata stay. Rows that belong together are not kept
    together: a label says nothing of its row or of its group any more.

    Args:
        file: The table.
        shown: Its name for messages.
        label: The column.
        seed: Of the permutation.

    Raises:
        PolicyError: The table has no such column.
        WorldError: It cannot be read, or is of another kind.
    """
    if file.suffix in {".parquet", ".pq"}:
        _parquet(file, shown, label, seed)
    elif file.suffix in _CSV:
        _csv(file, shown, label, seed)
    else:
        raise WorldError(
            f"the labels of {shown} cannot be shuffled", "name a Parquet or CSV file in `mlci.train.table`"
        )


def _order(rows: int, seed: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(seed).permutation(rows)


def _parquet(file: Path, shown: str, label: str, seed: int) -> None:
    try:
        import pyarrow as pa  # noqa: PLC0415 - a second to load, and needed here only
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise WorldError("shuffling a Parquet file needs pyarrow", 'install it: `pip install "mlci[model]"`') from error
    try:
        table = pq.ParquetFile(file).read()
        _known(label, table.column_names, shown)
        column = table.column_names.index(label)
        shuffled = table.column(column).take(pa.array(_order(table.num_rows, seed)))
        with replaced(file) as temporary:
            pq.write_table(table.set_column(column, table.schema.field(column), shuffled), temporary)
    except pa.ArrowException as error:
        raise WorldError(f"{shown} cannot be read: {error}", "write the file again") from error


def _csv(file: Path, shown: str, label: str, seed: int) -> None:
    text = file.read_text(encoding="utf-8")
    header = text.partition("\n")[0]
    between = next((char for char in (_CSV[file.suffix], ",", ";", "\t", "|") if char in header), _CSV[file.suffix])
    names, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=between) if row]
    _known(label, names, shown)
    at = names.index(label)
    labels = [row[at] for row in rows]
    for row, other in zip(rows, _order(len(rows), seed), strict=True):
        row[at] = labels[other]
    with replaced(file) as temporary, temporary.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=between, lineterminator="\n").writerows([names, *rows])


def _known(label: str, names: list[str], shown: str) -> None:
    if label not in names:
        close = difflib.get_close_matches(label, names, n=1)
        hint = f"; did you mean `{close[0]}`?" if close else ""
        raise PolicyError(
            f"{shown} has no column `{label}` to shuffle{hint}",
            "name the table that the training learns from in `mlci.train.table`; `mlci.model.label` names its label",
        )
