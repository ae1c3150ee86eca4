"""Logged predictions as arrays: what monitoring computes with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Values = npt.NDArray[Any]


class Logged(NamedTuple):
    """Predictions in the order of time; arrays of shape (n,).

    Attributes:
        at: Seconds since 1970.
        features: Numbers as floats, missing ones NaN; texts as objects, missing ones None.
        score: Of the positive class; None where there is none.
        decision: Whether positive (binary), the class as text (multiclass), or the number (regression).
        label: The same of what was true; meaningless where there is no label.
        labelled: Whether there is a label.
        labelled_at: When it came, in seconds since 1970; never before the prediction.
    """

    at: Floats
    features: dict[str, Values]
    score: Floats | None
    decision: Values
    label: Values
    labelled: Bools
    labelled_at: Floats

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.at.size)

    def part(self, rows: Bools) -> Logged:
        """Some of the rows."""
        return Logged(
            self.at[rows],
            {name: values[rows] for name, values in self.features.items()},
            None if self.score is None else self.score[rows],
            self.decision[rows],
            self.label[rows],
            self.labelled[rows],
            self.labelled_at[rows],
        )
