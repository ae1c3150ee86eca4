"""Make the models of the past by the project's own pipeline, each once: what is made is kept for the next call."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.dvc_pipeline import read_pipeline, record_run
from mlci.edges.files import digest
from mlci.edges.parameters import Parameter, read_parameter, write_parameters
from mlci.edges.run_stages import Runner
from mlci.edges.scratch import scratch
from mlci.edges.work_copy import placed, work_copy
from mlci.errors import MlciError, PolicyError
from mlci.flows.replay_case import Past, kept_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlci.edges.dvc_pipeline import Pipeline, Step

KEPT = Path(".cache/mlci/replay")


class Maker(NamedTuple):
    """What makes models of the past.

    Attributes:
        past: What is replayed.
        pipeline: That of the project.
        steps: Its stages from the data to the predictions.
        say: Told what is being done.
    """

    past: Past
    pipeline: Pipeline
    steps: tuple[Step, ...]
    say: Callable[[str], None]

    def model(self, period: str, more: Mapping[str, object] | None = None) -> Path:
        """Folder with the files of the model that would have been made at the end of a period.

        Args:
            period: The parameter's value.
            more: Further parameters.

        Raises:
            PolicyError: A parameter is not there.
            WorldError: A stage fails.
        """
        values: dict[str, object] = {self.past.parameter: period, **self.past.replay.parameters, **(more or {})}
        folder = self.past.root / KEPT / self._key(values)
        if not folder.is_dir():
            self._build(folder, period, values)
        return folder

    def _key(self, values: Mapping[str, object]) -> str:
        """Digest of all that the model depends on, as far as the pipeline tells."""
        outs = [out for step in self.steps for out in step.outs]
        inner = [dep for step in self.steps for dep in step.deps if not _made(dep, outs)]
        read = {
            f"{file}:{key}": read_parameter(self.past.root, f"{file}:{key}")
            for step in self.steps
            for file, keys in _relative(step, self.past.root).items()
            for key in keys
        }
        told = {
            "values": dict(values),
            "parameters": read,
            "commands": {step.name: step.commands for step in self.steps},
            "files": {str(dep.relative_to(self.pipeline.root)): digest(dep) for dep in inner if dep.is_file()},
            "kept": list(kept_files(self.past)),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:24]

    def _build(self, folder: Path, period: str, values: Mapping[str, object]) -> None:
        began = time.monotonic()
        outs = [out for step in self.steps for out in step.outs]
        needs = [dep for step in self.steps for dep in step.deps if not _made(dep, outs)]
        own = [name for name in values if name not in self.past.replay.parameters]
        shown = ", ".join(f"{name}={values[name]}" for name in own)
        try:
            with work_copy(self.pipeline, needs, outs) as copy, scratch("logs") as logs:
                root, runner = copy.here(self.past.root), Runner()
                write_parameters(root, values, self.past.policy.file)
                again = {step.name: step for step in read_pipeline(root, recorded=False).steps}
                for step in self.steps:
                    self.say(f"{shown}: {step.name}")
                    try:
                        runner.run(again[step.name], copy.here(self.pipeline.root), logs / "log")
                    except BaseException:
                        runner.stop()
                        raise
                    record_run(copy.here(self.pipeline.root), step.name)
                _keep(root, folder, kept_files(self.past))
        except MlciError as error:
            raise type(error)(f"{period}: {error.problem}", error.mend or "see that `dvc repro` works") from error
        self.say(f"{shown} took {time.monotonic() - began:.0f} s")


def maker(past: Past, say: Callable[[str], None]) -> Maker:
    """What makes the models of a project's past.

    Raises:
        PolicyError: No stage reads the parameter, or none writes the predictions.
    """
    pipeline = read_pipeline(past.root)
    place = past.policy.place("replay")
    target = pipeline.maker(placed(past.root / past.gate.predictions))
    if target is None:
        raise PolicyError(f"{place}: no stage of dvc.yaml writes {past.gate.predictions}", "`mlci.gate.predictions`")
    names = [Parameter.named(each, past.policy.file) for each in (past.parameter, *past.replay.rival)]
    starts = [step for step in pipeline.steps if any(_reads(step, each, past.root) for each in names)]
    if not any(_reads(step, names[0], past.root) for step in pipeline.steps):
        raise PolicyError(
            f"{place}: no stage of dvc.yaml reads the parameter `{past.parameter}`",
            "list it under `params` of the stage that makes the data",
        )
    return Maker(past, pipeline, pipeline.below(starts, target), say)


def _reads(step: Step, parameter: Parameter, root: Path) -> bool:
    keys = _relative(step, root).get(parameter.file)
    return keys is not None and parameter.read_by(keys)


def _relative(step: Step, root: Path) -> dict[str, tuple[str, ...]]:
    return {file.relative_to(root).as_posix(): keys for file, keys in step.params.items() if file.is_relative_to(root)}


def _made(path: Path, outs: list[Path]) -> bool:
    return any(path == out or out in path.parents for out in outs)


def _keep(root: Path, folder: Path, files: tuple[str, ...]) -> None:
    """Keep what a run made, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        whole = Path(temporary) / "whole"
        for name in files:
            if (root / name).is_file():
                (whole / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / name, whole / name)
        if not folder.is_dir():
            whole.rename(folder)
