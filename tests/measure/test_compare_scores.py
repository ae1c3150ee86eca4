from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlci.measure.parity import compare_scores
from mlci.nouns.parity import Export, Parity

TOLERANCE = 1e-6


def compare(expected, got, threshold=0.5, tolerance=TOLERANCE):
    return compare_scores(np.array(expected), np.array(got), threshold=threshold, tolerance=tolerance)


def binary(*positive):
    return [[1 - each, each] for each in positive]


def test_equal_scores_hold():
    parity = compare(binary(0.1, 0.9), binary(0.1, 0.9))
    assert (parity.held, parity.max_difference, parity.flips, parity.worst) == (True, 0.0, 0, ())


def test_the_other_column_counts_too():
    parity = compare([[0.9, 0.1], [0.1, 0.9]], [[0.9, 0.1], [0.3, 0.9]])
    assert not parity.held
    assert (parity.max_difference, parity.flips, parity.worst) == (pytest.approx(0.2), 0, (1,))


def test_a_flip_and_a_tie_at_the_threshold():
    parity = compare(binary(0.19, 0.2, 0.5), binary(0.21, 0.2 - 1e-9, 0.5), threshold=0.2)
    assert (parity.flips, parity.ties) == (1, 1)
    assert "1 decision flips" in str(parity)
    assert compare(binary(0.2), binary(0.2 - 1e-9), threshold=0.2).held


def test_a_nan_on_one_side_only_does_not_hold():
    parity = compare(binary(0.2, np.nan, np.nan), binary(0.2, np.nan, 0.1))
    assert (parity.nan_rows, parity.worst, parity.held) == (1, (2,), False)


def test_no_rows_do_not_hold():
    parity = compare(np.zeros((0, 2)), np.zeros((0, 2)))
    assert not parity.held
    assert "no rows" in str(parity)


def test_a_regression_is_compared_by_relative_difference_and_decides_nothing():
    parity = compare([[1e6], [np.inf]], [[1e6 + 0.1], [np.inf]], threshold=None)
    assert (parity.held, parity.flips) == (True, 0)
    assert not compare([[1.0]], [[np.inf]], threshold=None).held


def test_several_classes_flip_by_the_largest():
    assert compare([[0.2, 0.5, 0.3]], [[0.2, 0.3, 0.5]], threshold=None).flips == 1


def test_shapes_that_differ():
    with pytest.raises(ValueError, match=r"shape \(1, 2\).*\(1, 3\)"):
        compare([[0.5, 0.5]], [[0.2, 0.5, 0.3]])


@given(arrays(np.float64, (7, 3), elements=st.floats(0, 1)), st.floats(0, 1e-7))
def test_rounding_never_breaks_it(scores, noise):
    parity = compare(scores, scores + noise, threshold=None)
    assert parity.held
    assert parity.max_difference <= 2e-7


def test_an_export_without_proof_is_not_held():
    assert not Export(md5="", size=0, converter="mlci", parities=()).held
    assert Parity(group="all", rows=0, tolerance=1.0, failure="no").held is False
