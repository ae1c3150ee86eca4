"""The files inside the ledger's commits: read, checked, joined and written as Git objects."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

import git
from pydantic import ValidationError

from mlci.edges.scratch import scratch
from mlci.errors import WorldError
from mlci.nouns.ledger import Use, union
from mlci.nouns.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable

REF = "refs/mlci/ledger"
FOLDER = "uses/"
EVIDENCE = "evidence/"
_ENDING = ".jsonl"
_MEND = (
    f"`git log -p {REF}` shows who changed it; restore the last good commit with `git update-ref {REF} COMMIT` and "
    "push it, or install the newer mlci that wrote it"
)

Entries = dict[str, str]
"""Digest of a blob by the path of its file."""


class Run(Protocol):
    """Runs a Git command in one repository."""

    def __call__(self, *arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> bytes:
        """Its output; raises git.GitCommandError."""


class Trees:
    """Reads and writes the ledger's trees with a given way to run Git."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def entries(self, commit: str) -> Entries:
        """The files of a commit.

        Raises:
            WorldError: It is no commit of files.
        """
        try:
            listed = self._run("ls-tree", "-r", "-z", "--full-tree", commit).decode()
        except (git.GitCommandError, UnicodeDecodeError) as error:
            raise WorldError(f"the ledger {REF} cannot be read: {commit[:10]} is no commit of files", _MEND) from error
        rows = (row.split("\t", 1) for row in listed.split("\0") if row)
        return {path: about.split()[2] for about, path in rows}

    def uses(self, entries: Entries) -> tuple[Use, ...]:
        """All uses in these files.

        Raises:
            WorldError: A file is not as we write it.
        """
        paths = [path for path in entries if path.startswith(FOLDER)]
        contents = self._contents([entries[path] for path in paths])
        return union(use for path, content in zip(paths, contents, strict=True) for use in _parse(path, content))

    def merged(self, one: Entries, other: Entries) -> Entries:
        """The files of both; a file that differs holds the lines of both, and the uses of both once."""
        merged = {**one, **other}
        differ = [path for path, known in one.items() if path in other and other[path] != known]
        for path in differ:
            contents = self._contents([one[path], other[path]])
            if path.startswith(FOLDER):
                text = _dump(use for content in contents for use in _parse(path, content))
            else:
                lines = [line for content in contents for line in content.splitlines(keepends=True)]
                text = b"".join(dict.fromkeys(lines))
            merged[path] = self._store(text)
        return merged

    def with_uses(self, entries: Entries, uses: Iterable[Use]) -> Entries:
        """The same files with these uses entered; nothing changes where all are known.

        Raises:
            WorldError: A file is not as we write it; nothing is written over it.
        """
        known = self.uses(entries)
        entered = {use.entry for use in known}
        added = [use for use in uses if use.entry not in entered]
        tests = {use.test for use in added}
        every = union([*known, *added])
        files = {f"{FOLDER}{test}{_ENDING}": _dump(use for use in every if use.test == test) for test in tests}
        return {**entries, **{path: self._store(text) for path, text in files.items()}}

    def evidence(self, entries: Entries, subject: str) -> tuple[Report, ...]:
        """The verdicts on one subject and what was measured, in the order of their digests.

        Raises:
            WorldError: A file is not as we write it.
        """
        paths = sorted(path for path in entries if path.startswith(f"{EVIDENCE}{subject}/"))
        contents = self._contents([entries[path] for path in paths])
        return tuple(_report(path, content) for path, content in zip(paths, contents, strict=True))

    def with_evidence(self, entries: Entries, reports: Iterable[Report]) -> Entries:
        """The same files and these verdicts, each once: a file is named by its content."""
        told = [one.evidence for one in reports]
        return {**entries, **{_evidence_path(one): self._store(one.model_dump_json().encode()) for one in told}}

    def write(self, entries: Entries) -> str:
        """Digest of the tree of these files. Git builds it in an index of its own, not in the user's."""
        with scratch("tree") as folder:
            env = {"GIT_INDEX_FILE": str(folder / "index")}
            rows = "".join(f"100644 {blob}\t{path}\0" for path, blob in sorted(entries.items()))
            self._run("update-index", "--add", "-z", "--index-info", stdin=rows.encode(), env=env)
            return self._run("write-tree", env=env).decode().strip()

    def _store(self, content: bytes) -> str:
        return self._run("hash-object", "-w", "--stdin", stdin=content).decode().strip()

    def _contents(self, blobs: list[str]) -> list[bytes]:
        if not blobs:
            return []
        try:
            answer = self._run("cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in blobs).encode())
            return _split(answer)
        except (git.GitCommandError, ValueError, IndexError) as error:
            raise WorldError(f"files of the ledger {REF} are missing from the repository", "try `git fsck`") from error


def _split(answer: bytes) -> list[bytes]:
    """Contents out of what `cat-file --batch` answers: a line ending in the size, the content, a newline."""
    contents, at = [], 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        contents.append(answer[end + 1 : end + 1 + size])
        at = end + size + 2
    return contents


def _dump(uses: Iterable[Use]) -> bytes:
    return "".join(f"{use.model_dump_json()}\n" for use in union(uses)).encode()


def _evidence_path(report: Report) -> str:
    named = hashlib.sha256(report.model_dump_json().encode()).hexdigest()
    return f"{EVIDENCE}{report.verdict.digests.subject}/{named}.json"


def _report(path: str, content: bytes) -> Report:
    """A report that lies where its subject belongs."""
    try:
        report = Report.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise WorldError(f"the ledger {REF} cannot be read: {path}: {first['msg']}", _MEND) from error
    if path.split("/")[1] != report.verdict.digests.subject:
        raise WorldError(f"the ledger {REF} cannot be read: {path} is of another subject", _MEND)
    return report


def _parse(path: str, content: bytes) -> tuple[Use, ...]:
    uses = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            use = Use.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            why = f"{where}: {first['msg']}" if where else first["msg"]
            raise WorldError(f"the ledger {REF} cannot be read: {path}, line {number}: {why}", _MEND) from error
        if path != f"{FOLDER}{use.test}{_ENDING}":
            raise WorldError(f"the ledger {REF} cannot be read: {path}, line {number} is of another test set", _MEND)
        uses.append(use)
    return tuple(uses)
