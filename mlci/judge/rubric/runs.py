"""What a repository runs, unfolded: workflow → make target → script → `dvc repro` → stage."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlci.nouns.automation import Recipe
from mlci.nouns.base import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.nouns.traces import Traces

REPRO = re.compile(r"\bdvc\s+(?:[-\w=/.]+\s+)*?(?:repro|exp\s+run)\b|\bmlci\s+ci\b")
_MAKE = re.compile(r"(?:^|[;&|(\s])(?:make|\$\(MAKE\))((?:\s+[^;&|)\s]+)*)")
_WORD = re.compile(r"[\w./-]+")
_MODULE = re.compile(r"(?:^|\s)-m\s+([\w.]+)")
_SHELL = {"", ".sh", ".bash"}
_MOST_RUNS = 5_000


@dataclass(frozen=True)
class Run:
    """A command that something runs.

    Attributes:
        command: The command.
        place: Where it is written.
        by: What runs it: "workflow `pr.yml`", "stage `check`".
        repeated: Whether it runs without anybody asking: on events, or in every reproduction of the pipeline.
        scheduled: Whether the clock starts it.
        forge: Whether a workflow runs it.
        on_change: Whether it runs on every pull request.
    """

    command: str
    place: Place
    by: str
    repeated: bool
    scheduled: bool = False
    forge: bool = False
    on_change: bool = False


def all_runs(traces: Traces) -> tuple[Run, ...]:
    """Every command that workflows and the pipeline run; what the forge runs by itself first."""
    found: dict[tuple[str, str, int, str], Run] = {}
    for run in _roots(traces):
        for each in _unfolded(traces, run, frozenset()):
            found.setdefault((each.command, each.place.file, each.place.line, each.by), each)
            if len(found) >= _MOST_RUNS:
                break
    ranked = sorted(found.values(), key=lambda run: (not run.repeated, not run.forge, not run.on_change))
    return tuple(ranked)


def _roots(traces: Traces) -> Iterator[Run]:
    for workflow in traces.workflows:
        by = f"workflow `{posixpath.basename(workflow.file)}`"
        for job in workflow.jobs:
            for step in job.steps:
                lines = (*step.commands, *((f"uses: {step.uses}",) if step.uses else ()))
                for line in lines:
                    change = "pull_request" in workflow.events
                    yield Run(line, step.place, by, workflow.repeated, workflow.scheduled, forge=True, on_change=change)
    for stage in traces.stages:
        for command in stage.commands:
            yield Run(command, stage.place, f"stage `{stage.name}`", repeated=True)


def _unfolded(traces: Traces, run: Run, above: frozenset[str]) -> Iterator[Run]:
    """The command, and all that it sets going."""
    yield run
    for key, inner in _inner(traces, run):
        if key not in above:
            yield from _unfolded(traces, inner, above | {key})


def _inner(traces: Traces, run: Run) -> Iterator[tuple[str, Run]]:
    """What a command sets going, each with a name by which a circle is seen."""
    for match in _MAKE.finditer(run.command):
        targets = [word for word in match[1].split() if "=" not in word and not word.startswith("-")]
        for target in targets or [next((name for name in traces.recipes if not name.startswith(".")), "")]:
            yield from _recipe(traces, run, target)
    for path in _scripts(traces, run.command):
        if posixpath.splitext(path)[1] in _SHELL:
            yield from _script(traces, run, path)
    if REPRO.search(run.command):
        yield from _pipeline(traces, run)


def _script(traces: Traces, run: Run, path: str) -> Iterator[tuple[str, Run]]:
    for number, line in enumerate(traces.texts[path].splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield path, _below(run, line.strip(), Place(file=path, line=number))


def _pipeline(traces: Traces, run: Run) -> Iterator[tuple[str, Run]]:
    for stage in traces.stages:
        for command in stage.commands:
            yield f"stage {stage.name}", _below(run, command, stage.place, f"stage `{stage.name}`, in {run.by}")
    if "mlci" in run.command:
        yield "mlci ci", _below(run, "mlci compare", run.place)


def _recipe(traces: Traces, run: Run, target: str) -> Iterator[tuple[str, Run]]:
    recipe = traces.recipes.get(target, Recipe(place=run.place))
    for command in recipe.commands:
        yield f"make {target}", _below(run, command, recipe.place)
    for need in recipe.needs:
        if need in traces.recipes:
            yield f"make {target}", _below(run, f"make {need}", recipe.place)


def _below(run: Run, command: str, place: Place, by: str = "") -> Run:
    return replace(run, command=command, place=place, by=by or run.by)


def _scripts(traces: Traces, command: str) -> Iterator[str]:
    for word in _WORD.findall(command):
        path = posixpath.normpath(word)
        if path in traces.texts:
            yield path


def scripts_of(traces: Traces, command: str) -> tuple[str, ...]:
    """The project's own scripts that a command names, by path or by module."""
    found = list(_scripts(traces, command))
    for module in _MODULE.findall(command):
        stem = module.replace(".", "/")
        found += [path for path in (f"{stem}.py", f"{stem}/__main__.py", f"src/{stem}.py") if path in traces.texts]
    return tuple(dict.fromkeys(found))
