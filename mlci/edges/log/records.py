"""What the log keeps, and what becomes of it."""

from __future__ import annotations

import time
from typing import NamedTuple


class LogError(Exception):
    """The log took nothing: the disk is full, the file is gone or locked, or the database doesn't answer."""


class RowError(LogError):
    """The log is well, and can't keep this row."""


class LostError(LogError):
    """The connection is gone; a new one may be had at once."""


class Record(NamedTuple):
    """One prediction, as it is stored; inputs, prediction and scores are JSON.

    Attributes:
        request: Id of the prediction that the client got for the row: of a shadow's, the one that it stands behind.
        role: `current`, `canary`, `named` (a client asked for the version while there was a canary), or `shadow`,
            whose answers no client sees.
    """

    id: str
    at: float
    model: str
    version: str
    commit: str
    inputs: str
    prediction: str
    scores: str
    request: str
    role: str = "current"


class Label(NamedTuple):
    """The true value of a prediction, as JSON, and who says so (empty where nobody is named)."""

    id: str
    label: str
    at: float
    source: str = ""


class Joined(NamedTuple):
    """What became of a label.

    Attributes:
        known: Whether there is such a prediction; nothing is stored where there is none.
        duplicate: Whether its source has said the same before.
        contradicts: The label that counted before and differs, as JSON; None where there is none.
        after: Seconds since the prediction.
        made_by: Model, version and commit that predicted it.
    """

    known: bool
    duplicate: bool = False
    contradicts: str | None = None
    after: float = 0.0
    made_by: tuple[str, str, str] = ("", "", "")


def now() -> float:
    """Seconds since 1970, in UTC."""
    return time.time()
