"""What a doctor finds in a repository: one line a check, with its mend."""

from __future__ import annotations

from typing import Literal

from pydantic import computed_field

from mlci.nouns.base import Noun, Place

Standing = Literal["fine", "warning", "failure", "not_asked"]
Group = Literal["Git", "Policy", "Pipeline", "Storage", "Model", "Workflows", "GitHub"]


class Diagnosed(Noun):
    """One thing that was looked at.

    Attributes:
        check: Its id, such as `git.shallow`.
        group: What it is about.
        standing: `fine`; `warning` (the loop works, but less well or less safely); `failure` (the loop would fail);
            `not_asked` (nobody could look).
        says: What was found.
        mend: What to do about it; empty where it is fine.
        place: Where it is written.
    """

    check: str
    group: Group
    standing: Standing
    says: str
    mend: str = ""
    place: Place | None = None


class Diagnosis(Noun):
    """Everything that was looked at, in the order of the groups."""

    project: str
    checks: tuple[Diagnosed, ...]

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def failed(self) -> bool:
        """Whether something would make the loop fail."""
        return any(check.standing == "failure" for check in self.checks)

    def count(self, standing: Standing) -> int:
        """How many checks ended so."""
        return sum(check.standing == standing for check in self.checks)
