"""What a model wants and gives, and where it came from: the words stored inside the model file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from mlci.nouns.base import Noun

if TYPE_CHECKING:
    from collections.abc import Mapping

ClassLabel = StrictBool | StrictInt | StrictStr
"""A class as the training labels name it."""

InputType = Literal["float", "integer", "string", "boolean"]

SIGNATURE_KEY = "mlci.signature"
_PROVENANCE_KEYS = ("data_digest", "commit", "params", "mlci_version")


class Input(Noun):
    """One column that the model reads.

    A column that is not nullable was never missing in training, and the model's answer to a missing
    value there was not proven equal to the estimator's: it is refused at the door.
    """

    name: str = Field(min_length=1)
    type: InputType
    nullable: bool = True


class Signature(Noun):
    """What a model wants and gives: stored as JSON in the model file's metadata."""

    model: str
    task: Literal["binary", "multiclass", "regression"]
    inputs: tuple[Input, ...] = Field(min_length=1)
    classes: tuple[ClassLabel, ...] = ()
    positive: ClassLabel | None = Field(None, description="binary: the class that `score` is of; default: the last")

    @model_validator(mode="after")
    def _classes_fit_the_task(self) -> Self:
        fits = {"binary": len(self.classes) == 2, "multiclass": len(self.classes) >= 2, "regression": not self.classes}  # noqa: PLR2004 - a binary model has two classes
        if not fits[self.task]:
            raise ValueError(f"a {self.task} model cannot have the classes {list(self.classes)}")
        names = [each.name for each in self.inputs]
        if len(set(names)) != len(names):
            raise ValueError(f"an input is named twice: {names}")
        if self.positive is not None and self.positive not in self.classes:
            raise ValueError(f"the positive class {self.positive!r} is not among {list(self.classes)}")
        return self

    @property
    def score_columns(self) -> tuple[str, ...]:
        """The score columns of a predictions table: `score`, one `score_<class>` per class, or none."""
        if self.task == "binary":
            return ("score",)
        return tuple(f"score_{label}" for label in self.classes)

    @property
    def positive_class(self) -> ClassLabel | None:
        """The class that `score` is of, where there are classes."""
        return self.classes[self.positive_index] if self.classes else None

    @property
    def positive_index(self) -> int:
        """Which column of the class probabilities is the score of a binary model."""
        return len(self.classes) - 1 if self.positive is None else self.classes.index(self.positive)


class Provenance(Noun):
    """Where a model came from. Nothing here may differ between two equal builds: no clock, no host, no path."""

    data_digest: str = ""
    commit: str = ""
    params: str = Field("{}", description="the parameters of the training, as canonical JSON")
    mlci_version: str = ""


def canonical_json(value: object) -> str:
    """Return the same text for the same value: sorted keys, no spaces.

    >>> canonical_json({"b": 1, "a": 2})
    '{"a":2,"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def to_metadata(signature: Signature, provenance: Provenance) -> dict[str, str]:
    """Return the key-value pairs to store in a model file, sorted by key."""
    pairs = {f"mlci.{key}": getattr(provenance, key) for key in _PROVENANCE_KEYS}
    pairs[SIGNATURE_KEY] = canonical_json(signature.model_dump(mode="json"))
    return dict(sorted(pairs.items()))


def from_metadata(pairs: Mapping[str, str]) -> tuple[Signature, Provenance] | None:
    """Return what `to_metadata` stored, or None where the model was made by another tool.

    Raises:
        ValueError: The stored signature cannot be read.
    """
    if SIGNATURE_KEY not in pairs:
        return None
    provenance = {key: pairs.get(f"mlci.{key}", "") for key in _PROVENANCE_KEYS}
    return Signature.model_validate_json(pairs[SIGNATURE_KEY]), Provenance(**provenance)
