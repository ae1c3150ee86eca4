"""The ledger of test sets in a ref of its own: a chain of commits that is only ever added to.

It works on objects and refs alone: no work tree, index, branch, configuration or hook of the user is touched. The tree
holds one file of JSON lines for every test set, `uses/<sha256>.jsonl`, and verdicts to release on,
`evidence/<sha256 of what was judged>/<sha256 of the report>.json`; other files in it are kept.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import git

from mlci.edges.ledger_tree import REF, Entries, Trees
from mlci.edges.own_refs import IDENTITY, OwnRefs, pause, reason_of
from mlci.errors import WorldError
from mlci.nouns.ledger import Ledger, Recorded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mlci.nouns.ledger import Use
    from mlci.nouns.report import Report

_TRIES = 200
_PATIENCE = 3  # failures in a row during which nobody else got ahead either


class LedgerRef(OwnRefs):
    """The ledger of the repository that a folder belongs to, and of its remote."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, "the ledger of test sets")
        self._trees = Trees(self._git)

    def read(self) -> Ledger:
        """All uses that are known here, without asking the remote.

        Raises:
            WorldError: The ledger cannot be read.
        """
        tip = self._tip(REF)
        return Ledger(uses=self._trees.uses(self._trees.entries(tip))) if tip else Ledger()

    @property
    def branch(self) -> str:
        """The branch that is checked out; empty where none is."""
        try:
            return self._text("symbolic-ref", "--quiet", "--short", "HEAD")
        except git.GitCommandError:
            return ""

    @property
    def unsent(self) -> bool:
        """Whether there are entries of which this clone does not know that the remote has them."""
        remote, tip = self.remote, self._tip(REF)
        return remote is not None and tip is not None and tip != self._tip(_tracked(remote))

    @property
    def begun(self) -> bool:
        """Whether anybody counts here, as far as this clone knows."""
        return self._tip(REF) is not None

    def begin(self, at: str) -> None:
        """Count from now on, where nobody did. Raises WorldError where the ledger cannot be written."""
        if not self.begun:
            self._advance((), None, at)

    def fetch(self, at: str) -> Recorded:
        """Take in what the remote has.

        Args:
            at: The moment, in UTC, for the commit that may be needed to join both.

        Returns:
            `sent` where the remote was asked, although entries of this clone may be unsent; else as for `add`.

        Raises:
            WorldError: Either ledger cannot be read, or the local one cannot be written.
        """
        remote = self.remote
        if remote is None:
            return Recorded(sent="alone")
        try:
            theirs = self._theirs(remote, REF)
        except git.GitCommandError as error:
            return Recorded(sent="kept", reason=reason_of(error))
        if theirs:
            self._remember(remote, theirs)
            self._advance((), theirs, at)
        return Recorded(sent="sent")

    def evidence(self, subject: str) -> tuple[Report, ...]:
        """Verdicts on one subject that are known here, without asking the remote.

        Args:
            subject: SHA-256 of what was judged: `Digests.subject`.

        Raises:
            WorldError: The ledger cannot be read.
        """
        tip = self._tip(REF)
        return self._trees.evidence(self._trees.entries(tip), subject) if tip else ()

    def add(self, uses: Iterable[Use], at: str, *, evidence: Iterable[Report] = (), share: bool = True) -> Recorded:
        """Enter uses and verdicts, each once, and share them; those that could not be sent earlier go along.

        Args:
            uses: What to enter.
            at: The moment, in UTC, for the commit.
            evidence: Verdicts to release on. Give only those that were judged here, or by somebody trusted.
            share: Whether to send them.

        Returns:
            What became of them; they are safe in the local ref in any case.

        Raises:
            WorldError: Either ledger cannot be read, or the local one cannot be written.
        """
        self._advance(tuple(uses), None, at, tuple(evidence))
        remote = self.remote
        if remote is None:
            return Recorded(sent="alone")
        return self._send(remote, at) if share else Recorded(sent="kept", reason="nothing was to be shared")

    def _send(self, remote: str, at: str) -> Recorded:
        """Push by compare-and-swap until the remote has everything: whoever loses the race joins and tries again."""
        seen: str | None = None
        failures, reason = 0, ""
        for attempt in range(_TRIES):
            pause(attempt)
            try:
                theirs = self._theirs(remote, REF)
                if theirs != seen:
                    seen, failures = theirs, 0
                ours = self._advance((), theirs, at)
                if ours != theirs:
                    lease = f"--force-with-lease={REF}:{theirs or ''}"
                    self._git("push", "--quiet", "--no-verify", lease, remote, f"{ours}:{REF}")
            except git.GitCommandError as error:
                failures, reason = failures + 1, reason_of(error)
                if failures >= _PATIENCE:
                    break
            else:
                self._remember(remote, ours)
                return Recorded(sent="sent")
        return Recorded(sent="kept", reason=reason)

    def _advance(self, uses: tuple[Use, ...], theirs: str | None, at: str, evidence: tuple[Report, ...] = ()) -> str:
        """Move the local ref to what holds our entries, theirs and the new ones; gives its commit."""
        reason = ""
        for attempt in range(_TRIES):
            pause(attempt)
            ours = self._tip(REF)
            target = self._joined(ours, theirs, uses, at, evidence)
            if target == ours:
                return target
            try:
                self._git("update-ref", REF, target, ours or "")
            except git.GitCommandError as error:
                reason = reason_of(error)
            else:
                return target
        raise WorldError(
            f"the ledger {REF} cannot be written: {reason}",
            "if no other mlci runs here, remove the lock file that Git names, and run the command again",
        )

    def _joined(
        self, ours: str | None, theirs: str | None, uses: tuple[Use, ...], at: str, evidence: tuple[Report, ...]
    ) -> str:
        """A commit with both histories and the new uses: an existing one where that is enough."""
        parents = self._parents(ours, theirs)
        merged: Entries = {}
        for parent in parents:
            merged = self._trees.merged(merged, self._trees.entries(parent))
        entries = self._trees.with_evidence(self._trees.with_uses(merged, uses), evidence)
        if len(parents) == 1 and entries == merged:
            return parents[0]
        said = f"Record {len(uses)} use{'s' if len(uses) != 1 else ''} of a test set" if uses else "Join two ledgers"
        said = said if parents or uses else "Begin the ledger"
        said = "Record a verdict" if evidence and not uses else said
        named = [word for parent in parents for word in ("-p", parent)]
        tree = self._trees.write(entries)
        second = f"{at[:19]}Z"  # Git knows no fractions
        dates = {"GIT_AUTHOR_DATE": second, "GIT_COMMITTER_DATE": second}
        return self._text("commit-tree", tree, *named, "-m", said, env={**IDENTITY, **dates})

    def _parents(self, ours: str | None, theirs: str | None) -> list[str]:
        if ours is None or theirs is None or ours == theirs:
            return [tip for tip in (theirs or ours,) if tip]
        if self._contains(ours, theirs):
            return [ours]
        return [theirs] if self._contains(theirs, ours) else [theirs, ours]

    def _contains(self, newer: str, older: str) -> bool:
        try:
            self._git("merge-base", "--is-ancestor", older, newer)
        except git.GitCommandError:
            return False
        return True

    def _remember(self, remote: str, commit: str) -> None:
        """Note what the remote has. It only serves to tell what is unsent, so losing a race does not matter."""
        with contextlib.suppress(git.GitCommandError):
            self._git("update-ref", _tracked(remote), commit)


def _tracked(remote: str) -> str:
    return f"refs/mlci/remotes/{remote}/ledger"
