"""What a test of the rubric is, before it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlci.judge.rubric.case import Case
    from mlci.nouns.rubric import Evidence


@dataclass(frozen=True)
class Asked:
    """One test.

    Attributes:
        title: What it asks for, in the paper's words.
        look: Finds what speaks for it.
        start: The next best step at 0.
        automate: The next best step at 0.5.
    """

    title: str
    look: Callable[[Case], list[Evidence]]
    start: str
    automate: str


DECLARE = "or declare what you do by hand in `mlci.score`"
