"""The models that are served together: the current one, and those that are on trial beside it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import quote

from mlci.edges.serve.batch import Batcher
from mlci.edges.serve.fields import Fields
from mlci.errors import WorldError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from mlci.edges.onnx.session import OnnxModel
    from mlci.nouns.serve import Served, ServePolicy

Role = Literal["current", "canary", "shadow", "named"]
"""As what a model is asked; `named`: by its version, while others are answered by chance."""
_WHOLE = 2**64


class Side:
    """One model that is ready to be asked.

    Args:
        model: The model.
        served: What is said of it.
        policy: Limits, and what is not stored.
        aside: Where many rows are answered beside the event loop.
    """

    def __init__(self, model: OnnxModel, served: Served, policy: ServePolicy, aside: Executor) -> None:
        self.served = served
        self.fields = Fields(model, policy.rows, policy.private)
        self.batcher = Batcher(model, served.threshold, aside)
        self.score_columns = served.signature.score_columns
        self.stored = tuple(each.name for each in served.signature.inputs if each.name not in policy.private)
        self.about = {"model": served.name, "version": served.version, "commit": served.commit}
        self.infer = f"/v2/models/{quote(served.name)}/infer".encode()
        self.headers = tuple((f"mlci-{key}".encode(), quote(value).encode()) for key, value in self.about.items())


class Cast(NamedTuple):
    """All that is served at a time; a reload puts another one in its place.

    Attributes:
        current: Answers.
        shadow: Is asked what the current one answered; nobody sees what it says.
        canary: Answers a share of the requests.
        share: Of the requests that the canary answers.
        openapi: The description of the interface.
        page: The same as a page.
    """

    current: Side
    shadow: Side | None
    canary: Side | None
    share: float
    openapi: bytes
    page: bytes

    def sides(self) -> dict[Role, Side]:
        """Those that there are, by their role."""
        all_: dict[Role, Side | None] = {"current": self.current, "canary": self.canary, "shadow": self.shadow}
        return {role: side for role, side in all_.items() if side is not None}

    def falls_to_canary(self, key: bytes) -> bool:
        """Whether whoever has this key is answered by the canary: the same for as long as it is the same canary.

        A larger share keeps those of a smaller one.
        """
        if self.canary is None:
            return False
        salt = self.canary.served.version.encode()[:64]
        drawn = int.from_bytes(hashlib.blake2b(key, digest_size=8, key=salt).digest())
        return drawn < self.share * _WHOLE


def must_stand_in(other: Served, current: Served, role: str) -> None:
    """Refuse a model on trial that can't be asked whatever the current one can.

    Raises:
        WorldError: It is of another task or other classes, or wants an input that requests don't have.
    """
    mend = f"a {role} takes requests of the current model: export it with the same inputs, or make it the current one"
    mine, theirs = other.signature, current.signature
    if (mine.task, mine.classes) != (theirs.task, theirs.classes):
        classes = f"{mine.task} of {list(mine.classes)}, not {theirs.task} of {list(theirs.classes)}"
        raise WorldError(f"the {role} {other.name} {other.version} is a model for {classes}", mend)
    known = {each.name: each for each in theirs.inputs}
    for each in mine.inputs:
        there = known.get(each.name)
        if there is None or there.type != each.type or (there.nullable and not each.nullable):
            wanted = f"{each.name!r} ({each.type}{', or null' if each.nullable else ''})"
            raise WorldError(f"the {role} {other.name} {other.version} wants the input {wanted}", mend)
