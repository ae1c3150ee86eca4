"""Ask DVC, in this process for what is here, and in one that can be ended for what is elsewhere."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from mlci.errors import WorldError
from mlci.nouns.storage import Pipeline, Probe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_ALWAYS = "always changed"
_GONE = {"deleted", "not in cache"}
_PASSWORD = re.compile(r"://[^/@\s]+@")
NO_DVC = ("DVC is not installed", 'install it: `pip install "mlci[dvc]"`')


def read_pipeline(root: Path) -> Pipeline:
    """What differs from the lock, and what is not at hand.

    Raises:
        WorldError: DVC is not set up here, or cannot read the pipeline.
    """
    repo = _open(root)
    from dvc.exceptions import DvcException  # noqa: PLC0415 - DVC takes a second to load

    try:
        told = repo.status()
        outs = [(out, stage) for stage in repo.index.stages for out in stage.outs]
        remote = str(repo.config["core"].get("remote") or "")
        address = str(repo.config["remote"].get(remote, {}).get("url") or "")
    except DvcException as error:
        raise _unreadable(error) from error
    finally:
        repo.close()
    changed, absent = _sorted(told)
    here = os.path.realpath(root)
    kept = [(os.path.relpath(out.fs_path, here), stage) for out, stage in outs if out.use_cache and out.is_in_repo]
    return Pipeline(
        changed=changed,
        absent=absent,
        cached=tuple(sorted(path for path, _ in kept)),
        sources=tuple(sorted(path for path, stage in kept if not stage.cmd)),
        remote=remote,
        address=_PASSWORD.sub("://", address),
    )


def read_stale(root: Path, paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What differs from the lock in the stages that make some files, and in those that come before, in words.

    Args:
        root: Folder of the project.
        paths: The files, relative to it; those that no stage makes are as Git has them.

    Raises:
        WorldError: DVC is not set up here, or cannot read the pipeline.
    """
    repo = _open(root)
    from dvc.exceptions import DvcException  # noqa: PLC0415 - DVC takes a second to load

    wanted = {os.path.realpath(root / path) for path in paths}
    try:
        made = {stage.addressing for stage in repo.index.stages for out in stage.outs if str(out.fs_path) in wanted}
        told = repo.status(targets=sorted(made), with_deps=True) if made else {}
    except DvcException as error:
        raise _unreadable(error) from error
    finally:
        repo.close()
    changed, _ = _sorted(told)
    # A stage that always runs has nothing that its lock could say.
    kept = {stage: tuple(each for each in lines if each != _ALWAYS) for stage, lines in changed.items()}
    return {stage: lines for stage, lines in kept.items() if lines}


def _open(root: Path) -> Any:  # noqa: ANN401 - DVC has no types
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    try:
        from dvc.exceptions import DvcException, NotDvcRepoError  # noqa: PLC0415 - DVC takes a second to load
        from dvc.repo import Repo  # noqa: PLC0415
    except ImportError as error:
        raise WorldError(*NO_DVC) from error
    logging.getLogger("dvc").addHandler(logging.NullHandler())
    try:
        return Repo(str(root))
    except NotDvcRepoError as error:
        raise WorldError("DVC is not set up in this repository", "`dvc init`, and commit what it writes") from error
    except DvcException as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> WorldError:
    said = " ".join(_told(error).split())
    return WorldError(f"DVC cannot read the pipeline: {said}", "`dvc status` shows the same; mend what it names")


def _told(error: BaseException) -> str:
    """An error's message, with those of its causes that say something new."""
    said = str(error)
    cause = error.__cause__
    return f"{said}: {_told(cause)}" if cause is not None and str(cause) and str(cause) not in said else said


def _sorted(told: dict[str, Any]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """What differs by stage, and what is merely not here."""
    changed: dict[str, list[str]] = {}
    absent: dict[str, None] = {}
    for stage, entries in told.items():
        for entry in entries:
            if isinstance(entry, str):
                changed.setdefault(stage, []).append(entry)
                continue
            for kind, files in entry.items():
                for name, how in files.items():
                    for each, state in _flat(name, how):
                        if state in _GONE:
                            absent[each] = None
                        else:
                            changed.setdefault(stage, []).append(f"{kind.removeprefix('changed ')} {each} {state}")
    return {stage: tuple(dict.fromkeys(lines)) for stage, lines in changed.items()}, tuple(absent)


def _flat(name: str, how: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a state, or states by parameter
    if isinstance(how, dict):
        return [(f"{name}: {key}", str(state)) for key, state in how.items()]
    return [(name, str(how))]


def probe_remote(root: Path, patience: float) -> Probe:
    """Ask the default remote what it has, and give up after some seconds.

    Args:
        root: Folder of the project.
        patience: Seconds to wait for an answer.
    """
    command = [sys.executable, "-m", "mlci.edges.dvc_probe", str(root.resolve())]
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        run = subprocess.run(  # noqa: S603 - our own module
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Probe(problem=f"no answer within {patience:g} s")
    if run.returncode:
        last = (run.stderr.strip().splitlines() or [f"it ended with {run.returncode}"])[-1]
        return Probe(problem=_PASSWORD.sub("://", last))
    return Probe.model_validate_json(run.stdout.strip().splitlines()[-1])
