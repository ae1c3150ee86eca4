"""Where `dvc.yaml`, `dvc.lock` and `.dvc` files say something: file and line, as they were before anything ran."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mlci.nouns.base import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Places:
    """Finds lines in the files of a pipeline; paths are told as seen from the project."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files: dict[Path, yaml.Node | None] = {}
        for name in ("dvc.yaml", "dvc.lock"):
            self._node(root / name)

    def stage(self, stage: Any) -> Place:  # noqa: ANN401 - DVC has no types
        """Where a stage is defined."""
        file = Path(stage.path)
        name = str(getattr(stage, "name", "") or "")
        keys = [["stages", name], ["stages", name.partition("@")[0]]]
        return next((found for path in keys if (found := self._place(file, path))), Place(file=self._shown(file)))

    def lock(self, stage: Any, out: str | None = None) -> Place | None:  # noqa: ANN401 - DVC has no types
        """Where the lock records a stage, or one of its outputs; None where it does not."""
        file = Path(stage.path)
        if file.suffix == ".dvc":
            return self._place(file, ["outs", _path_is(out)] if out is not None else []) or Place(
                file=self._shown(file)
            )
        lock, name = file.with_name("dvc.lock"), str(getattr(stage, "name", "") or "")
        found = self._place(lock, ["stages", name, "outs", _path_is(out)]) if out is not None else None
        return found or self._place(lock, ["stages", name])

    def _place(self, file: Path, keys: Sequence[str | Callable[[yaml.Node], bool]]) -> Place | None:
        node, line = self._node(file), 1
        for key in keys:
            node, line = _child(node, key)
            if node is None:
                return None
        return Place(file=self._shown(file), line=line)

    def _shown(self, file: Path) -> str:
        return Path(os.path.relpath(file, self.root)).as_posix()

    def _node(self, file: Path) -> yaml.Node | None:
        if file not in self._files:
            try:
                self._files[file] = yaml.compose(file.read_bytes(), Loader=_LOADER)
            except (OSError, yaml.YAMLError, RecursionError):
                self._files[file] = None
        return self._files[file]


def _path_is(path: str | None) -> Callable[[yaml.Node], bool]:
    def fits(node: yaml.Node) -> bool:
        found, _ = _child(node, "path")
        return isinstance(found, yaml.ScalarNode) and found.value == path

    return fits


def _child(node: yaml.Node | None, key: str | Callable[[yaml.Node], bool]) -> tuple[yaml.Node | None, int]:
    """A mapping's value by its key, or the first item of a list that fits; and its line."""
    if isinstance(node, yaml.MappingNode) and isinstance(key, str):
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value == key:
                return value, name.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and callable(key):
        for item in node.value:
            if key(item):
                return item, item.start_mark.line + 1
    return None, 1
