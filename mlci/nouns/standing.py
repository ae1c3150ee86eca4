"""Which version stands where: what `mlci status` tells of the registry."""

from __future__ import annotations

from mlci.nouns.base import Noun
from mlci.nouns.registry import Action


class Standing(Noun):
    """One stage of one model.

    Attributes:
        model: The model's name in the registry.
        stage: Such as `prod`.
        version: That it runs; empty where it runs none.
        commit: That the version was built from, in full.
        since: When it came there, in UTC: `2026-03-01T12:00:00Z`; empty where it runs none.
        by: Who put it there.
        tag: The tag that says so.
        evidence: The headline of the verdict that speaks for it; empty where none is known here.
    """

    model: str
    stage: str
    version: str = ""
    commit: str = ""
    since: str = ""
    by: str = ""
    tag: str = ""
    evidence: str = ""


class Released(Noun):
    """One version of one model.

    Attributes:
        model: The model's name in the registry.
        version: Such as `v1.2.0`.
        commit: That it was built from, in full.
        at: When it was released, in UTC.
        by: Who released it.
        withdrawn: Whether it was taken back.
        deprecated: Whether the whole model was ended.
    """

    model: str
    version: str
    commit: str
    at: str
    by: str
    withdrawn: bool = False
    deprecated: bool = False


class Happened(Noun):
    """One step of a version, as one tag says it.

    Attributes:
        tag: The tag.
        model: The model's name in the registry.
        action: What was done.
        version: With which version; empty for the end of a whole model.
        stage: In which stage; empty where it is about none.
        commit: That the tag points at, in full.
        at: When, in UTC.
        by: Who did it.
        said: What they wrote, the first line.
    """

    tag: str
    model: str
    action: Action
    version: str = ""
    stage: str = ""
    commit: str
    at: str
    by: str
    said: str = ""
