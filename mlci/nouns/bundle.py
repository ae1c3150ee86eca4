"""What a release hands to whoever uses the model: one folder that speaks for itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlci.nouns.base import Noun
from mlci.nouns.finding import Verdict
from mlci.nouns.policy import Cost
from mlci.nouns.report import MetricRow, SliceValue
from mlci.nouns.signature import Signature

MODEL = "model.onnx"
MANIFEST = "model.json"
CARD = "card.md"
PAGE = "card.html"
VERDICT = "verdict.json"
POLICY = "params.yaml"
BOM = "bom.cdx.json"
SUMS = "SHA256SUMS"
EMBEDDED = "embed.html"
"""The page that runs the model in a browser, in bundles whose policy asks for it."""
FILES = (MODEL, MANIFEST, CARD, PAGE, VERDICT, POLICY, BOM, SUMS)
"""What a bundle holds at least."""

Cell = bool | int | float | str | None


class Example(Noun):
    """A row that the model was asked, and its answer: every runtime can replay it.

    Attributes:
        inputs: Value by column; null is a missing one.
        prediction: What the model decided, as text.
        outputs: Its scores by their columns in a predictions table, or the one number of a regression.
    """

    inputs: dict[str, Cell]
    prediction: str
    outputs: dict[str, float]


DataUse = Literal["training", "testing", "predictions", "data"]


class DataVersion(Noun):
    """One table as the release's commit names it.

    Attributes:
        path: In the repository.
        version: `git:…` or `md5:…`.
        use: What for: `training`, `testing`, `predictions`, or `data` where the policy only promises something of it.
        sha256: Of its content; empty where it is no file of the repository.
        rows: How many; null where it is no file of the repository.
        since: Smallest value of its first time column, where it has one.
        until: Greatest value of it.
    """

    path: str
    version: str
    use: DataUse = "data"
    sha256: str = ""
    rows: int | None = None
    since: str = ""
    until: str = ""


class Manifest(Noun):
    """Everything that a bundle says of itself; deterministic: built again from the same tag, it is the same bytes.

    Attributes:
        schema_version: Of this noun; a reader refuses one that it does not know.
        name: The model's name in the registry.
        version: Such as `v1.2.0`.
        commit: That it was built from, in full.
        released: When it was tagged, in UTC.
        tool: Name and version of what built it.
        sha256: Of `model.onnx`.
        signature: What the model wants and gives.
        threshold: Score from which a row is decided positive; null where there is none.
        tolerance: By how much a score may differ on another machine.
        examples: Rows with their answers.
        purpose: What the model is for.
        owner: Who answers for it.
        population: Whom it was made for.
        cost: What its errors cost.
        data: The tables it was made and tested with.
    """

    schema_version: Literal[1] = 1
    name: str
    version: str
    commit: str
    released: str
    tool: str
    sha256: str
    signature: Signature
    threshold: float | None = None
    tolerance: float = 1e-6
    examples: tuple[Example, ...] = ()
    purpose: str
    owner: str
    population: str = ""
    cost: Cost | None = None
    data: tuple[DataVersion, ...] = ()


class Card(Noun):
    """What a model card tells.

    Attributes:
        manifest: Of the bundle.
        verdict: That the release stands on.
        metrics: Measured on all test rows, with their intervals.
        slices: The same in the slices that the policy names.
        notes: What changed for users of the model since the last release.
        previous: The last release's version; empty for a first one.
        page_bytes: Size of the page that runs the model in a browser; 0 where the bundle holds none.
    """

    manifest: Manifest
    verdict: Verdict
    metrics: tuple[MetricRow, ...] = ()
    slices: tuple[SliceValue, ...] = ()
    notes: tuple[str, ...] = ()
    previous: str = ""
    page_bytes: int = 0


Kind = Literal["key", "certificate", "sigstore"]


class Checked(Noun):
    """One thing that was verified.

    Attributes:
        what: In a few words.
        held: Whether it is as it must be; null where there was nothing to check by.
        said: What was found.
    """

    what: str
    held: bool | None
    said: str = ""


class Verification(Noun):
    """What became of verifying a bundle.

    Attributes:
        source: What was looked at.
        name: What the bundle calls itself.
        version: What it calls its version.
        commit: That it says it was built from.
        released: When it says that it was tagged.
        checks: What was verified.
    """

    source: str
    name: str = ""
    version: str = ""
    commit: str = ""
    released: str = ""
    checks: tuple[Checked, ...] = Field(())

    @property
    def held(self) -> bool:
        """Whether nothing was found wrong."""
        return all(check.held is not False for check in self.checks)


class Pulled(Noun):
    """A release that was put in place.

    Attributes:
        name: The model's name in the registry.
        version: Such as v1.2.0.
        commit: That it was built from.
        files: What is there now: the bundle's folder and its signature, or the model alone.
        checks: What was verified before.
    """

    name: str
    version: str
    commit: str
    files: tuple[str, ...]
    checks: tuple[Checked, ...] = ()
