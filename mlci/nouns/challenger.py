"""A challenger that was trained and judged, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mlci.nouns.base import Noun
from mlci.nouns.comment import Commit, Ending, Spent, Url
from mlci.nouns.report import DataDiff
from mlci.nouns.retrain import Decision

Offer = Literal["", "opened", "updated", "kept", "pushed", "refused", "merged"]


class Challenger(Noun):
    """A new model that was trained on new data, and what the gate said of it. It is handed from run to run as JSON.

    Attributes:
        model: Name of the model.
        at: When it was trained.
        decision: Why.
        data: Names its data.
        base: The commit it was made from.
        base_branch: The branch that holds it.
        commit: That holds it; empty where nothing was made that could be offered.
        outcome: What the gate said.
        blocked: Whether it may not be merged.
        headline: The verdict in one line; may be hostile.
        why: Why it is refused, in a sentence; empty where it is not.
        fresh: Test rows that neither model was trained on; None where nothing was compared.
        diffs: What changed in the data.
        stages: What ran for it, and how long.
        seconds: What all of it took.
        price: What that cost; None where nobody says.
        currency: Of the price.
        found: Whether it was found on the branch, made by a run that did not end, and not trained again.
    """

    schema_version: Literal[1] = 1
    model: str = Field(max_length=200)
    at: datetime
    decision: Decision
    data: str = Field(max_length=500)
    base: Commit
    base_branch: str = Field(max_length=250)
    commit: Commit = ""
    outcome: Ending
    blocked: bool
    headline: str = Field("", max_length=4_000)
    why: str = Field("", max_length=4_000)
    fresh: int | None = None
    diffs: tuple[DataDiff, ...] = ()
    stages: tuple[Spent, ...] = ()
    seconds: float = 0.0
    price: float | None = None
    currency: str = ""
    found: bool = False

    @property
    def refused(self) -> bool:
        """Whether it is not offered."""
        return self.blocked or bool(self.why) or not self.commit


class Retraining(Noun):
    """What a run of `mlci retrain` did.

    Attributes:
        model: Name of the model.
        decision: Whether a challenger was to be trained, and why or why not; None where it was decided elsewhere.
        challenger: The one that was trained.
        offer: What became of it; empty where nothing was to be offered, or somebody else is to offer it.
        pull: Number of the pull request.
        url: Its page.
        headline: In one line; may be hostile.
        problems: What the forge did not let happen, each with its mend.
    """

    schema_version: Literal[1] = 1
    model: str
    decision: Decision | None = None
    challenger: Challenger | None = None
    offer: Offer = ""
    pull: int | None = None
    url: Url = ""
    headline: str
    problems: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 done or nothing to do, 1 the challenger was refused, 3 the forge did not take it."""
        if self.problems:
            return 3
        made = self.challenger
        return 1 if made is not None and made.refused and made.outcome != "unchanged" else 0
