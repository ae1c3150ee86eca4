"""The stages of a DVC pipeline as plain values: what each runs, reads and writes, and what was recorded of it."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlci.errors import PolicyError, WorldError

if TYPE_CHECKING:
    from collections.abc import Iterable

_GUIDE = "docs/how-to/training-noise.md shows how"


@dataclass(frozen=True)
class Step:
    """A stage of the pipeline.

    Attributes:
        name: As DVC addresses it.
        commands: What it runs, one after the other.
        folder: Where.
        deps: Local files and folders that it reads.
        outs: Local files and folders that it writes.
        params: Keys that it reads, by file; no keys mean the whole file.
        recorded: What `dvc.lock` holds of its inputs: content by path, and parameters.
        changed: What differs from that in the work tree; empty where it would not run again.
        frozen: Whether it is never run.
    """

    name: str
    commands: tuple[str, ...]
    folder: Path
    deps: tuple[Path, ...]
    outs: tuple[Path, ...]
    params: dict[Path, tuple[str, ...]]
    recorded: dict[str, Any]
    changed: tuple[str, ...]
    frozen: bool = False


@dataclass(frozen=True)
class Pipeline:
    """All stages of a DVC repository.

    Attributes:
        root: Its folder.
        cache: Folder of its cache.
        steps: In an order in which they can run.
    """

    root: Path
    cache: Path
    steps: tuple[Step, ...]

    def maker(self, file: Path) -> Step | None:
        """The stage that writes a file, or a folder that holds it."""
        return next((step for step in self.steps if any(_within(file, out) for out in step.outs)), None)

    def below(self, starts: Iterable[Step], target: Step) -> tuple[Step, ...]:
        """The stages between some and one, both included, in an order in which they can run; frozen ones are not."""
        names = {step.name for step in starts if not step.frozen}
        for step in self.steps:
            made = [out for other in self.steps if other.name in names for out in other.outs]
            if not step.frozen and any(_touch(dep, out) for dep in step.deps for out in made):
                names.add(step.name)
        needed = {target.name}
        for step in reversed(self.steps):
            read = [dep for other in self.steps if other.name in needed for dep in other.deps]
            if any(_touch(dep, out) for dep in read for out in step.outs):
                needed.add(step.name)
        return tuple(step for step in self.steps if step.name in names & needed)


def _within(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _touch(one: Path, other: Path) -> bool:
    return _within(one, other) or _within(other, one)


def read_pipeline(root: Path, *, recorded: bool = True) -> Pipeline:
    """The pipeline that a project is part of.

    Args:
        root: Folder of the project.
        recorded: Whether to compare with `dvc.lock` too.

    Raises:
        PolicyError: There is no pipeline.
        WorldError: DVC is not installed, or cannot read it.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    try:
        from dvc.exceptions import DvcException, NotDvcRepoError  # noqa: PLC0415 - DVC takes a second to load
        from dvc.repo import Repo  # noqa: PLC0415
    except ImportError as error:
        raise WorldError(
            "training again needs the pipeline, and DVC is not installed", 'install it: `pip install "mlci[dvc]"`'
        ) from error
    try:
        with Repo(Repo.find_root(str(root.resolve()))) as repo:
            made = {out.fs_path: out.hash_info for stage in repo.index.stages for out in stage.outs}
            steps = [_step(stage, made, recorded=recorded) for stage in repo.index.stages if stage.cmd]
            found = Pipeline(Path(repo.root_dir), Path(str(repo.cache.local_cache_dir)), _ordered(steps))
    except NotDvcRepoError as error:
        raise PolicyError(
            "training again runs your pipeline, and this project has none",
            f"`dvc init`, and write the commands that train and predict into dvc.yaml; {_GUIDE}",
        ) from error
    except DvcException as error:
        raise WorldError(f"the pipeline cannot be read: {error}", "see what `dvc stage list` says") from error
    if not found.steps:
        raise PolicyError(
            "training again runs your pipeline, and dvc.yaml has no stage",
            f"write the commands that train and predict into dvc.yaml; {_GUIDE}",
        )
    return found


def record_run(root: Path, name: str) -> None:
    """Write into `dvc.lock` what a stage that just ran has read and written, as `dvc repro` does; nothing is cached.

    Commands may look there: mlci opens a pickle only where the stage that wrote it is recorded.

    Args:
        root: Folder of the DVC repository.
        name: The stage, as `Step` names it.

    Raises:
        WorldError: It did not write what it should.
    """
    from dvc.exceptions import DvcException  # noqa: PLC0415 - DVC takes a second to load
    from dvc.repo import Repo  # noqa: PLC0415

    # It would tell of every file on stdout.
    logging.getLogger("dvc").setLevel(logging.WARNING)
    try:
        with Repo(str(root)) as repo:
            for stage in repo.index.stages:
                if _name(stage) == name:
                    stage.save(run_cache=False)
                    stage.dump(update_pipeline=False)
    except DvcException as error:
        raise WorldError(f"what stage `{name}` wrote cannot be recorded: {error}") from error


def _step(stage: Any, made: dict[str, Any], *, recorded: bool) -> Step:  # noqa: ANN401 - DVC has no types
    from dvc.dependency.param import ParamsDependency  # noqa: PLC0415

    files = [dep for dep in stage.deps if not isinstance(dep, ParamsDependency) and dep.protocol == "local"]
    params = [dep for dep in stage.deps if isinstance(dep, ParamsDependency)]
    commands = stage.cmd if isinstance(stage.cmd, list) else stage.cmd.splitlines()
    known: dict[str, Any] = {str(dep.def_path): dep.hash_info.value for dep in stage.deps} if recorded else {}
    told = [(dep, _status(dep, made)) for dep in stage.deps] if recorded else []
    changed = [f"`{dep.def_path}` is {status}" for dep, status in told if status]
    if recorded and stage.changed_stage():
        changed.append("its command is another one")
    return Step(
        name=_name(stage),
        commands=tuple(str(command) for command in commands),
        folder=Path(stage.wdir),
        deps=tuple(Path(dep.fs_path) for dep in files),
        outs=tuple(Path(out.fs_path) for out in stage.outs if out.protocol == "local"),
        params={Path(dep.fs_path): tuple(dep.params) for dep in params},
        recorded={"commands": list(commands), "inputs": known},
        changed=tuple(changed),
        frozen=bool(stage.frozen),
    )


def _name(stage: Any) -> str:  # noqa: ANN401 - DVC has no types
    """The stage's name from the top of the repository; DVC's own depends on the current folder."""
    name, file = getattr(stage, "name", None), str(stage.path_in_repo)
    return str(name) if file == "dvc.yaml" and name else f"{file}:{name}" if name else file


def _status(dep: Any, made: dict[str, Any]) -> str:  # noqa: ANN401 - DVC has no types
    """How a dependency differs from what was recorded; empty where it doesn't.

    One that another stage makes, and that was not pulled, does not: the lock says that it would be the same.
    """
    found = next(iter(dep.workspace_status().values()), "")
    if found == "deleted" and dep.hash_info and made.get(dep.fs_path) == dep.hash_info:
        return ""
    return found if isinstance(found, str) else "modified"


def _ordered(steps: list[Step]) -> tuple[Step, ...]:
    """Writers before readers; DVC refuses a circle."""
    done: list[Step] = []
    left = sorted(steps, key=lambda step: step.name)
    while left:
        ready = [
            step
            for step in left
            if not any(
                _touch(dep, out) for other in left if other is not step for out in other.outs for dep in step.deps
            )
        ]
        done += ready or left
        left = [step for step in left if step not in done]
    return tuple(done)
