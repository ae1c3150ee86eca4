"""Collect what a repository shows of how it is worked in: from Git, the pipeline, workflows, Makefile and ledger."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mlci.edges.dvc_stages import read_stages
from mlci.edges.ledger import LedgerRef
from mlci.edges.makefile import read_recipes
from mlci.edges.workflows import read_workflows
from mlci.errors import WorldError
from mlci.nouns.traces import Change, Traces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlci.edges.git import History

_CODE = {".py", ".R", ".r", ".jl", ".sql", ".scala", ".sh", ".bash", ".ipynb", ""}
_MOST_BYTES, _MOST_FILES = 300_000, 3_000
_OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
_REVIEWED = re.compile(
    r"^Merge pull request #\d+|\(#\d+\)\s*$|^(Reviewed|Approved)-(by|on): |See merge request ",
    re.IGNORECASE | re.MULTILINE,
)


def read_traces(root: Path, history: History) -> Traces:
    """Everything that evidence is looked for in, but the changes of single files.

    Raises:
        WorldError: There is no Git repository, or the ledger cannot be read.
        PolicyError: `dvc.yaml` is no YAML.
    """
    if history.repo is None or history.top is None:
        raise WorldError("this folder is in no Git repository", "`git init`, and commit what you have")
    files = history.files()
    owners = next((name for name in _OWNERS if (history.top / name).is_file()), "")
    pipeline, lock = root / "dvc.yaml", root / "dvc.lock"
    makefile = root / "Makefile"
    return Traces(
        files=tuple(
            dict.fromkeys((*files, *(file for file in history.files(top=True) if file.startswith(".github/"))))
        ),
        texts=_texts(root, files),
        stages=read_stages(_text(pipeline), lock.read_bytes() if lock.is_file() else None)
        if pipeline.is_file()
        else (),
        workflows=read_workflows(history.top),
        recipes=read_recipes(_text(makefile)) if makefile.is_file() else {},
        owned=_owned(_text(history.top / owners), history.prefix) if owners else {},
        owners_file=owners,
        tags=history.tags(),
        uses=len(LedgerRef(root).read().uses),
    )


def read_changes(history: History, paths: tuple[str, ...], most: int) -> tuple[Change, ...]:
    """The newest changes of some files on the branch's own line, and whether they came by review."""
    if not history.head or not paths:
        return ()
    found = []
    for commit in history.touching(history.head, paths):
        message = history.message(commit)
        subject = message.splitlines()[0] if message else ""
        found.append(Change(commit=commit, subject=subject, reviewed=_REVIEWED.search(message) is not None))
        if len(found) >= most:
            break
    return tuple(found)


def _texts(root: Path, files: Iterable[str]) -> dict[str, str]:
    """Content of the code files, as far as they are texts of an ordinary size."""
    found: dict[str, str] = {}
    for name in files:
        file = root / name
        if PurePosixPath(name).suffix not in _CODE or file.is_symlink() or not file.is_file():
            continue
        if file.stat().st_size > _MOST_BYTES:
            continue
        content = file.read_bytes()
        if b"\0" not in content:
            found[name] = content.decode("utf-8", "replace")
        if len(found) >= _MOST_FILES:
            break
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise WorldError(f"{file.name} cannot be read: {error.strerror or error}", "make the file readable") from error


def _owned(text: str, prefix: str) -> dict[str, int]:
    """Patterns of a CODEOWNERS file that name somebody, relative to the project, and their lines."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].split()
        if len(words) > 1:
            pattern = words[0]
            inside = f"/{prefix}/"
            if prefix != "." and f"/{pattern.lstrip('/')}".startswith(inside):
                pattern = f"/{pattern.lstrip('/')}".removeprefix(inside.rstrip("/"))
            found[pattern] = number
    return found
