"""Joined rows of predictions, read in batches into arrays, in the order of their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlci.edges.room import Room
from mlci.nouns.sample import spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

BATCH = 1 << 17
"""Rows of a batch."""
_RESTS = 64
"""Batches after which the pages that they filled stop counting as this process's memory."""


class Texts(Sequence[str]):
    """Texts as the bytes of all, one behind the other, and where each ends."""

    def __init__(self, content: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> None:
        self._content = content
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        at %= len(self)
        start = int(self._ends[at - 1]) if at else 0
        return self._content[start : int(self._ends[at])].tobytes().decode()


@dataclass
class PredictionRows:
    """The rows that are judged, and how many were left out.

    Attributes:
        columns: By name: flags as uint8, codes, decisions and scores; texts as codes of `words`.
        words: The texts of a column that holds texts, by the column's name.
        ids: Of the rows.
        leaked: Rows left out only because a model was trained on them.
        leaked_at_all: Rows that a model was trained on.
        unlabelled: Rows left out because their label is not known.
        unmatched: Rows that the other predictions do not have.
        seen: All rows.
        room: Where more of their length is made.
    """

    columns: dict[str, npt.NDArray[Any]]
    words: dict[str, list[str]]
    ids: Texts
    leaked: int = 0
    leaked_at_all: int = 0
    unlabelled: int = 0
    unmatched: int = 0
    seen: int = 0
    room: Room = field(default_factory=Room)

    @property
    def size(self) -> int:
        """Rows that are judged."""
        return len(self.ids)


def read_rows(
    batches: Iterable[pa.RecordBatch], rows: int, letters: int, trained_on: Sequence[npt.NDArray[np.uint64]]
) -> PredictionRows:
    """Read rows that have columns `id`, `label`, maybe `matched` and `digest`, and any others.

    Args:
        batches: Of the rows.
        rows: At least how many they are.
        letters: At least how many bytes their ids have.
        trained_on: Digests of rows to leave out.
    """
    filling = _Filling(rows, letters)
    for i, batch in enumerate(batches):
        filling.add(batch, trained_on)
        if i % _RESTS == _RESTS - 1:
            filling.room.rest()
    return filling.done()


class _Filling:
    """Arrays that are longer than what they hold so far."""

    def __init__(self, rows: int, letters: int) -> None:
        self.room = Room()
        self.rows = rows
        self.columns: dict[str, npt.NDArray[Any]] = {}
        self.words: dict[str, dict[str, int]] = {}
        self.content = self.room((letters,), np.uint8)
        self.ends = self.room((rows,), np.int64)
        self.size = self.used = 0
        self.leaked = self.leaked_at_all = self.unlabelled = self.unmatched = self.seen = 0

    def add(self, batch: pa.RecordBatch, trained_on: Sequence[npt.NDArray[np.uint64]]) -> None:
        """Take what can be judged of a batch, and count the rest."""
        every = np.ones(batch.num_rows, dtype=bool)
        label = batch.column("label")
        labelled = _flags(label.is_valid())
        if pa.types.is_floating(label.type):
            labelled &= _flags(pc.fill_null(pc.is_finite(label), fill_value=False))
        matched = _flags(batch.column("matched")) if "matched" in batch.schema.names else every
        leaked = ~every
        for digests in trained_on:
            leaked |= np.isin(np.from_dlpack(batch.column("digest")), digests)
        kept = labelled & matched & ~leaked
        self.leaked += int(np.count_nonzero(leaked & labelled & matched))
        self.leaked_at_all += int(np.count_nonzero(leaked))
        self.unlabelled += int(np.count_nonzero(~labelled))
        self.unmatched += int(np.count_nonzero(~matched))
        self.seen += batch.num_rows
        if kept.all():
            self._take(batch)
        elif kept.any():
            self._take(batch.take(pa.array(np.flatnonzero(kept))))

    def _take(self, batch: pa.RecordBatch) -> None:
        start, end = self.size, self.size + batch.num_rows
        for name in batch.schema.names:
            column = batch.column(name)
            if name == "id":
                self._texts(column, start, end)
            elif name not in {"matched", "digest"}:
                values = self._codes(name, column) if _is_text(column.type) else np.from_dlpack(column)
                if name not in self.columns:
                    self.columns[name] = self.room((self.rows,), values.dtype)
                self.columns[name][start:end] = values
        self.size = end

    def _texts(self, column: pa.Array, start: int, end: int) -> None:
        wide = column.cast(pa.large_binary())
        _, offsets, content = wide.buffers()
        ends = np.frombuffer(offsets, np.int64)[wide.offset : wide.offset + len(wide) + 1]
        taken = int(ends[-1] - ends[0])
        self.content[self.used : self.used + taken] = np.frombuffer(content, np.uint8)[ends[0] : ends[-1]]
        self.ends[start:end] = ends[1:] - ends[0] + self.used
        self.used += taken

    def _codes(self, name: str, column: pa.Array) -> npt.NDArray[np.int32]:
        """Codes of texts in the order in which they came first."""
        coded = column.dictionary_encode()
        known = self.words.setdefault(name, {})
        own = [known.setdefault(word, len(known)) for word in coded.dictionary.to_pylist()]
        codes: npt.NDArray[np.int32] = np.array(own, dtype=np.int32)[np.from_dlpack(coded.indices)]
        return codes

    def done(self) -> PredictionRows:
        """What came of it."""
        return PredictionRows(
            columns={name: values[: self.size] for name, values in self.columns.items()},
            words={name: list(known) for name, known in self.words.items()},
            ids=Texts(self.content[: self.used], self.ends[: self.size]),
            leaked=self.leaked,
            leaked_at_all=self.leaked_at_all,
            unlabelled=self.unlabelled,
            unmatched=self.unmatched,
            seen=self.seen,
            room=self.room,
        )


def _flags(column: pa.Array) -> npt.NDArray[np.bool_]:
    return np.from_dlpack(column.cast(pa.uint8())).astype(bool)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def group_codes(codes: npt.NDArray[np.int64], room: Callable[..., npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """Codes from 0 without gaps; every row without a group, -1, is one of its own."""
    there = np.zeros(max((int(codes[span].max()) for span in spans(codes.size)), default=-1) + 1, dtype=bool)
    for span in spans(codes.size):
        there[codes[span][codes[span] >= 0]] = True
    place, free = np.cumsum(there) - 1, int(np.count_nonzero(there))
    found: npt.NDArray[np.int64] = room((codes.size,), np.int64)
    for span in spans(codes.size):
        block = codes[span].astype(np.int64)
        alone = block < 0
        many = int(np.count_nonzero(alone))
        block[~alone] = place[block[~alone]]
        block[alone] = free + np.arange(many)
        found[span], free = block, free + many
    return found
