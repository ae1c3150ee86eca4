"""How a model is served: `params.yaml: mlci.serve`, and what the server knows of its model."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from mlci.nouns.base import Noun
from mlci.nouns.data_policy import Names
from mlci.nouns.log_url import NO_LOG, SQLITE, is_log, without_password
from mlci.nouns.scalars import Duration, Share, Size
from mlci.nouns.signature import InputType, Signature


class Canary(Noun):
    """A model that answers a share of the requests."""

    model: str = Field(
        min_length=1, description="an ONNX file, a bundle's folder, or a release such as flights#staging"
    )
    share: Share = Field(description="of the requests; the same requester is always answered by the same model")


class ServePolicy(Noun):
    """Where the server listens, what it refuses, and what it keeps."""

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on; 0.0.0.0: all")
    port: int = Field(8080, ge=0, le=65_535, description="0: a free one, which is told")
    log: str = Field(
        "sqlite:///predictions.db",
        description="where predictions and labels are kept: sqlite:///FILE, postgresql://…, or none",
    )
    durable: Literal["before-reply", "behind"] = Field(
        "before-reply", description="whether an answer waits until it is on the disk"
    )
    when_log_fails: Literal["refuse", "answer"] = Field(
        "refuse", description="whether a prediction that can't be kept is refused, or answered and only counted"
    )
    retention: Duration | None = Field(None, description="how long predictions and their labels are kept")
    private: Names = Field((), description="inputs that are never stored")
    body: Size = Field(1_000_000, description="most bytes of a request")
    rows: int = Field(1_000, ge=1, description="most rows of a request")
    time: Duration = Field(timedelta(seconds=10), description="longest time that a request may take")
    header_time: Duration = Field(
        timedelta(seconds=5), description="longest time until the headers of a request have arrived"
    )
    workers: int = Field(1, ge=1, le=256, description="processes that answer")
    follow: Duration | None = Field(
        None, description="how often the tags are read again, and what they name is served; default: on SIGHUP"
    )
    shadow: str | None = Field(
        None, min_length=1, description="a model that is asked the same, and whose answers are only logged"
    )
    canary: Canary | None = Field(None, description="a model that answers a share of the requests")

    @field_validator("body")
    @classmethod
    def _some(cls, body: int) -> int:
        if body < 1:
            raise ValueError(f"a request has at least one byte, not {body}")
        return body

    @field_validator("time", "header_time", "follow")
    @classmethod
    def _lasting(cls, time: timedelta | None) -> timedelta | None:
        if time is not None and time <= timedelta(0):
            raise ValueError("this takes some time, such as 10s")
        return time

    @field_validator("log")
    @classmethod
    def _known(cls, log: str) -> str:
        if not is_log(log):
            raise ValueError(
                f"a log is {SQLITE}FILE, such as {SQLITE}predictions.db, or postgresql://USER@HOST/DATABASE, "
                f"or {NO_LOG}; not {without_password(log)!r}"
            )
        return log

    @field_validator("retention")
    @classmethod
    def _kept(cls, retention: timedelta | None) -> timedelta | None:
        if retention is not None and retention <= timedelta(0):
            raise ValueError(f"predictions are kept for some time, such as 90d; `log: {NO_LOG}` keeps none")
        return retention


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


class Taken(Noun):
    """What may stand in an input.

    Attributes:
        name: Of the input.
        type: Of its values.
        missing: Whether null may stand there.
        empty: Whether an empty text may.
        low: Smallest number.
        high: Largest number.
    """

    name: str
    type: InputType
    missing: bool = False
    empty: bool = True
    low: int | float | None = None
    high: int | float | None = None

    @property
    def expected(self) -> str:
        """In words."""
        words = {"float": "a number", "integer": "a whole number", "string": "a text", "boolean": "true or false"}
        said = words[self.type] if self.empty else "a text that isn't empty"
        return f"{said} or null" if self.missing else said


class Source(Noun):
    """A model that is at hand.

    Attributes:
        asked: How it was asked for: a path, or a release such as `flights#prod`.
        path: The ONNX file, or the folder of its bundle.
        sha256: Of the ONNX file: another one is not served.
        name: In the registry; empty where it is no release.
        version: Of the release.
        commit: That it was built from; empty where nobody knows it.
    """

    asked: str
    path: str
    sha256: str
    name: str = ""
    version: str = ""
    commit: str = ""


class Lineup(Noun):
    """What is to be served together.

    Attributes:
        current: Answers.
        shadow: Is asked the same; nobody sees its answers.
        canary: Answers a share of the requests.
        share: That share.
    """

    current: Source
    shadow: Source | None = None
    canary: Source | None = None
    share: float = 0.0
