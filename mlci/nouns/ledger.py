"""How often a test set was used: one entry for every candidate that was judged on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from mlci.nouns.base import Noun
from mlci.nouns.standing import Happened, Released, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = tuple[str, str, tuple[str, ...], str]


class Use(Noun):
    """One candidate was judged on one test set.

    Attributes:
        schema_version: Of this noun; a reader refuses one that it does not know.
        test: SHA-256 of the test table.
        candidate: SHA-256 of the candidate's predictions, or of its model.
        baselines: Versions of what it was compared with, sorted; none in a first run.
        policy: SHA-256 of the gate that it was judged by.
        commit: Commit that was judged; empty outside of a commit.
        change: The pull request or branch that asked for it; empty where that is not known.
        outcome: What the verdict was.
        at: When, in UTC: `2026-03-01T12:00:00.000000Z`.
    """

    schema_version: Literal[1] = 1
    test: str = Field(pattern=r"^[0-9a-f]{64}$")
    candidate: str = Field(pattern=r"^[0-9a-f]{64}$")
    baselines: tuple[str, ...] = ()
    policy: str
    commit: str = ""
    change: str = ""
    outcome: Literal["pass", "inconclusive", "fail"]
    at: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$")

    @property
    def key(self) -> Key:
        """What makes two entries one use: judging the same again tells nobody anything new."""
        return self.test, self.candidate, self.baselines, self.policy

    @property
    def entry(self) -> tuple[Key, str]:
        """What is entered once: two changes that ask the same are one use, but a look of each of them."""
        return self.key, self.change


def union(uses: Iterable[Use]) -> tuple[Use, ...]:
    """Every entry once, as it was first made, oldest first; the order in which ledgers are merged changes nothing."""
    kept: dict[tuple[Key, str], Use] = {}
    for use in sorted(uses, key=lambda use: (use.at, use.model_dump_json())):
        kept.setdefault(use.entry, use)
    return tuple(kept.values())


class Ledger(Noun):
    """All uses of all test sets, oldest first, each once for every change that asked."""

    uses: tuple[Use, ...] = ()

    def of(self, test: str) -> tuple[Use, ...]:
        """The uses of one test set, each once."""
        kept: dict[Key, Use] = {}
        for use in self.uses:
            if use.test == test:
                kept.setdefault(use.key, use)
        return tuple(kept.values())

    def number(self, key: Key) -> int:
        """Which use of its test set this is, counted from 1: its place if it was entered, else the next one."""
        return _place(key, [use.key for use in self.of(key[0])])

    def look(self, change: str, key: Key) -> int:
        """Which look of a change this is, counted from 1, on whatever test set; asking the same again is no new one."""
        return _place(key, [use.key for use in self.uses if use.change == change])


def _place(key: Key, known: list[Key]) -> int:
    return known.index(key) + 1 if key in known else len(known) + 1


class Asked(NamedTuple):
    """What a run asks of its test set, by what is known where it runs.

    Attributes:
        use: Which use of the test set it is, counted from 1; None where it is none, or where nobody counts.
        look: Which look of its pull request it is; None where that is not known either.
    """

    use: int | None = None
    look: int | None = None


Sent = Literal["sent", "kept", "alone"]


class Recorded(Noun):
    """What became of entries.

    Attributes:
        sent: `sent` to the remote; `kept` here until it can be sent; `alone` where there is no remote.
        reason: Why they were kept, in words.
    """

    sent: Sent
    reason: str = ""


class UsedTestSet(Noun):
    """How used one test set is.

    Attributes:
        test: SHA-256 of the table.
        path: Where it is, if it is the policy's.
        used: Uses so far.
        planned: Uses that the policy plans, where it is the policy's.
        uses: The newest uses, newest first.
    """

    test: str
    path: str = ""
    used: int
    planned: int | None = None
    uses: tuple[Use, ...] = ()

    @property
    def left(self) -> int | None:
        """Uses that are left, at least 0."""
        return None if self.planned is None else max(0, self.planned - self.used)


class Status(Noun):
    """Where a project stands: its last verdict, and how used its test sets are.

    Attributes:
        project: Its name.
        outcome: Of the last verdict; None where there is none.
        headline: Of the last verdict.
        commit: That it judged.
        test_sets: The policy's first, then those with the newest uses.
        stages: What every stage of every model runs.
        releases: Every version of every model, newest first.
        history: Everything that happened to them, newest first.
        unsent: Whether entries of the ledger still wait to be sent to the remote.
        note: What else a reader must know.
    """

    project: str
    outcome: Literal["pass", "inconclusive", "fail"] | None = None
    headline: str = ""
    commit: str = ""
    test_sets: tuple[UsedTestSet, ...] = ()
    stages: tuple[Standing, ...] = ()
    releases: tuple[Released, ...] = ()
    history: tuple[Happened, ...] = ()
    unsent: bool = False
    note: str = ""
