"""The registry's tags in Git: read, made and pushed, all of them or none."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import git

from mlci.errors import WorldError
from mlci.nouns.registry import Event, TagName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.edges.git import History

_FIELDS = ("refname", "objecttype", "*objecttype", "*objectname", "taggername", "taggeremail", "taggerdate:unix")
_FORMAT = "".join(f"%({field})%00" for field in (*_FIELDS, "contents"))
_REJECTED = re.compile(r"! \[(?:remote )?rejected\]\s+(\S+)[^(]*\(([^)]*)\)")
_NO_IDENTITY = 'set `git config user.name "…"` and `git config user.email "…"`: a tag says who made it'


class NewTag(NamedTuple):
    """A tag to be made: its name in the registry's grammar, what it points at, and what it says."""

    name: TagName
    commit: str
    message: str


class Tags:
    """The annotated tags of a repository that are the registry's; lightweight ones say nothing, as in GTO.

    Args:
        history: The repository.
        remote: Where tags are fetched from and pushed to; default: `origin`, or the first one.

    Raises:
        WorldError: There is no repository.
    """

    def __init__(self, history: History, remote: str = "") -> None:
        if history.repo is None:
            raise WorldError("this folder is in no Git repository", "`git init`, and commit what you have")
        self._repo = history.repo
        names = [known.name for known in history.repo.remotes]
        self._remote = remote or ("origin" if "origin" in names or not names else names[0])

    @property
    def shared(self) -> bool:
        """Whether there is a remote to share tags with."""
        return any(remote.name == self._remote for remote in self._repo.remotes)

    def read(self) -> tuple[Event, ...]:
        """Every tag of the registry as an event. Raises WorldError where Git can't tell."""
        text = self._git("for-each-ref", "refs/tags", f"--format={_FORMAT}")
        cells = text.split("\0")
        width = len(_FIELDS) + 1
        records = (cells[start : start + width] for start in range(0, len(cells) - width + 1, width))
        return tuple(event for record in records if (event := _event(record)) is not None)

    def fetch(self) -> None:
        """Take over what others tagged.

        Raises:
            WorldError: The remote can't be asked, or a tag there is not the one known here: somebody moved it.
        """
        if not self.shared:
            return
        try:
            self._git("fetch", self._remote, "refs/tags/*:refs/tags/*")
        except git.GitCommandError as error:
            said = str(error.stderr)
            moved = re.findall(r"(\S+)\s+\(would clobber existing tag\)", said)
            if moved:
                raise WorldError(
                    f"the tag {moved[0]} is another one at {self._remote}: somebody moved it",
                    "find out who and why (a release is never moved); then `git tag -d` the wrong one and fetch again",
                ) from error
            raise WorldError(
                f"the tags of {self._remote} can't be fetched: {_last_line(said)}",
                "look at the address and the credentials: `git remote -v`",
            ) from error

    def create(self, tags: Sequence[NewTag], *, now: datetime | None = None, push: bool = True) -> tuple[Event, ...]:
        """Make annotated tags, and push them in one step: all are there afterwards, or none is.

        They are dated after every tag that there is, a second apart, so that a clock that is behind changes no order.

        Args:
            tags: What to make, in this order.
            now: The moment; default: now.
            push: Whether to share them, where there is a remote.

        Returns:
            The events made.

        Raises:
            WorldError: A tag exists, there is no identity to tag with, or the remote refused; no tag is left behind.
        """
        known = self.read()
        start = max([now or datetime.now(UTC), *(event.at + timedelta(seconds=1) for event in known)])
        made: list[str] = []
        try:
            for place, tag in enumerate(tags):
                self._create(tag, start.replace(microsecond=0) + timedelta(seconds=place))
                made.append(str(tag.name))
            if push and self.shared:
                self._push(made)
        except BaseException:
            for name in made:
                self._git("tag", "--delete", name)
            raise
        read = {event.tag: event for event in self.read()}
        return tuple(read[name] for name in made)

    def _create(self, tag: NewTag, at: datetime) -> None:
        # The date is the tagger's, which is what the order of events is read from.
        environment = {**os.environ, "GIT_COMMITTER_DATE": f"{int(at.timestamp())} +0000"}
        command = [
            "git",
            "tag",
            "--annotate",
            "--cleanup=whitespace",
            "--message",
            tag.message,
            str(tag.name),
            # Where a tag names the commit, the new one must not point at that tag.
            f"{tag.commit}^{{commit}}",
        ]
        try:
            self._repo.git.execute(command, env=environment)
        except git.GitCommandError as error:
            said = str(error.stderr)
            if "already exists" in said:
                raise WorldError(
                    f"the tag {tag.name} exists already", "a tag is never moved: take the next number"
                ) from error
            if "tell me who you are" in said or "empty ident" in said or "auto-detect email" in said:
                raise WorldError("Git doesn't know who you are", _NO_IDENTITY) from error
            raise WorldError(f"the tag {tag.name} can't be made: {_last_line(said)}") from error

    def _push(self, names: Sequence[str]) -> None:
        refs = [f"refs/tags/{name}" for name in names]
        try:
            self._git("push", "--quiet", "--atomic", self._remote, *refs)
        except git.GitCommandError as error:
            said = str(error.stderr)
            refused = _REJECTED.search(said)
            if refused and "already exists" in said:
                raise WorldError(
                    f"{refused[1]} exists at {self._remote} already: somebody was faster",
                    "`git fetch --tags`, look at `mlci status`, and try again",
                ) from error
            why = refused[2] if refused else _last_line(said)
            raise WorldError(
                f"{self._remote} refused the tags: {why}",
                "whoever may push tags may promote: ask who may (tag rulesets on GitHub), or look at your credentials",
            ) from error

    def _git(self, *arguments: str) -> str:
        return str(self._repo.git.execute(["git", *arguments]))


def _event(record: Sequence[str]) -> Event | None:
    ref, kind, target, commit, name, email, seconds, message = record
    tag = ref.strip().removeprefix("refs/tags/")
    parsed = TagName.parse(tag)
    if kind != "tag" or target != "commit" or parsed is None or not seconds:
        return None
    return Event(
        action=parsed.action,
        artifact=parsed.artifact,
        version=parsed.version,
        stage=parsed.stage,
        commit=commit,
        at=datetime.fromtimestamp(int(seconds), UTC),
        author=name,
        email=email.strip("<>"),
        message=message.strip(),
        tag=tag,
        counter=parsed.counter,
    )


def _last_line(text: str) -> str:
    lines = [line.strip(" '\"") for line in text.splitlines() if line.strip(" '\"")]
    return lines[-1] if lines else "no reason was given"
