"""Reproduce a pipeline as `dvc repro --pull --allow-missing` does, and tell what ran, why, and what was missing."""

from __future__ import annotations

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlci.edges.captured import Tail, captured, quiet_stdout
from mlci.edges.dvc_places import Places
from mlci.edges.dvc_storage import Storage, chain
from mlci.edges.pipeline_files import differing
from mlci.errors import MlciError, PolicyError, WorldError
from mlci.nouns.pipeline import Reproduced, StageRun, Unpushed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LINES = 20
_EXIT = re.compile(r"exited with (-?\d+)")


def reproduce(
    root: Path, wanted: Iterable[str], say: Callable[[str], None], meanwhile: Callable[[], None] = lambda: None
) -> Reproduced:
    """Run what changed, pull what that needs and what is wanted, and leave all else where it is.

    Args:
        root: Folder of the project, which may be one of several in the repository.
        wanted: Paths, relative to the project, that must be at hand in the end if DVC knows them.
        say: Told what is being done.
        meanwhile: Called in a thread when the first stage runs, for what can be done while it does.

    Raises:
        PolicyError: DVC cannot make sense of the pipeline's files.
        WorldError: DVC is not installed, or a remote cannot be reached.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    try:
        from dvc.repo import Repo  # noqa: PLC0415 - DVC takes a second to load
    except ImportError as error:
        raise WorldError(
            "this project has a DVC pipeline, and DVC is not installed", '`pip install "mlci[dvc]"`'
        ) from (error)
    # DVC names stages and paths as seen from the current folder.
    here = root.resolve()
    with quiet_stdout(), chdir(here), Repo(str(here)) as repo, ThreadPoolExecutor(1) as idle:
        return _Run(repo, here, say, lambda: idle.submit(meanwhile)).all(wanted)


class _StageError(Exception):
    """A stage did not end well; its run says how."""


class _AgainError(Exception):
    """A stage must be made that was passed over, because another one turned out to need its output."""


class _Run:
    """One run over a pipeline. What comes from DVC has no types."""

    def __init__(self, repo: Any, root: Path, say: Callable[[str], None], at_first: Callable[[], object]) -> None:  # noqa: ANN401
        self.repo = repo
        self.root = root
        self.say = say
        self.at_first = at_first
        self.places = Places(root)
        self.storage = Storage(repo, root, say, self.places)
        self.runs: dict[str, StageRun] = {}
        self.unpushed: tuple[Unpushed, ...] | None = None
        self.needed: set[str] = set()

    def all(self, wanted: Iterable[str]) -> Reproduced:
        """Reproduce, and then see to it that what is wanted is there."""
        from dvc.exceptions import DvcException  # noqa: PLC0415 - as above
        from dvc.lock import LockError  # noqa: PLC0415

        self.needed = {os.path.normpath(self.root / path) for path in wanted}
        try:
            if (self.root / "dvc.yaml").is_file():
                self._stages()
            self._ask_once()
            if not self._failed:
                self._loose_files()
        except TypeError as error:
            # DVC reads all of params.yaml, and has no date in its vocabulary.
            if not str(error).startswith("Unsupported value"):
                raise
            raise PolicyError(f"DVC cannot read the parameters: {error}", 'quote it: "2027-01-31"') from error
        except LockError as error:
            raise WorldError(f"DVC is busy: {chain(error)}", "wait for the other `dvc`, and run it again") from error
        except DvcException as error:
            raise PolicyError(f"DVC cannot read the pipeline: {chain(error)}", "see what `dvc status` says") from error
        return Reproduced(
            status="failed" if self._failed else "ran" if self.runs else "current",
            runs=tuple(self.runs.values()),
            unpushed=self.unpushed or (),
            remote=self.storage.remote is not None,
            pulled=tuple(self.storage.pulled),
            pulled_bytes=sum(self.storage.pulled.values()),
        )

    def _ask_once(self) -> None:
        """What the lock as it was committed names and nobody pushed; while DVC holds the index of its stages."""
        if self.unpushed is None:
            self.unpushed = self.storage.unpushed()

    @property
    def _failed(self) -> bool:
        return any(run.failed for run in self.runs.values())

    def _stages(self) -> None:
        from dvc.exceptions import ReproductionError  # noqa: PLC0415 - as above

        while True:
            try:
                self.repo.reproduce("dvc.yaml", repro_fn=self._stage, allow_missing=True)
            except ReproductionError as error:
                if isinstance(error.__cause__, MlciError):
                    raise error.__cause__ from error
                if isinstance(error.__cause__, _AgainError):
                    continue
                if not self._failed:
                    raise
            return

    def _stage(self, stage: Any, upstream: list[Any], **_: Any) -> Any:  # noqa: ANN401
        """What DVC calls for every stage, in order: nothing, a pull, or a run."""
        self._ask_once()
        gone = [out for out in stage.outs if self._is_needed(out) and not out.exists]
        if not stage.changed(True, upstream):  # noqa: FBT003 - DVC's own order
            if gone:
                self.storage.pull([out.fs_path for out in gone])
            gone = [out for out in gone if not out.exists]
            if not gone or stage.frozen or not stage.cmd:
                return None
        return self._run(stage, upstream, gone)

    def _is_needed(self, out: Any) -> bool:  # noqa: ANN401
        return any(out.fs.isin_or_eq(path, out.fs_path) for path in self.needed)

    def _run(self, stage: Any, upstream: list[Any], gone: list[Any]) -> Any:  # noqa: ANN401
        name = str(stage.addressing)
        run = self._about(stage, upstream, gone)
        recorded = {str(out): out.hash_info.value for out in stage.outs if out.hash_info}
        self._dependencies(stage, upstream)
        self.storage.pull_runs()
        self.say(f"stage {name} runs: {'; '.join(run.why) or 'its output is needed and kept nowhere'}")
        start, tail = time.monotonic(), Tail()
        if not self.runs:
            self.at_first()
        try:
            with captured(tail):
                stage.run(allow_missing=False, pull=self.storage.remote is not None)
                stage.dump(update_pipeline=False)
        except Exception as error:
            self.runs[name] = run.model_copy(update={**_failure(error, tail), "seconds": time.monotonic() - start})
            raise _StageError(name) from error
        seconds = time.monotonic() - start
        self.say(f"stage {name} took {seconds:.1f} s")
        made = {str(out): out.hash_info.value for out in stage.outs}
        differs = tuple(path for path, known in recorded.items() if made.get(path) != known)
        self.runs[name] = run.model_copy(update={"differs": differs, "seconds": seconds})
        return stage

    def _about(self, stage: Any, upstream: list[Any], gone: list[Any]) -> StageRun:  # noqa: ANN401
        """What differs from the lock, as far as it can be seen before the stage runs."""
        locked = self.places.lock(stage)
        own: list[str] = []
        follows: dict[str, str] = {}
        if locked is None:
            own.append("it is in no lock yet")
        elif stage.changed_stage():
            own.append("its command")
        for dep in stage.deps if locked is not None else ():
            makers = [one for one in upstream if _makes(one, dep)]
            for path, state in dep.status().items():
                if isinstance(state, dict):
                    own += _parameters(dep, state)
                elif ran := next((one.addressing for one in makers if one.addressing in self.runs), None):
                    follows[f"dependency {path}"] = ran
                elif state != "deleted" or _recorded_otherwise(dep, makers):
                    own.append(f"dependency {path}")
        stale = bool(own)
        if stage.is_callback or stage.always_changed:
            own.append("it always runs")
        edited = [str(out) for out in stage.outs if out.exists and out.hash_info and out.changed_checksum()]
        return StageRun(
            stage=stage.addressing,
            stale=stale,
            why=(*own, *follows, *(f"output {path}" for path in edited)),
            behind=tuple(sorted(set(follows.values()))) if not own and not edited else (),
            edited=tuple(edited) if locked is not None else (),
            missing=tuple(str(out) for out in gone),
            place=self.places.stage(stage),
            lock=locked,
        )

    def _dependencies(self, stage: Any, upstream: list[Any]) -> None:  # noqa: ANN401
        """Get what a stage reads; what nobody has any more must be made again by the stage that makes it."""
        missing = [dep for dep in stage.deps if dep.protocol == "local" and not dep.exists]
        if not missing:
            return
        self.storage.pull([dep.fs_path for dep in missing])
        for dep in missing:
            if not dep.exists and dep.fs_path not in self.needed and any(_makes(one, dep) for one in upstream):
                self.needed.add(dep.fs_path)
                raise _AgainError(dep.fs_path)

    def _loose_files(self) -> None:
        """Pull what is wanted and that no stage makes, such as a table that was added by `dvc add`."""
        from dvc.exceptions import OutputNotFoundError  # noqa: PLC0415 - as above

        known = []
        for path in sorted(self.needed):
            try:
                if not Path(path).exists() and self.repo.find_outs_by_path(path):
                    known.append(path)
            except OutputNotFoundError:
                continue
        if known:
            self.storage.pull(known)


def _makes(stage: Any, dep: Any) -> bool:  # noqa: ANN401
    return any(dep.fs.isin_or_eq(dep.fs_path, out.fs_path) for out in stage.outs)


def _recorded_otherwise(dep: Any, makers: list[Any]) -> bool:  # noqa: ANN401
    return any(out.fs_path == dep.fs_path and out.hash_info != dep.hash_info for one in makers for out in one.outs)


def _parameters(dep: Any, keys: Iterable[str]) -> list[str]:  # noqa: ANN401
    old, new = dep.hash_info.value or {}, dep.read_params()
    return [f"parameter {leaf}" for key in keys for leaf in differing(old.get(key), new.get(key), key)]


def _failure(error: Exception, tail: Tail) -> dict[str, Any]:
    told = tail.lines(_LINES)
    code = _EXIT.search(str(error))
    return {"exit_code": int(code[1]), "output": told} if code else {"failure": chain(error), "output": told}
