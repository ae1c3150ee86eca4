"""Which stages of a `dvc.yaml` run mlci."""

from __future__ import annotations

import re

import yaml

_RUNS = re.compile(r"(^|[\s;&|/])mlci\s+\S")


def mlci_commands(content: bytes | None) -> dict[str, tuple[str, ...]]:
    """Commands of mlci by the stage that runs them; none where the file is missing or cannot be read."""
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
        command = inner.get("cmd", ()) if isinstance(inner, dict) else ()
        commands = [command] if isinstance(command, str) else list(command or ())
        own = tuple(" ".join(str(each).split()) for each in commands if _RUNS.search(str(each)))
        if own:
            found[str(name)] = own
    return found


def removed_stages(base: bytes | None, own: bytes | None) -> list[str]:
    """Stages of the base whose mlci commands no stage runs any more; a renamed stage is none."""
    kept = {command for commands in mlci_commands(own).values() for command in commands}
    return [name for name, commands in mlci_commands(base).items() if not set(commands) <= kept]
