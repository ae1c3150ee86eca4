"""Mean, variance and skewness of values that are seen block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def dot(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """The sum of the products.

    `np.dot` hands long arrays to threads: the last digits then depend on the number of cores, and on a busy machine it
    waits for them, ten times as long as this takes.
    """
    return float(np.einsum("i,i->", one, other))


@dataclass(frozen=True)
class Moments:
    """What is known of the values seen so far.

    Attributes:
        n: How many.
        mean: Their mean.
        second: Sum of the squares of their distances from it.
        third: Sum of the cubes.

    Source: Pébay (2008), Sandia report SAND2008-6212, eq. 2.1 and 3.1: sums about the mean of two sets from those of
    each, without the loss of digits of sums about zero.
    """

    n: int = 0
    mean: float = 0.0
    second: float = 0.0
    third: float = 0.0

    @classmethod
    def of(cls, values: npt.NDArray[np.float64]) -> Moments:
        """Of one block.

        >>> both = Moments.of(np.array([1.0, 2.0])) + Moments.of(np.array([6.0]))
        >>> both.mean, both.variance, round(both.skewness, 6)
        (3.0, 7.0, 0.59517)
        """
        if not values.size:
            return cls()
        mean = float(values.mean())
        away = values - mean
        squared = away * away
        return cls(int(values.size), mean, float(squared.sum()), dot(squared, away))

    @classmethod
    def of_many(cls, values: npt.NDArray[np.float64], rows: npt.NDArray[np.float64]) -> Moments:
        """Of values that so many rows each have.

        >>> many = Moments.of_many(np.array([1.0, 5.0]), np.array([3.0, 1.0]))
        >>> many == Moments.of(np.array([1.0, 1.0, 1.0, 5.0]))
        True
        """
        n = float(rows.sum())
        mean = dot(values, rows) / n
        away = values - mean
        squared = away * away * rows
        return cls(int(n), mean, float(squared.sum()), dot(squared, away))

    def __add__(self, other: Moments) -> Moments:
        """Of the values of both."""
        n = self.n + other.n
        if not n:
            return self
        apart, product = other.mean - self.mean, self.n * other.n
        second = self.second + other.second + apart**2 * product / n
        third = self.third + other.third + apart**3 * product * (self.n - other.n) / n**2
        third += 3 * apart * (self.n * other.second - other.n * self.second) / n
        return Moments(n, self.mean + apart * other.n / n, second, third)

    @property
    def variance(self) -> float:
        """With n - 1 in the denominator; 0 for fewer than two values."""
        return self.second / (self.n - 1) if self.n > 1 else 0.0

    @property
    def skewness(self) -> float:
        """Third central moment over the cube of the standard deviation; 0 for a constant."""
        spread = self.second / self.n if self.n else 0.0
        return float(self.third / self.n / spread**1.5) if spread > 0 else 0.0
