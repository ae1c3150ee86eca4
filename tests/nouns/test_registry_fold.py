"""Versions and the names of tags."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from gto.constants import tag_re
from hypothesis import given
from hypothesis import strategies as st

from mlci.nouns.registry import Event, Registry, SemVer, TagName

# https://semver.org, item 11: the precedence that the specification gives as its example.
PRECEDENCE = [
    "v1.0.0-alpha",
    "v1.0.0-alpha.1",
    "v1.0.0-alpha.beta",
    "v1.0.0-beta",
    "v1.0.0-beta.2",
    "v1.0.0-beta.11",
    "v1.0.0-rc.1",
    "v1.0.0",
]


def test_versions_are_ordered_as_the_specification_says() -> None:
    assert [str(one) for one in sorted(SemVer(text) for text in reversed(PRECEDENCE))] == PRECEDENCE
    assert all(SemVer(low) < SemVer(high) for low, high in pairwise(PRECEDENCE))
    assert SemVer("v1.9.0") < SemVer("v1.10.0")
    assert SemVer("v1.0.0+a") == SemVer("v1.0.0+b")


@pytest.mark.parametrize(
    "text", ["1.0.0", "v1.0", "v01.0.0", "v1.0.0-01", "v1.0.0-", "v1.0.0+", "v\u0661.0.0", "v1.0.0\n"]
)
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        SemVer(text)


def test_the_next_version() -> None:
    assert [str(SemVer("v1.2.3").bump(part)) for part in ("major", "minor", "patch")] == ["v2.0.0", "v1.3.0", "v1.2.4"]


@pytest.mark.parametrize(
    ("tag", "parsed"),
    [
        ("flights@v1.2.0", TagName("register", "flights", version="v1.2.0")),
        ("flights@v1.2.0!", TagName("deregister", "flights", version="v1.2.0")),
        ("flights#prod#3", TagName("assign", "flights", stage="prod", counter=3)),
        ("flights#prod!#4", TagName("unassign", "flights", stage="prod", counter=4)),
        ("flights@deprecated", TagName("deprecate", "flights")),
        ("services/eta=flights@v2.0.0-rc.1", TagName("register", "services/eta:flights", version="v2.0.0-rc.1")),
    ],
)
def test_the_grammar_of_tags(tag: str, parsed: TagName) -> None:
    assert TagName.parse(tag) == parsed
    assert str(parsed) == tag


@given(st.from_regex(re.compile(r"[a-z1=/@#!.v-]{1,12}", re.ASCII), fullmatch=True))
def test_the_grammar_is_that_of_gto(text: str) -> None:
    theirs = tag_re.search(text)
    ours = TagName.parse(text)
    assert (ours is None) == (theirs is None or bool(theirs["created"]))
    if ours is not None and theirs is not None:
        assert (ours.artifact.replace(":", "="), ours.version, ours.stage) == (
            theirs["artifact"],
            theirs["version"],
            theirs["stage"],
        )


def test_withdrawals_bring_back_what_was_before() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    said = ["m@v1.0.0", "m@v1.1.0", "m#prod#1", "m#prod#2", "m#prod!#3"]
    commits = ["a", "b", "a", "b", "b"]
    events = []
    for place, (tag, commit) in enumerate(zip(said, commits, strict=True)):
        name = TagName.parse(tag)
        assert name is not None
        events.append(
            Event(
                action=name.action,
                artifact=name.artifact,
                version=name.version,
                stage=name.stage,
                commit=commit,
                at=start + timedelta(seconds=place),
                tag=tag,
                counter=name.counter,
            )
        )

    def runs(count: int) -> str | None:
        release = Registry.fold(reversed(events[:count])).artifacts["m"].in_stage("prod")
        return release.version if release else None

    assert [runs(count) for count in range(1, 6)] == [None, None, "v1.0.0", "v1.1.0", "v1.0.0"]
    assert Registry.fold(events).next_counter("m") == 4
    assert Registry.fold(events).next_counter("other") == 1
