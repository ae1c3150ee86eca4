"""An exception from a promise, with a reason, somebody who stands for it, and an end."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from mlci.nouns.base import Noun

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Waiver(Noun):
    """Lets one check fail without blocking, until a day.

    An expired waiver blocks, and one that nothing needs is named: waivers do not pile up.
    """

    check: Words = Field(description="id of the check, as a report names it: gate.accuracy.drop")
    reason: Words = Field(description="why the failure is acceptable for now")
    approver: Words = Field(description="who stands for it")
    until: date = Field(description='the last day that it holds, between quotes: "2027-01-31"')
