"""Labels on their way into the data: what was said, what counts, and what a person must decide."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mlci.nouns.base import Noun
from mlci.nouns.report import DataDiff

Answer = bool | int | float | str
Rule = Literal["said", "agreed", "corrected", "newest", "majority", "sources", "hand"]


class Said(Noun):
    """One label that somebody gave.

    Attributes:
        label: The value.
        source: Who said it; empty where nobody is named. May be hostile.
        at: When.
        origin: The log, or the file, that it was read from.
    """

    label: Answer
    source: str = ""
    at: datetime
    origin: str = ""


class Kept(Noun):
    """A label that the table holds already: its value, when it was given, and what decided."""

    label: Answer
    at: datetime
    rule: Rule


class Settled(Noun):
    """The label of one prediction.

    Attributes:
        id: Of the prediction.
        label: What counts.
        source: Who said so; all of them where several agree.
        at: When it was said last.
        rule: What decided: it was `said` once, all `agreed`, its source `corrected` itself, or the policy's way.
        origin: Where the label was read from.
        sayings: How many labels there were.
    """

    id: str
    label: Answer
    source: str
    at: datetime
    rule: Rule
    origin: str = ""
    sayings: int = 1


class Conflict(Noun):
    """Labels of one prediction that contradict each other.

    Attributes:
        id: Of the prediction.
        said: All of them, the newest last.
        settled: What counts; null where a person must decide.
    """

    id: str
    said: tuple[Said, ...]
    settled: Settled | None = None


class Outcome(Noun):
    """What became of all labels.

    Attributes:
        settled: Labels that count, in the order of ids.
        conflicts: Contradictions, decided or not.
        waiting: Predictions whose newest label is too young.
    """

    settled: tuple[Settled, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    waiting: int = 0


class Missed(Noun):
    """What the labels say of the model: rows that it had wrong."""

    false_negatives: int = 0
    false_positives: int = 0
    wrong: int = 0


class Collected(Noun):
    """What `mlci feedback collect` did, or would do.

    Attributes:
        model: Its name.
        table: Where the rows go.
        rows: Of the table afterwards.
        new: Rows that were added.
        changed: Rows whose label was corrected by a later one.
        open: Contradictions that a person must decide, with what was said.
        decided: Contradictions that were decided, and how.
        waiting: Labels that are too young.
        unknown: Labels of a file whose prediction is in no log, at most some of their ids.
        unknown_count: How many of these there are.
        sources: Source → labels among the new and the changed rows.
        classes: Label → the same.
        wrong: What the new rows say of the model.
        private: Inputs that were left out.
        diffs: What changed in the data.
        written: Files that were written.
        action: What became of the pull request; empty where none was asked for.
        url: Its page.
    """

    schema_version: Literal[1] = 1
    model: str
    table: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    open: tuple[Conflict, ...] = ()
    decided: tuple[Conflict, ...] = ()
    waiting: int = 0
    unknown: tuple[str, ...] = ()
    unknown_count: int = 0
    sources: dict[str, int] = {}
    classes: dict[str, int] = {}
    wrong: Missed = Missed()
    private: tuple[str, ...] = ()
    diffs: tuple[DataDiff, ...] = ()
    written: tuple[str, ...] = ()
    action: Literal["", "opened", "updated", "kept"] = ""
    url: str = Field("", pattern=r"^$|^https?://")

    @property
    def exit_code(self) -> int:
        """0: all is decided; 1: a person must decide something."""
        return 1 if self.open else 0
