"""Test rows with what one or two models said of them, as arrays of one length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import numpy.typing as npt

    from mlci.nouns.change import Good
    from mlci.nouns.metric import Task
    from mlci.nouns.policy import MetricGate

    Array: TypeAlias = npt.NDArray[Any]
    Rows: TypeAlias = npt.NDArray[np.bool_] | npt.NDArray[np.integer[Any]]


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

    def only(self, rows: Rows) -> Answers:
        """What it said of these rows."""
        return Answers(self.decision[rows], self.score[rows] if self.score is not None else None)


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
        codes: Index of the value of each row, shape (n,).
        names: Of the values, such as `origin = JFK`.
    """

    codes: npt.NDArray[np.int64]
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
    """

    task: Task
    ids: npt.NDArray[np.object_]
    label: Array
    new: Answers
    old: Answers | None
    parts: tuple[Part, ...]
    classes: tuple[str, ...] = ()
    group: npt.NDArray[np.int64] | None = None
    own: Mapping[str, OwnMetric] = field(default_factory=dict)
    features: tuple[Feature, ...] = ()
    groups: tuple[Feature, ...] = ()

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.label)

    def only(self, rows: Rows) -> Sample:
        """These rows, without names and slices: what a metric needs."""
        return Sample(
            task=self.task,
            ids=self.ids[:0],
            label=self.label[rows],
            new=self.new.only(rows),
            old=self.old.only(rows) if self.old is not None else None,
            parts=(),
            classes=self.classes,
            group=self.group[rows] if self.group is not None else None,
            own=self.own,
        )
