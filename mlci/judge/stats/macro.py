"""Macro F1: the paired bootstrap on the multinomial of (label, old decision, new decision), and its influences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mlci.judge.stats.counts import lower_percentile, no_worse
from mlci.judge.stats.paired import smallest_mid_p
from mlci.nouns.change import Change, Estimate, TooFew
from mlci.nouns.sample import spans

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST_ROWS = 100
FEWEST_OF_A_CLASS = 10
_RESAMPLES, _FEWEST_RESAMPLES, _DRAWS = 10_000, 2_000, 4_000_000
MOST_CELLS = 2_000
_FOR_THE_TEST, _FOR_THE_BOUND = 0.5, 1.0


class Cells(NamedTuple):
    """Distinct combinations of label and decisions with the number of their rows."""

    label: Ints
    """Shape (m,), classes from 0."""
    decisions: tuple[Ints, ...]
    """One of shape (m,) per model."""
    rows: Floats
    """Shape (m,)."""


def cells_of(label: Ints, *decisions: Ints) -> Cells:
    """Count rows by label and decisions, block by block."""
    classes = 1 + max(int(each[span].max()) for each in (label, *decisions) for span in spans(label.size))
    found, rows = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    for span in spans(label.size):
        code = label[span].astype(np.int64)
        for each in decisions:
            code = code * classes + each[span]
        more, counts = np.unique(code, return_counts=True)
        found, at = np.unique(np.concatenate([found, more]), return_inverse=True)
        rows = np.bincount(at, weights=np.concatenate([rows, counts]))
    parts = []
    for _ in decisions:
        found, last = np.divmod(found, classes)
        parts.append(last)
    return Cells(found, tuple(reversed(parts)), rows.astype(np.float64))


def macro_f1(label: Ints, decision: Ints, rows: Floats | None = None) -> float:
    """Mean F1 of the classes that occur among the labels, each one against the rest; of so many rows each.

    scikit-learn's `f1_score(average="macro", labels=numpy.unique(label))`.
    """
    hits, both, seen = _tally(label, decision, rows)
    return float(_f1(hits[seen], both[seen]).mean())


def macro_influence(label: Ints, decision: Ints, rows: Floats | None = None) -> tuple[float, Floats]:
    """Macro F1 and what each row adds to it, shape (n,): the derivative of the mean of 2 TP / (labels + decisions)."""
    hits, both, seen = _tally(label, decision, rows)
    share = np.divide(2 * hits, both, out=np.zeros_like(both), where=both > 0)
    each = np.where(seen & (both > 0), 1 / np.maximum(both, 1), 0.0) / np.count_nonzero(seen)
    right = 2.0 * (label == decision) * each[label]
    return float(share[seen].mean()), right - (share * each)[label] - (share * each)[decision]


def macro_too_few(cells: Cells) -> TooFew | None:
    """Whether a class of these rows has too few to say anything about its F1."""
    size = int(cells.rows.sum())
    if size < FEWEST_ROWS:
        return TooFew(what="rows", seen=size, needed=FEWEST_ROWS)
    rows = np.bincount(cells.label, weights=cells.rows)
    rarest = int(rows[rows > 0].min())
    if rarest < FEWEST_OF_A_CLASS:
        return TooFew(what="rows of the rarest class", seen=rarest, needed=FEWEST_OF_A_CLASS)
    return None


def macro_change(
    label: Ints, old: Ints, new: Ints, rng: np.random.Generator, *, alpha: float = 0.05, beta: float = 0.05
) -> Change | TooFew | None:
    """The change of macro F1 by the paired bootstrap of the cells; None where there are too many cells for it.

    Pseudo-counts as in `mlci.judge.stats.counts`: for every class, rows that only one model has right, with the wrong
    decision that the class is most often taken for.
    """
    seen = cells_of(label, old, new)
    too_few = macro_too_few(seen)
    if too_few:
        return too_few
    cells = _with_discordant(seen)
    if cells.rows.size > MOST_CELLS:
        return None
    values = [macro_f1(seen.label, each, seen.rows) for each in seen.decisions]
    gains = [_gains(cells, rng, pseudo) for pseudo in (_FOR_THE_TEST, _FOR_THE_BOUND)]
    before, after = (each == seen.label for each in seen.decisions)
    apart = seen.decisions[0] != seen.decisions[1]
    differing, gained, lost = (int(seen.rows[which].sum()) for which in (apart, after & ~before, before & ~after))
    return Change(
        old=values[0],
        new=values[1],
        change=values[1] - values[0],
        low=lower_percentile(gains[1], beta),
        high=-lower_percentile(-gains[0], alpha),
        p=no_worse(gains[0]),
        smallest_p=float(smallest_mid_p(differing, 0)),
        n=int(label.size),
        variance=label.size * float(gains[1].var(ddof=1)),
        discordant=(gained, lost),
        method="paired bootstrap",
    )


def macro_estimate(
    label: Ints, decision: Ints, limit: float, rng: np.random.Generator, *, alpha: float = 0.05, beta: float = 0.05
) -> Estimate | TooFew | None:
    """Macro F1 against a floor, by the bootstrap of the cells (label, decision); None where they are too many."""
    cells = cells_of(label, decision)
    too_few = macro_too_few(cells)
    if too_few:
        return too_few
    if cells.rows.size > MOST_CELLS:
        return None
    values = _drawn(cells, cells.rows, rng)[0]
    return Estimate(
        value=macro_f1(cells.label, cells.decisions[0], cells.rows),
        limit=limit,
        low=lower_percentile(values, beta),
        high=-lower_percentile(-values, alpha),
        p=no_worse(values - limit),
        n=int(label.size),
        variance=label.size * float(values.var(ddof=1)),
        method="bootstrap",
    )


def _tally(label: Ints, decision: Ints, rows: Floats | None) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Rows right, rows labelled plus rows decided, and whether the class is among the labels; by class."""
    classes = 1 + max(int(label.max()), int(decision.max()))
    right = label == decision
    hits = np.bincount(label[right], weights=None if rows is None else rows[right], minlength=classes)
    labelled = np.bincount(label, weights=rows, minlength=classes)
    both = labelled + np.bincount(decision, weights=rows, minlength=classes)
    return hits.astype(np.float64), both.astype(np.float64), labelled > 0


