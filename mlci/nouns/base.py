"""What every noun is: frozen, closed, comparable by value."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Level = Literal["block", "warn", "info"]


class Noun(BaseModel):
    """A frozen value that forbids extra fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Place(Noun):
    """Where in the repository something is said: a file and a line, counted from 1."""

    file: str
    line: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
