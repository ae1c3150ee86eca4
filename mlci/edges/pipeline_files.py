"""What a DVC pipeline reads and writes, told by its files alone: loading DVC takes longer than reading them."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from mlci.edges.git import History

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONFLICT = re.compile(rb"^(<{7}|>{7}|\|{7}) ", re.MULTILINE)
_REMOTE = re.compile(r"^[a-z][a-z0-9+.-]*://")


@dataclass
class Pipeline:
    """What one folder's pipeline is made of. Paths start at the repository's top.

    Attributes:
        files: The files that describe it: `dvc.yaml` and `dvc.lock`.
        deps: What its stages read.
        outs: What they write.
        params: Keys that its stages read, by the file that holds them; None for the whole file.
        complete: False where a path is only known to DVC, so nobody can say from the files what it reads.
    """

    files: set[str] = field(default_factory=set)
    deps: set[str] = field(default_factory=set)
    outs: set[str] = field(default_factory=set)
    params: dict[str, set[str] | None] = field(default_factory=dict)
    complete: bool = True

    def reads_key(self, file: str, keys: Iterable[str]) -> None:
        """Add parameters of a file."""
        known = self.params.setdefault(file, set())
        if known is not None:
            known |= set(keys)

    def join(self, other: Pipeline) -> None:
        """Add another pipeline's part, which this one stands on."""
        self.files |= other.files
        self.deps |= other.deps
        self.outs |= other.outs
        for file, keys in other.params.items():
            self.params[file] = None if keys is None else self.params.get(file, set())
            if keys is not None:
                self.reads_key(file, keys)
        self.complete &= other.complete


def load_yaml(content: bytes | None) -> Any:  # noqa: ANN401 - any YAML
    """The value of a YAML file; None where it is missing or cannot be read."""
    try:
        return yaml.load(content or b"", Loader=_LOADER)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, RecursionError):
        return None


def in_conflict(content: bytes) -> int:
    """The line of the first marker that a merge left behind, from 1; 0 where there is none."""
    found = _CONFLICT.search(content)
    return content.count(b"\n", 0, found.start()) + 1 if found else 0


def read_pipeline(history: History, folder: str) -> Pipeline:
    """The pipeline of a folder (from the top; empty for the top itself), with those whose outputs it reads.

    Args:
        history: Of the repository, opened at its top.
        folder: Where the `dvc.yaml` is; one that is not there gives an empty pipeline.
    """
    assert history.top is not None  # noqa: S101 - asked inside of a repository only
    reader = _Reader(history.top)
    found = Pipeline()
    seen: set[str] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        one = reader.read(here)
        found.join(one)
        owners = (reader.owner(path) for path in sorted(one.deps - one.outs))
        waiting += [owner for owner in owners if owner is not None]
    return found


class _Reader:
    """Reads the pipelines of a repository, each once."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self._read: dict[str, Pipeline] = {}

    def read(self, folder: str) -> Pipeline:
        """The pipeline of a folder by itself."""
        if folder not in self._read:
            self._read[folder] = _read_one(self.top, folder)
        return self._read[folder]

    def owner(self, path: str) -> str | None:
        """The nearest folder above a file that has a `dvc.yaml` whose stages write it."""
        folder = posixpath.dirname(path)
        while True:
            if (self.top / folder / "dvc.yaml").is_file() and _covers(self.read(folder).outs, path):
                return folder
            if not folder:
                return None
            folder = posixpath.dirname(folder)


def _read_one(top: Path, folder: str) -> Pipeline:
    here = top / folder
    found = Pipeline(files={posixpath.join(folder, name) for name in ("dvc.yaml", "dvc.lock")})
    own = here / "dvc.yaml"
    if not own.is_file():
        return found
    content = own.read_bytes()
    loaded = load_yaml(content)
    if not isinstance(loaded, dict):
        found.complete = False
        return found
    lock_file = here / "dvc.lock"
    lock = load_yaml(lock_file.read_bytes()) if lock_file.is_file() else None
    locked = _mapping(_mapping(lock).get("stages"))
    if b"${" in content:
        for file in ["params.yaml", *(str(each) for each in loaded.get("vars") or () if isinstance(each, str))]:
            found.params[_join(folder, file.partition(":")[0])] = None
    for name, stage in _mapping(loaded.get("stages")).items():
        _add_stage(found, folder, str(name), _mapping(stage), locked)
    for kind in ("metrics", "plots"):
        paths = [each for each in _listed(loaded.get(kind)) if isinstance(each, str) and "${" not in each]
        found.outs |= {_join(folder, path) for path in paths} - found.deps
    return found


def _add_stage(found: Pipeline, folder: str, name: str, stage: Mapping[str, Any], locked: Mapping[str, Any]) -> None:
    inner = {**stage, **_mapping(stage.get("do"))}
    wdir = _join(folder, str(inner.get("wdir") or "."))
    known = [_mapping(value) for key, value in locked.items() if key == name or str(key).startswith(f"{name}@")]
    for part, paths in (("deps", found.deps), ("outs", found.outs), ("metrics", found.outs), ("plots", found.outs)):
        for path in _paths(inner.get(part)):
            if "${" not in path:
                paths.add(_join(wdir, path))
            elif not known:
                found.complete = False
    found.complete &= "${" not in wdir
    _add_params(found, wdir, inner.get("params"))
    for lock in known:
        found.deps |= {_join(wdir, path) for path in _paths(lock.get("deps"))}
        found.outs |= {_join(wdir, path) for path in _paths(lock.get("outs"))}
        for file, values in _mapping(lock.get("params")).items():
            found.reads_key(_join(wdir, str(file)), map(str, _mapping(values)))


def _add_params(found: Pipeline, wdir: str, said: Any) -> None:  # noqa: ANN401 - any YAML
    for params in _listed(said):
        for file, keys in params.items() if isinstance(params, dict) else [("params.yaml", [params])]:
            target = _join(wdir, str(file))
            if keys:
                found.reads_key(target, map(str, _listed(keys)))
            else:
                found.params[target] = None


def _paths(entries: Any) -> list[str]:  # noqa: ANN401 - any YAML
    """Paths as DVC lets people write them: texts, mappings of one path, or `path:` entries of a lock."""
    found: list[str] = []
    for entry in _listed(entries):
        if isinstance(entry, dict):
            found += [str(entry["path"])] if "path" in entry else [str(key) for key in entry]
        else:
            found.append(str(entry))
    return [path for path in found if not _REMOTE.match(path)]


def _join(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined


def _covers(paths: Iterable[str], path: str) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in paths)


def _mapping(value: Any) -> dict[Any, Any]:  # noqa: ANN401 - any YAML
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - any YAML
    return value if isinstance(value, list) else [] if value is None else [value]


def differing(old: Any, new: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any YAML
    """Keys, with dots between, whose values differ; a list is one value."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new or type(old) is not type(new):
            yield path
        return
    for key in sorted({*map(str, old), *map(str, new)}):
        inner = f"{path}.{key}" if path else key
        olds, news = ({str(name): value for name, value in each.items()} for each in (old, new))
        if (key in olds) != (key in news):
            yield inner
        else:
            yield from differing(olds[key], news[key], inner)
