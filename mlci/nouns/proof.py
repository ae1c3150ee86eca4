"""What a warehouse answered about a table whose answers are known."""

from __future__ import annotations

from mlci.nouns.base import Noun


class Proven(Noun):
    """One kind of question.

    Attributes:
        kind: In words, such as `patterns` or `ranges of text`.
        wrong: What the warehouse said and what is right; empty where it answered right.
    """

    kind: str
    wrong: str = ""


class Proof(Noun):
    """What was asked of an engine.

    Attributes:
        engine: Its name and version.
        statements: How many statements were asked.
        kinds: The kinds of question.
    """

    engine: str
    statements: int = 0
    kinds: tuple[Proven, ...] = ()

    def wrong(self, kind: str) -> str | None:
        """Why a kind of question is refused; None where it is not."""
        return next((each.wrong for each in self.kinds if each.kind == kind and each.wrong), None)

    def joined(self, other: Proof) -> Proof:
        """Both."""
        return Proof(engine=other.engine, statements=self.statements + other.statements, kinds=self.kinds + other.kinds)

    @property
    def refused(self) -> tuple[Proven, ...]:
        """What it answered wrong."""
        return tuple(each for each in self.kinds if each.wrong)