def _f1(hits: Floats, both: Floats) -> Floats:
    return np.asarray(np.divide(2 * hits, both, out=np.zeros_like(both), where=both > 0), dtype=np.float64)


def _with_discordant(cells: Cells) -> Cells:
    """With an empty cell, where there is none, for rows of every class that only one of the models has right."""
    old, new = cells.decisions
    extra = []
    for label in np.unique(cells.label):
        mine = cells.label == label
        wrong = np.concatenate([old[mine], new[mine]])
        weight = np.concatenate([cells.rows[mine], cells.rows[mine]])[wrong != label]
        wrong = wrong[wrong != label]
        other = int(np.argmax(np.bincount(wrong, weights=weight))) if wrong.size else int(label == 0)
        extra += [(label, label, other), (label, other, label)]
    add = np.asarray(extra, dtype=np.int64)
    return Cells(
        np.concatenate([cells.label, add[:, 0]]),
        (np.concatenate([old, add[:, 1]]), np.concatenate([new, add[:, 2]])),
        np.concatenate([cells.rows, np.zeros(len(extra))]),
    )


def _gains(cells: Cells, rng: np.random.Generator, pseudo: float) -> Floats:
    added = 2 * np.unique(cells.label).size
    share = cells.rows.copy()
    share[share.size - added :] += pseudo
    old, new = _drawn(cells, share, rng)
    return new - old


def _drawn(cells: Cells, share: Floats, rng: np.random.Generator) -> list[Floats]:
    """Macro F1 of each model on resamples, each of shape (resamples,)."""
    resamples = int(np.clip(_DRAWS // share.size, _FEWEST_RESAMPLES, _RESAMPLES))
    drawn = rng.multinomial(int(cells.rows.sum()), share / share.sum(), size=resamples).astype(np.float64)
    seen = np.unique(cells.label)
    labelled = cells.label[:, None] == seen
    found = []
    for decision in cells.decisions:
        decided = decision[:, None] == seen
        found.append(_f1(drawn @ (labelled & decided), drawn @ (labelled.astype(np.float64) + decided)).mean(axis=1))
    return found
