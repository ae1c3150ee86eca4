"""What a page or a folder that runs a model without Python knows of it."""

from __future__ import annotations

from typing import Literal

from mlci.nouns.base import Noun
from mlci.nouns.bundle import Example
from mlci.nouns.signature import InputType, Signature

PAGE = "index.html"
ABOUT = "embed.json"
ORT_FOLDER = "ort"
ORT_SCRIPT = "ort.wasm.bundle.min.mjs"
ORT_WASM = "ort-wasm-simd-threaded.wasm"

Element = Literal["float32", "float64", "int32", "int64", "bool", "string"]


class Field(Noun):
    """One input of the model, as a person is asked for it.

    Attributes:
        name: The column's.
        type: What it holds.
        element: Of the tensor that the model takes.
        missing: Whether it may be left out.
        allowed: Values that the policy allows; empty where it names none.
        seen: Texts that examples hold, to choose from.
        low: Smallest value that the policy promises; null where it promises none.
        high: Greatest one.
    """

    name: str
    type: InputType
    element: Element
    missing: bool
    allowed: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


class Embedded(Noun):
    """Everything that the scripts need to know of a model.

    Attributes:
        schema_version: Of this noun.
        name: The model's.
        version: Such as `v1.2.0`; of a model that was not released, the start of its digest.
        commit: That it was built from; empty where nobody knows it.
        purpose: What it is for; empty where nobody said it.
        label: What it tells, as the training table names it; empty where nobody said it.
        sha256: Of the model.
        signature: What it wants and gives.
        positive: Place of the positive class among the classes.
        scores: Names of the columns of scores; none for a regression.
        threshold: Score from which a row is decided positive; null: as the model decides.
        tolerance: By how much a score may differ from Python's.
        matrix: The one input that takes all columns side by side; empty: one input per column.
        fields: The inputs, in their order.
        examples: Rows with their answers: replayed before the first answer is given.
        tool: What wrote this.
        runtime: Name and version of what runs the model.
    """

    schema_version: Literal[1] = 1
    name: str
    version: str
    commit: str = ""
    purpose: str = ""
    label: str = ""
    sha256: str
    signature: Signature
    positive: int
    scores: tuple[str, ...]
    threshold: float | None = None
    tolerance: float = 1e-6
    matrix: str = ""
    fields: tuple[Field, ...]
    examples: tuple[Example, ...] = ()
    tool: str
    runtime: str
