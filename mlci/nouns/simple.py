"""Models so simple that a candidate must be better than they are: their names, and what people call them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator

if TYPE_CHECKING:
    from mlci.nouns.metric import Task

SimpleName = Literal["majority", "logistic", "tree", "mean", "median", "linear"]

SIMPLE: dict[Task, tuple[SimpleName, ...]] = {
    "binary": ("majority", "logistic", "tree"),
    "multiclass": ("majority", "logistic", "tree"),
    "regression": ("mean", "median", "linear", "tree"),
}
"""Which simple models each task has."""

WITHOUT_INPUTS: frozenset[SimpleName] = frozenset({"majority", "mean", "median"})
"""Those that read no column but the label."""

SIMPLE_WORDS: dict[SimpleName, str] = {
    "majority": "a model that says the same of every row",
    "logistic": "a logistic regression",
    "tree": "a decision tree of depth 3",
    "mean": "a model that answers every row with the mean",
    "median": "a model that answers every row with the median",
    "linear": "a linear regression",
}
"""What they are, for a reader who knows no library."""

_ALIASES = {
    "dummy": "majority",
    "prior": "majority",
    "constant": "majority",
    "most_frequent": "majority",
    "logreg": "logistic",
    "regression": "linear",
    "ridge": "linear",
    "average": "mean",
    "stump": "tree",
}


def _named(value: object) -> object:
    """One name is a list of one; each is known and stands there once."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        raise ValueError(f"a list of simple models is needed here, such as [majority, logistic], not {value!r}")  # noqa: TRY004 - pydantic wants ValueError
    for each in listed:
        if each not in SIMPLE_WORDS:
            raise ValueError(f"there is no simple model {each!r}{_meant(str(each))}")
        if listed.count(each) > 1:
            raise ValueError(f"{each} is named twice")
    return listed


def _meant(name: str) -> str:
    plain = name.lower()
    close = difflib.get_close_matches(plain, [*SIMPLE_WORDS, *_ALIASES], n=1, cutoff=0.5)
    if close:
        return f"; did you mean `{_ALIASES.get(close[0], close[0])}`?"
    return f"; there are {', '.join(SIMPLE_WORDS)}"


Beats = Annotated[tuple[SimpleName, ...], BeforeValidator(_named)]
"""Simple models, each once."""


def misfit(names: tuple[SimpleName, ...], task: Task) -> str | None:
    """Why these simple models do not fit the task; None where they do.

    >>> misfit(("majority", "mean"), "binary")
    "a binary model is not set beside 'mean'; did you mean `majority`? It has majority, logistic, tree"
    """
    twin = {"mean": "majority", "median": "majority", "linear": "logistic", "majority": "median", "logistic": "linear"}
    for name in names:
        if name not in SIMPLE[task]:
            known = ", ".join(SIMPLE[task])
            return f"a {task} model is not set beside {name!r}; did you mean `{twin[name]}`? It has {known}"
    return None
