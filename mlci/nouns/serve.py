"""How a model is served: `params.yaml: mlci.serve`, and what the server knows of its model."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from mlci.nouns.base import Noun
from mlci.nouns.data_policy import Names
from mlci.nouns.scalars import Duration, Size
from mlci.nouns.signature import Signature

NO_LOG = "none"
_SQLITE = "sqlite:///"


class ServePolicy(Noun):
    """Where the server listens, what it refuses, and what it keeps."""

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on; 0.0.0.0: all")
    port: int = Field(8080, ge=0, le=65_535, description="0: a free one, which is told")
    log: str = Field(
        "sqlite:///predictions.db", description="where predictions and labels are kept: sqlite:///FILE, or none"
    )
    durable: Literal["before-reply", "behind"] = Field(
        "before-reply", description="whether an answer waits until it is on the disk"
    )
    private: Names = Field((), description="inputs that are never stored")
    body: Size = Field(1_000_000, description="most bytes of a request")
    rows: int = Field(1_000, ge=1, description="most rows of a request")
    time: Duration = Field(timedelta(seconds=10), description="longest time that a request may take")

    @field_validator("body")
    @classmethod
    def _some(cls, body: int) -> int:
        if body < 1:
            raise ValueError(f"a request has at least one byte, not {body}")
        return body

    @field_validator("time")
    @classmethod
    def _lasting(cls, time: timedelta) -> timedelta:
        if time <= timedelta(0):
            raise ValueError("a request needs some time, such as 10s")
        return time

    @field_validator("log")
    @classmethod
    def _known(cls, log: str) -> str:
        if log != NO_LOG and not (log.startswith(_SQLITE) and len(log) > len(_SQLITE)):
            raise ValueError(f"a log is {_SQLITE}FILE, such as {_SQLITE}predictions.db, or {NO_LOG}; not {log!r}")
        return log

    @property
    def log_file(self) -> str | None:
        """The file of the log; None: nothing is kept."""
        return None if self.log == NO_LOG else self.log.removeprefix(_SQLITE)


class Served(Noun):
    """What a server says of its model.

    Attributes:
        name: The model's name.
        version: Such as `v1.2.0`; of a model that was not released, the start of its digest.
        commit: That it was built from; empty where nobody knows it.
        signature: What it wants and gives.
        threshold: Score from which a row is decided positive; null where there is none.
        fault: Why it may not answer; empty: it may.
    """

    name: str
    version: str
    commit: str = ""
    signature: Signature
    threshold: float | None = None
    fault: str = ""
