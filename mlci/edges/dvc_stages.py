"""The stages of a `dvc.yaml`, and which of them run mlci."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

import yaml

from mlci.edges.yaml_file import parse_yaml
from mlci.nouns.automation import Stage
from mlci.nouns.base import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHECKS = re.compile(r"mlci\s+data\s+check([^;&|]*)")
_RUNS = re.compile(r"(^|[\s;&|/])mlci\s+\S")


def mlci_commands(content: bytes | None) -> dict[str, tuple[str, ...]]:
    """Commands of mlci by the stage that runs them; none where the file is missing or cannot be read.

    A stage that is frozen, or repeated for an empty list, runs nothing.
    """
    try:
        pipeline = yaml.safe_load(content or b"")
    except yaml.YAMLError:
        return {}
    stages = pipeline.get("stages") if isinstance(pipeline, dict) else None
    if not isinstance(stages, dict):
        return {}
    found = {}
    for name, stage in stages.items():
        inner = stage.get("do", stage) if isinstance(stage, dict) else {}
        if not isinstance(inner, dict) or _never_runs(stage):
            continue
        command = inner.get("cmd", ())
        commands = [command] if isinstance(command, str) else list(command or ())
        own = tuple(" ".join(str(each).split()) for each in commands if _RUNS.search(str(each)))
        if own:
            found[str(name)] = own
    return found


def _never_runs(stage: dict[str, Any]) -> bool:
    inner = stage.get("do", stage)
    repeated = [stage[key] for key in ("foreach", "matrix") if key in stage]
    return any(each.get("frozen") is True for each in (stage, inner)) or any(
        each in ([], {}, None) for each in repeated
    )


def checked_tables(content: bytes | None, names: Iterable[str]) -> set[str]:
    """Tables, of these, that some stage runs `mlci data check` on."""
    found: set[str] = set()
    known = set(names)
    for commands in mlci_commands(content).values():
        for command in commands:
            for called in _CHECKS.findall(command):
                listed = known & set(called.split())
                found |= listed or known
    return found


def removed_stages(base: bytes | None, own: bytes | None) -> list[str]:
    """Stages of the base whose mlci commands no stage runs any more; a renamed stage is none."""
    kept = {command for commands in mlci_commands(own).values() for command in commands}
    return [name for name, commands in mlci_commands(base).items() if not set(commands) <= kept]


def read_stages(text: str, lock: bytes | None = None, file: str = "dvc.yaml") -> tuple[Stage, ...]:
    """All stages, in the order of the file; one that DVC would repeat for a list or a matrix counts once.

    Args:
        text: The content of `dvc.yaml`.
        lock: The content of `dvc.lock`, to tell which stages it knows.
        file: How places name the file.

    Raises:
        PolicyError: It is no YAML.
    """
    document = parse_yaml(text, file)
    stages = document.value.get("stages") if isinstance(document.value, dict) else None
    locked = _locked(lock)
    found = []
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        inner = stage.get("do", stage) if isinstance(stage, dict) else {}
        inner = inner if isinstance(inner, dict) else {}
        folder = str(inner.get("wdir") or ".")
        outs = [out for key in ("outs", "metrics", "plots") for out in _names(inner.get(key))]
        command = inner.get("cmd") or ()
        found.append(
            Stage(
                name=str(name),
                commands=tuple(
                    " ".join(str(each).split()) for each in ([command] if isinstance(command, str) else command)
                ),
                deps=tuple(_path(folder, each) for each in _names(inner.get("deps"))),
                outs=tuple(_path(folder, each) for each in outs),
                params=tuple(_names(inner.get("params"))),
                place=Place(file=file, line=document.lines.get(("stages", str(name)), 1)),
                locked=any(known == name or known.startswith(f"{name}@") for known in locked),
            )
        )
    return tuple(found)


def _locked(lock: bytes | None) -> tuple[str, ...]:
    try:
        known = yaml.load(lock or b"", Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError:
        return ()
    stages = known.get("stages") if isinstance(known, dict) else None
    return tuple(str(name) for name in stages) if isinstance(stages, dict) else ()


def _names(listed: Any) -> list[str]:  # noqa: ANN401 - what YAML holds can be anything
    """Paths or parameters: each a text, or a mapping of one to its settings."""
    found: list[str] = []
    for each in listed if isinstance(listed, list) else ():
        found += [str(key) for key in each] if isinstance(each, dict) else [str(each)]
    return found


def _path(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def only_checks(commands: Iterable[str]) -> bool:
    """Whether a stage does nothing but check data with mlci.

    >>> only_checks(["mlci data check train test"]), only_checks(["mlci data check", "python train.py"])
    (True, False)
    """
    return all(re.match(r"\s*(\S*/)?mlci\s+data\s+check\b[^;&|]*$", command) for command in commands)
