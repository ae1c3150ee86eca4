"""What retraining goes by, what it decides, and what it keeps."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mlci.nouns.alarm import Cause
from mlci.nouns.base import Noun
from mlci.nouns.comment import Commit, Url

TriggerKind = Literal["alarm", "schedule", "labels", "data", "hand"]
Guard = Literal["no loss", "cooldown", "labels", "data", "refused", "closed", "foreign branch"]
Action = Literal["none", "wait", "keep", "open", "update"]
End = Literal["offered", "refused", "closed", "merged"]


class AlarmOn(Noun):
    """An alarm of monitoring that is on.

    Attributes:
        cause: Of it.
        since: When it was raised, in UTC.
        headline: What it says; may be hostile.
        issue: Number of its issue; None where none is known.
    """

    cause: Cause
    since: str = ""
    headline: str = ""
    issue: int | None = None


class DataVersion(Noun):
    """The data that a model would be trained on, beside the data that the current one was trained on.

    Attributes:
        current: The value of the policy's parameter now; empty where none is moved.
        next: Names the version that would be made, such as `data.until=2013-07`; empty where only making it tells.
        value: The value that the parameter would have; empty where none is moved.
        newer: Whether that is newer than what there is; None where only making it tells.
    """

    current: str = ""
    next: str = ""
    value: str = ""
    newer: bool | None = None


class Attempt(Noun):
    """One challenger that was trained and judged.

    Attributes:
        at: When it was trained.
        data: Names its data, as `DataVersion.next` does, or by a digest.
        end: What became of it: `offered` in a pull request, `refused` by the gate, `closed` by a person, `merged`.
        why: What decided; may be hostile.
        commit: Of the challenger, where it was offered.
        base: The commit it was made from.
        pull: Number of the pull request; None where there is none.
    """

    at: datetime
    data: str
    end: End
    why: str = ""
    commit: Commit = ""
    base: Commit = ""
    pull: int | None = None


class RetrainState(Noun):
    """What is kept of one model between runs; the newest attempt comes last."""

    schema_version: Literal[1] = 1
    model: str
    attempts: tuple[Attempt, ...] = ()


class Offered(Noun):
    """The open pull request that offers a challenger.

    Attributes:
        number: Of it.
        data: Names the data of its challenger.
        outdated: Whether what it was made from is not what the base branch holds now.
        foreign: Whether somebody else pushed to its branch.
        url: Its page.
    """

    number: int
    data: str = ""
    outdated: bool = False
    foreign: bool = False
    url: Url = ""


class Facts(Noun):
    """All that a decision goes by.

    Attributes:
        now: The moment.
        trained: When the current model was trained; None where nobody knows.
        data: What it would be trained on.
        alarms: Those that are on; None where nobody watches.
        labels: Labels that came since the current model was trained; None where nobody counts.
        attempts: Challengers so far, the newest last.
        offered: The open pull request.
        by_hand: Whether a person asks.
        again: Whether that person wants a challenger on data on which one was refused already.
    """

    now: datetime
    trained: datetime | None = None
    data: DataVersion = DataVersion()
    alarms: tuple[AlarmOn, ...] | None = None
    labels: int | None = Field(None, ge=0)
    attempts: tuple[Attempt, ...] = ()
    offered: Offered | None = None
    by_hand: bool = False
    again: bool = False


class Trigger(Noun):
    """Something that asks for a new model, and why; the sentence may be hostile."""

    kind: TriggerKind
    why: str


class Held(Noun):
    """A guard that holds a training back, and why; the sentence may be hostile."""

    guard: Guard
    why: str


class Decision(Noun):
    """Whether a challenger is trained now.

    Attributes:
        action: `none` nothing asks, `wait` a guard holds it back, `keep` the open pull request offers it already,
            `open` train and offer it, `update` train it and renew the open pull request.
        triggers: What asks.
        held: What holds it back, or why something that was seen asks for nothing.
        data: What it would be trained on.
    """

    action: Action
    triggers: tuple[Trigger, ...] = ()
    held: tuple[Held, ...] = ()
    data: DataVersion = DataVersion()

    @property
    def trains(self) -> bool:
        """Whether a challenger is to be trained."""
        return self.action in {"open", "update"}

    @property
    def headline(self) -> str:
        """Why, in one line."""
        asked = "; ".join(each.why for each in self.triggers) or "nothing asks for a new model"
        held = "; ".join(each.why for each in self.held)
        match self.action:
            case "none":
                return f"nothing to do: {held or asked}"
            case "wait":
                return f"held back: {held} (asked for: {asked})"
            case "keep":
                return f"the open pull request offers it already ({asked})"
            case "open" | "update":
                return f"train: {asked}"
