"""Test rows with what one or two models said of them, as arrays of one length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from mlci.nouns.change import Good
    from mlci.nouns.metric import Task
    from mlci.nouns.policy import MetricGate

    Array: TypeAlias = npt.NDArray[Any]
    Rows: TypeAlias = npt.NDArray[np.bool_] | npt.NDArray[np.integer[Any]]
    Room: TypeAlias = Callable[[tuple[int, ...], npt.DTypeLike], Array]

T = TypeVar("T")

BLOCK = 1 << 20
"""Rows that are looked at together where there are many: what is as long as this is small."""


_RESTS = 16


def spans(size: int, room: Room | None = None) -> Iterator[slice]:
    """Cut so many rows into blocks; the pages of those that were looked at are let go of, where the room can."""
    for i, start in enumerate(range(0, size, BLOCK)):
        yield slice(start, min(start + BLOCK, size))
        if i % _RESTS == _RESTS - 1:
            rest(room)


def rest(room: Room | None) -> None:
    """Let go of the pages of long arrays, where the room can."""
    let_go = getattr(room, "rest", None)
    if let_go is not None:
        let_go()


class Memo:
    """What was computed of some rows, so that no pass over them is made twice."""

    def __init__(self) -> None:
        self._known: dict[Hashable, object] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is known by this key, made where it is not."""
        if key not in self._known:
            self._known[key] = make()
        return cast("T", self._known[key])


@dataclass(frozen=True)
class Answers:
    """What one model said.

    Attributes:
        decision: Binary: whether the row is decided positive, bool. Multiclass: index of the class, int. Regression:
            the predicted value, float. Shape (n,).
        score: Binary: score of the positive class in [0, 1], shape (n,). Multiclass: scores of the classes, shape
            (n, classes). None where the predictions have no scores.
    """

    decision: Array
    score: npt.NDArray[np.float64] | None = None

    def only(self, rows: Rows | slice, room: Room | None = None) -> Answers:
        """What it said of these rows."""
        score = _taken(self.score, rows, room) if self.score is not None else None
        return Answers(_taken(self.decision, rows, room), score)


@dataclass(frozen=True)
class OwnMetric:
    """A metric of the project's own.

    Attributes:
        value: A function of labels, decisions and scores of some rows; classes by name. NaN where it has no value.
        good: Which way is good.
    """

    value: Callable[[Any, Any, Any], float]
    good: Good


@dataclass(frozen=True)
class Feature:
    """A column of the test table, its values coded.

    Attributes:
        codes: Index of the value of each row, shape (n,); of the smallest type that holds them.
        names: Of the values, such as `origin = JFK`.
    """

    codes: npt.NDArray[np.integer[Any]]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """A slice: some of the rows, and the promises that the policy makes about them.

    Attributes:
        name: In words, such as `origin = JFK`; None for all rows.
        rows: Which rows, as ascending indices; None for all.
        path: Keys inside `mlci` that ask for it.
        metrics: Promises of its own.
    """

    name: str | None
    rows: npt.NDArray[np.int32] | None
    path: tuple[str, ...]
    metrics: dict[str, MetricGate]


@dataclass(frozen=True)
class Sample:
    """The rows on which a candidate is judged, in the order of their ids.

    Attributes:
        task: Decides how labels and decisions are read.
        ids: Shape (n,), text.
        label: Binary: bool. Multiclass: index of the class, -1 for one that no model knows. Regression: float.
        new: The candidate's answers.
        old: The baseline's answers on the same rows, if there is one.
        parts: Slices, the whole first.
        classes: Names of the classes of a multiclass model.
        own: Metrics of the project's own, by name.
        features: Columns to look for weak slices in.
        groups: Columns whose values are to be treated alike.
        group: Which rows belong together, codes from 0 of shape (n,); None where rows are independent.
        room: Makes an array as long as the rows, with any content, where memory may not hold it; None: memory does.
        memo: What was computed of these answers to these rows; a copy with other answers begins anew.
    """

    task: Task
    ids: Sequence[str] | npt.NDArray[np.object_]
    label: Array
    new: Answers
    old: Answers | None
    parts: tuple[Part, ...]
    classes: tuple[str, ...] = ()
    group: npt.NDArray[np.int64] | None = None
    own: Mapping[str, OwnMetric] = field(default_factory=dict)
    features: tuple[Feature, ...] = ()
    groups: tuple[Feature, ...] = ()
    room: Room | None = None
    memo: Memo = field(default_factory=Memo, init=False, repr=False, compare=False)

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.label)

    def only(self, rows: Rows | slice) -> Sample:
        """These rows, without names and slices: what a metric needs. A span of rows is not copied."""
        return Sample(
            task=self.task,
            ids=(),
            label=_taken(self.label, rows, self.room),
            new=self.new.only(rows, self.room),
            old=self.old.only(rows, self.room) if self.old is not None else None,
            parts=(),
            classes=self.classes,
            group=_taken(self.group, rows, self.room) if self.group is not None else None,
            own=self.own,
            room=self.room,
        )

    def side(self, answers: Answers) -> Literal["old", "new"] | None:
        """Whose answers these are; None where they are neither model's."""
        if answers is self.new:
            return "new"
        return "old" if answers is self.old else None

    def part(self, part: Part) -> Sample:
        """The rows of a slice, with what is known of them already."""
        if part.rows is None:
            return self
        found = self.only(part.rows)
        # No argument of the constructor, or `replace` would carry it over to other answers.
        object.__setattr__(found, "memo", self.memo.once(("part", part.name), Memo))
        return found

    def blocks(self) -> Iterator[Sample]:
        """All rows, some at a time."""
        return iter((self,)) if self.size <= BLOCK else (self.only(span) for span in spans(self.size, self.room))


def _taken(array: Array, rows: Rows | slice, room: Room | None) -> Array:
    """Rows of an array; where it has to be copied, to where there is room."""
    if room is None or isinstance(rows, slice) or rows.dtype == bool:
        return array[rows]
    found = room((len(rows), *array.shape[1:]), array.dtype)
    # Rows are inside; "raise" would copy once more.
    return array.take(rows, axis=0, out=found, mode="clip")
