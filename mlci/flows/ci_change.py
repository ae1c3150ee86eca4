"""What of a project's pipeline a change touches, told from Git and the project's files alone."""

from __future__ import annotations

import fnmatch
import posixpath
from typing import TYPE_CHECKING, Any

from mlci.edges.git import History
from mlci.edges.pipeline_files import Pipeline, differing, load_yaml, read_pipeline
from mlci.flows.ci_environment import PHRASE, differs, installs
from mlci.flows.policy_files import policy_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.edges.base import Change
    from mlci.nouns.policy import PolicyFile

_WORKFLOWS = (".github/workflows/", ".github/actions/", ".gitlab-ci.yml", "action.yml", "action.yaml")
_DVC_FILES = (".dvc/config", ".dvcignore")


def touched(policy: PolicyFile, history: History, change: Change) -> tuple[str, ...]:
    """What of the pipeline changed, a phrase each: `parameter train.max_iter`; none where the change touches nothing.

    Args:
        policy: Of the project.
        history: Of the repository.
        change: The base, and the files that differ since then.
    """
    if not change.base:
        return ("everything: there is no earlier commit to compare with",)
    assert history.top is not None  # noqa: S101 - there is a commit
    looked = _Looker(History(history.top), history.path("").rstrip("/"), policy, change.base)
    return tuple(dict.fromkeys(why for path in change.files for why in looked.why(path)))


class _Looker:
    """Knows what belongs to one project's pipeline. Paths start at the repository's top."""

    def __init__(self, top: History, folder: str, policy: PolicyFile, base: str) -> None:
        self.top = top
        self.folder = "" if folder == "." else folder
        self.base = base
        self.policy_file = self._own(policy.file)
        self.named = {self._own(file.path): file.what for file in policy_files(policy.policy)}
        self.pipeline: Pipeline = read_pipeline(top, self.folder)
        self.pipeline.reads_key(self.policy_file, ["mlci"])

    def why(self, path: str) -> Iterator[str]:
        """Why a changed file matters."""
        if path in self.pipeline.files or self._is_dvc_file(path):
            if self._says_something_else(path):
                yield f"pipeline file {path}"
        elif path in self.pipeline.params:
            yield from self._parameters(path)
        elif what := next((what for pattern, what in self.named.items() if _covers(pattern, path)), None):
            yield f"{what} {path}"
        elif any(_covers(each, path) for each in self.pipeline.deps):
            yield f"dependency {path}"
        elif any(_covers(each, path) for each in self.pipeline.outs):
            yield f"output {path}"
        elif around := self._around(path):
            yield around
        elif not self.pipeline.complete and path.startswith(self.folder):
            yield f"file {path}, of which only DVC can tell whether a stage reads it"

    def _around(self, path: str) -> str:
        """What a file is of that no stage names: the environment or a workflow; nothing where it is neither."""
        if installs(path, self.folder) and differs(path, self.top.read(self.base, path), self._here(path)):
            return f"{PHRASE}{path}"
        return f"workflow {path}" if path.startswith(_WORKFLOWS) and self._names_us(path) else ""

    def _is_dvc_file(self, path: str) -> bool:
        if path in {*_DVC_FILES, *(self._own(name) for name in _DVC_FILES)}:
            return True
        if not path.endswith(".dvc"):
            return False
        return path.startswith(f"{self.folder}/" if self.folder else "") or any(
            _covers(path.removesuffix(".dvc"), each) for each in self.pipeline.deps
        )

    def _parameters(self, path: str) -> Iterator[str]:
        keys = self.pipeline.params[path]
        if not path.endswith((".yaml", ".yml", ".json")):
            yield f"parameters in {path}"
            return
        old, new = self._values(path)
        for leaf in differing(old, new):
            if keys is None or any(_covers_key(key, leaf) for key in keys):
                yield "policy" if path == self.policy_file and _covers_key("mlci", leaf) else f"parameter {leaf}"

    def _says_something_else(self, path: str) -> bool:
        """Whether a file differs in more than comments and layout."""
        if path.endswith((".dvcignore", "/config")):
            return True
        old, new = self._values(path)
        return old is None or new is None or old != new

    def _values(self, path: str) -> tuple[Any, Any]:
        return load_yaml(self.top.read(self.base, path)), load_yaml(self._here(path))

    def _names_us(self, path: str) -> bool:
        return b"mlci" in (self._here(path) or b"") or b"mlci" in (self.top.read(self.base, path) or b"")

    def _here(self, path: str) -> bytes | None:
        assert self.top.top is not None  # noqa: S101 - it has a base commit
        file = self.top.top / path
        return file.read_bytes() if file.is_file() else None

    def _own(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self.folder, path))


def _covers(pattern: str, path: str) -> bool:
    """Whether a path is the file, lies in the folder or fits the pattern."""
    return not pattern or path == pattern or path.startswith(f"{pattern}/") or fnmatch.fnmatchcase(path, pattern)


def _covers_key(key: str, leaf: str) -> bool:
    return key == leaf or leaf.startswith((f"{key}.", f"{key}[")) or key.startswith((f"{leaf}.", f"{leaf}["))
