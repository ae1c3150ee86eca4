"""What the 28 tests ask a repository."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from mlci.judge.rubric.runs import REPRO, all_runs, scripts_of
from mlci.nouns.base import Place
from mlci.nouns.rubric import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlci.judge.rubric.runs import Run
    from mlci.nouns.automation import Stage
    from mlci.nouns.policy import Policy, PolicyFile
    from mlci.nouns.traces import Traces

CODE = (".py", ".R", ".r", ".jl", ".sql", ".scala", ".sh")
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*\.py|[^/]*_test\.py|conftest\.py|test[^/]*\.[rR])$")
_RUNS_TESTS = re.compile(r"(^|[\s/;&|(])(pytest|py\.test|tox|nox|unittest)\b|testthat")
_TRAINS = re.compile(r"train|fit", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    """A repository, and its policy where it has one."""

    traces: Traces
    file: PolicyFile | None

    @property
    def policy(self) -> Policy | None:
        """What the team promises."""
        return self.file.policy if self.file is not None else None

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """All that is run, what the forge runs by itself first."""
        return all_runs(self.traces)

    def promised(self, *path: str) -> Place | None:
        """Where the policy has this key; None where it has not."""
        if self.file is None or path not in self.file.lines:
            return None
        return self.file.place(*path)

    def ran(self, pattern: str, *, scheduled: bool = False, forge: bool = False, code: bool = True) -> list[Evidence]:
        """Whether something runs a command, or a script, that matches: the best run there is.

        Args:
            pattern: A regular expression, upper or lower case alike.
            scheduled: Only what the clock starts counts as automated.
            forge: Only what a workflow runs counts as automated.
            code: Look into the scripts that commands name, too; not for plain words, which code holds in any sense.
        """
        wanted = _words(pattern)
        found: list[Evidence] = []
        for run in self.runs:
            hit = self._hit(wanted, run, code=code)
            if hit is None:
                continue
            counts = run.repeated and (run.scheduled or not scheduled) and (run.forge or not forge)
            says, place = hit
            if counts:
                return [Evidence(how="automated", says=f"{says}, run by {run.by}", place=place)]
            asked = run.forge and not run.repeated
            how = "only when somebody starts it" if asked else "not on a schedule" if scheduled else "in no workflow"
            found.append(
                Evidence(how="manual" if asked else "partial", says=f"{says}, run by {run.by}, {how}", place=place)
            )
        return sorted(found, key=lambda each: each.how != "manual")[:1]

    def _hit(self, wanted: re.Pattern[str], run: Run, *, code: bool) -> tuple[str, Place] | None:
        if match := wanted.search(run.command):
            return f"`{_around(run.command, match)}`", run.place
        for path in scripts_of(self.traces, run.command) if code else ():
            if path.endswith(CODE) and (place := self.line_of(path, wanted)) is not None:
                return f"{path}", place
        return None

    def line_of(self, path: str, wanted: re.Pattern[str]) -> Place | None:
        """The first line of a file that matches and is no comment."""
        number = _line_of(self.traces.texts.get(path, ""), wanted)
        return Place(file=path, line=number) if number else None

    def lies(self, pattern: str) -> list[Evidence]:
        """Code or a document that matches by name, or a script by content, but that nothing runs: told, not counted."""
        wanted = _words(pattern)
        for path in self.traces.files:
            if wanted.search(path):
                place = Place(file=path)
                return [
                    Evidence(how="partial", says=f"{path} may speak of it; nothing runs or declares it", place=place)
                ]
        return []

    @cached_property
    def tests(self) -> dict[str, str]:
        """The test files and their text."""
        return {path: text for path, text in self.traces.texts.items() if _TEST_FILE.search(path)}

    @cached_property
    def test_run(self) -> Run | None:
        """What runs the tests by itself in a workflow."""
        return next((run for run in self.runs if run.forge and run.repeated and _RUNS_TESTS.search(run.command)), None)

    def tested(self, pattern: str, said: str) -> list[Evidence]:
        """Test code that matches: automated where a workflow runs the tests, else by hand."""
        wanted = re.compile(pattern)
        for path in self.tests:
            if (place := self.line_of(path, wanted)) is not None:
                return [self.by_tests(f"{said} by {path}", place)]
        return []

    def by_tests(self, says: str, place: Place) -> Evidence:
        """Evidence that stands or falls with who runs the tests."""
        if self.test_run is not None:
            return Evidence(how="automated", says=f"{says}, run by {self.test_run.by}", place=place)
        return Evidence(how="manual", says=f"{says}, which no workflow runs", place=place)

    @cached_property
    def reproduced(self) -> Run | None:
        """What reproduces the pipeline by itself in a workflow."""
        return next((run for run in self.runs if run.forge and run.repeated and REPRO.search(run.command)), None)

    @cached_property
    def training(self) -> Stage | None:
        """The stage that trains: the nearest before the model that is the project's own; else the one named so."""
        by_out = {out: stage for stage in self.traces.stages for out in stage.outs}
        model = self.policy.model if self.policy is not None else None
        stage = by_out.get(model.path) if model is not None else None
        seen: set[str] = set()
        while stage is not None and stage.name not in seen:
            seen.add(stage.name)
            if self.code_of(stage):
                return stage
            stage = next((by_out[dep] for dep in stage.deps if dep in by_out and _is_model(dep)), None)
        return next((each for each in self.traces.stages if _TRAINS.search(each.name)), None)

    @cached_property
    def features(self) -> tuple[Stage, ...]:
        """The stages that training stands on, and that have code of the project's own."""
        if self.training is None:
            return ()
        by_out = {out: stage for stage in self.traces.stages for out in stage.outs}
        wanted, found = list(self.training.deps), dict[str, "Stage"]()
        while wanted:
            stage = by_out.get(wanted.pop())
            if stage is not None and stage.name not in found:
                found[stage.name] = stage
                wanted += stage.deps
        return tuple(each for each in self.traces.stages if each.name in found and self.code_of(each))

    def code_of(self, stage: Stage) -> tuple[str, ...]:
        """The project's own scripts that a stage runs or depends on."""
        named = [path for command in stage.commands for path in scripts_of(self.traces, command)]
        deps = [dep for dep in stage.deps if dep in self.traces.texts]
        return tuple(path for path in dict.fromkeys([*named, *deps]) if path.endswith(CODE))

    def untested(self, paths: Iterable[str]) -> tuple[list[Place], list[str]]:
        """Where each script is named by a test, and the scripts that none names."""
        places: list[Place] = []
        missing: list[str] = []
        for path in paths:
            place = self._test_of(path)
            if place is None:
                missing.append(path)
            else:
                places.append(place)
        return places, missing

    def _test_of(self, path: str) -> Place | None:
        module = posixpath.splitext(path)[0].removeprefix("src/").replace("/", ".")
        stem = module.rpartition(".")[2]
        ways = [rf"(?<![\w/]){re.escape(path)}\b", rf"\b{re.escape(module)}\b"]
        ways.append(rf"^\s*(from|import)\s+([\w.]+\.)?{re.escape(stem)}\b")
        ways.append(rf"^\s*from\s+[\w.]+\s+import\s.*\b{re.escape(stem)}\b")
        wanted = re.compile("|".join(ways), re.MULTILINE)
        return next((place for test in self.tests if (place := self.line_of(test, wanted)) is not None), None)


def _words(pattern: str) -> re.Pattern[str]:
    r"""A pattern in which `\b` ends a word at an underscore too: `measure_latency.py` measures latency."""
    return re.compile(pattern.replace(r"\b", r"(?:(?<![^\W_])(?=[^\W_])|(?<=[^\W_])(?![^\W_]))"), re.IGNORECASE)


@lru_cache(maxsize=10_000)
def _line_of(text: str, wanted: re.Pattern[str]) -> int:
    """The first line that matches and is no comment, from 1; 0 where none does."""
    if wanted.search(text) is None:
        return 0
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if not line.lstrip().startswith("#") and wanted.search(line)), 0)


def _is_model(path: str) -> bool:
    return not path.endswith((".parquet", ".csv", ".json", ".jsonl", ".py", ".feather", ".arrow"))


_MOST_SHOWN = 60


def _around(command: str, match: re.Match[str]) -> str:
    """The part of a command that a reader needs: from the match's own command on."""
    start = max(command.rfind(mark, 0, match.start()) for mark in (";", "&", "|")) + 1
    text = command[start:].strip()
    for mark in (";", "&&", "||", "|"):
        text = text.split(mark)[0].strip()
    text = text or match[0]
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}\N{HORIZONTAL ELLIPSIS}"
