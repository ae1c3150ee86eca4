"""The ML Test Score: 28 tests in four sections, what each scored, and why.

Breck, Cai, Nielsen, Salib, Sculley (2017): The ML Test Score: A Rubric for ML Production Readiness and Technical Debt
Reduction. A test scores 0, 0.5 (done by hand, results documented) or 1 (automated and run repeatedly); a section is the
sum of its seven tests; the final score is the lowest section's.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, computed_field

from mlci.nouns.base import Noun, Place

Section = Literal["data", "model", "infrastructure", "monitoring"]
How = Literal["automated", "manual", "partial"]

BANDS = (
    (0.0, "More of a research project than a productionized system."),
    (1.0, "Not totally untested, but consider the possibility of serious holes in reliability."),
    (2.0, "A first pass at basic productionization; more investment may be needed."),
    (3.0, "Reasonably tested; more of the tests and procedures may be automated."),
    (5.0, "Strong automated testing and monitoring, fit for mission-critical systems."),
    (7.0, "Exceptional levels of automated testing and monitoring."),
)
"""The paper's table of interpretations: up to which score (inclusive) each holds."""

WORTH: dict[How, float] = {"automated": 1.0, "manual": 0.5, "partial": 0.0}
"""What a piece of evidence scores. What is only part of a test is told, and scores nothing."""


_NAME = r"(data|model|infrastructure|monitoring) [1-7]"


def _test(value: str) -> str:
    if re.fullmatch(_NAME, value) is None:
        raise ValueError(f"the rubric has no test {value!r}: it has `data 1` to `data 7`, {_OTHERS}")
    return value


_OTHERS = "and as many of `model`, `infrastructure` and `monitoring`"
TestName = Annotated[str, AfterValidator(_test), WithJsonSchema({"type": "string", "pattern": f"^{_NAME}$"})]
"""A test by its section and number, as the paper numbers them."""


class Declared(Noun):
    """What a team declares of one test: `mlci.score`.

    Attributes:
        evidence: A file that Git tracks, where the results are documented, or what runs the test is written.
        how: `manual` (0.5), or `automated` (1) where the file itself says when it runs.
        note: What is done, in words.
    """

    evidence: str = Field(description="a file in Git: the documented results, or what runs the test")
    how: Literal["manual", "automated"] = "manual"
    note: str = ""


class Evidence(Noun):
    """What in the repository speaks for a test.

    Attributes:
        how: `automated` (something runs it repeatedly), `manual` (done or written by hand), or `partial`.
        says: In words.
        place: Where it is.
    """

    how: How
    says: str
    place: Place | None = None


class Marked(Noun):
    """One test of the rubric, and what it scored.

    Attributes:
        test: Its name, such as `data 1`.
        title: What it asks for, in the paper's words.
        evidence: What speaks for it, the strongest first.
        next: The next best step; empty at full marks.
    """

    test: str
    title: str
    evidence: tuple[Evidence, ...] = ()
    next: str = ""

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def score(self) -> float:
        """0, 0.5 or 1: the worth of the strongest evidence."""
        return max((WORTH[each.how] for each in self.evidence), default=0.0)


class SectionScore(Noun):
    """Seven tests, and their sum."""

    section: Section
    tests: tuple[Marked, ...]

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def score(self) -> float:
        """The sum of the tests' scores, 0 to 7."""
        return sum(test.score for test in self.tests)


class TestScore(Noun):
    """The whole rubric over one repository."""

    __test__ = False  # pytest collects by name

    project: str
    sections: tuple[SectionScore, ...]

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def score(self) -> float:
        """The final score: that of the weakest section."""
        return min(section.score for section in self.sections)

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def meaning(self) -> str:
        """What the paper says of such a score."""
        return next(meaning for most, meaning in BANDS if self.score <= most)
