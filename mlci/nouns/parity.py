"""How far two scorings of the same rows are apart."""

from __future__ import annotations

from mlci.nouns.base import Noun


class Parity(Noun):
    """One group of rows, scored by the estimator and by the exported model.

    Attributes:
        group: Which rows: `the real rows`, ``unseen category in `carrier` ``.
        rows: Number of rows compared.
        tolerance: Largest score difference that is rounding; relative to the size of the score above 1.
        max_difference: Largest score difference over all rows and output columns.
        flips: Rows that are decided differently although their scores are not equal within the tolerance.
        ties: Rows that are decided differently because a score equals the threshold within the tolerance.
        nan_rows: Rows where one of the two has a NaN and the other has not.
        worst: Up to five row indices with the largest differences, the worst first.
        failure: The message of the exported model where it did not answer at all.
    """

    group: str
    rows: int
    tolerance: float
    max_difference: float = 0.0
    flips: int = 0
    ties: int = 0
    nan_rows: int = 0
    worst: tuple[int, ...] = ()
    failure: str = ""

    @property
    def held(self) -> bool:
        """Whether the two agree; a comparison of no rows does not."""
        agree = self.max_difference <= self.tolerance and self.flips == 0 and self.nan_rows == 0
        return agree and self.rows > 0 and not self.failure

    def __str__(self) -> str:
        if self.failure:
            return f"{self.group}: the exported model fails: {self.failure}"
        if self.rows == 0:
            return f"{self.group}: no rows to compare"
        parts = [f"{self.flips:,} decision flips"] if self.flips else []
        parts += [f"{self.nan_rows:,} rows with NaN on one side only"] if self.nan_rows else []
        parts.append(f"scores differ by up to {self.max_difference:.2g}")
        return f"{self.group}: {', '.join(parts)} ({self.rows:,} rows)"


class Export(Noun):
    """An exported model and the proof of its parity.

    Attributes:
        md5: Digest of the file, as DVC counts it.
        size: Bytes of the file.
        converter: Who converted: `mlci` or `skl2onnx`.
        parities: One comparison per group of rows.
        refuses_missing: Columns where the model takes no missing value: the real rows have none, and the
            estimator refuses one or the exported model answers it otherwise.
        estimator_refuses: Groups of made rows that the estimator itself refuses.
    """

    md5: str
    size: int
    converter: str
    parities: tuple[Parity, ...]
    refuses_missing: tuple[str, ...] = ()
    estimator_refuses: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Whether the exported model answers as the estimator does, on every group; no groups is no proof."""
        return bool(self.parities) and not self.broken

    @property
    def broken(self) -> tuple[Parity, ...]:
        """The groups of rows that the two answer differently."""
        return tuple(each for each in self.parities if not each.held)

    @property
    def max_difference(self) -> float:
        """The largest score difference over all groups."""
        return max((each.max_difference for each in self.parities), default=float("nan"))
