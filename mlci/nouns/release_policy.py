"""What a policy promises of releases: `params.yaml: mlci.release`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from mlci.nouns.base import Noun
from mlci.nouns.registry import is_stage
from mlci.nouns.scalars import Duration


class Stage(Noun):
    """One place that versions are promoted to. What must hold before they come there."""

    soak: Duration = Field(timedelta(0), description="how long a version must have been in the stage below: 24h")
    health: str = Field(
        "", description="command that ends with 0 if the stage below is well; it finds MLCI_VERSION and MLCI_STAGE"
    )
    hook: str = Field("", description="command that puts a version in place, run when the stage's tag arrives")


def _listed(value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
    """A list of names is short for stages that ask for nothing."""
    if isinstance(value, list | tuple):
        return {name: {} for name in value}
    return {name: {} if stage is None else stage for name, stage in value.items()} if isinstance(value, dict) else value


class ReleasePolicy(Noun):
    """Which stages there are, lowest first, and what a release must show."""

    stages: Annotated[dict[str, Stage], BeforeValidator(_listed)] = Field(
        {}, description="the stages in their order, lowest first; a version takes them one by one"
    )
    inconclusive: Literal["refuse", "accept"] = Field(
        "refuse", description="whether a verdict of 'not enough data' is evidence enough"
    )
    embed: bool = Field(False, description="whether a bundle holds a page that runs the model offline, in a browser")

    @field_validator("stages")
    @classmethod
    def _nameable(cls, stages: dict[str, Stage]) -> dict[str, Stage]:
        for name in stages:
            if not is_stage(name):
                raise ValueError(f"{name!r} can't be a stage: letters, numbers, '-', '_' and '/' only")
        return stages

    def below(self, stage: str) -> str | None:
        """The stage that comes before, or None for the lowest. Raises KeyError where there is no such stage."""
        names = list(self.stages)
        place = names.index(stage) if stage in names else None
        if place is None:
            raise KeyError(stage)
        return names[place - 1] if place else None
