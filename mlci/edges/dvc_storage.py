"""DVC's cache and remotes: what they lack, and getting from them what is needed and nothing else."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlci.errors import WorldError
from mlci.nouns.base import Place
from mlci.nouns.pipeline import Unpushed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlci.edges.dvc_places import Places

_MEND = "see `dvc remote list`, whether its package is installed, and whether this machine has the credentials"


class Storage:
    """The storage of one project. What comes from DVC has no types."""

    def __init__(self, repo: Any, root: Path, say: Callable[[str], None], places: Places) -> None:  # noqa: ANN401
        self.repo = repo
        self.root = root
        self.say = say
        self.places = places
        self.remote: str | None = repo.config["core"].get("remote")
        self.pulled: dict[str, int] = {}
        self._has_runs = False

    def pull(self, paths: list[str]) -> None:
        """Get files out of the cache or a remote; what neither has stays away.

        Raises:
            WorldError: The remote cannot be reached.
        """
        from dvc.config import NoRemoteError  # noqa: PLC0415 - DVC takes a second to load
        from dvc.exceptions import CheckoutError, DownloadError  # noqa: PLC0415

        shown = [os.path.relpath(path, self.root) for path in paths]
        self.say(f"pulling {', '.join(shown)}")
        try:
            self.repo.pull(paths, allow_missing=True)
        except (CheckoutError, DownloadError, NoRemoteError) as error:
            self.say(chain(error))
        except Exception as error:
            # Every kind of storage comes with exceptions of its own.
            raise WorldError(f"the DVC remote cannot be read: {chain(error)}", _MEND) from error
        for path, name in zip(paths, shown, strict=True):
            if Path(path).exists():
                self.pulled[name] = _size(Path(path))
            else:
                self.say(f"{name} is neither in DVC's cache nor in a remote")

    def pull_runs(self) -> None:
        """Get the remote's cache of earlier runs, so that a stage that ran elsewhere does not run again.

        Raises:
            WorldError: The remote cannot be reached.
        """
        from dvc.exceptions import DownloadError  # noqa: PLC0415 - as above
        from dvc.stage.cache import RunCacheNotSupported  # noqa: PLC0415

        if self.remote is None or self._has_runs:
            return
        self._has_runs = True
        try:
            self.repo.stage_cache.pull(None)
        except (RunCacheNotSupported, DownloadError) as error:
            self.say(chain(error))
        except Exception as error:
            raise WorldError(f"the DVC remote cannot be read: {chain(error)}", _MEND) from error

    def unpushed(self) -> tuple[Unpushed, ...]:
        """Outputs of the project's lock that their remote lacks; none where there is no remote.

        Raises:
            WorldError: The remote cannot be reached.
        """
        asked: dict[str, list[tuple[Any, Any]]] = {}
        for stage, out in self._outs():
            if name := out.remote or self.remote:
                asked.setdefault(name, []).append((stage, out))
        try:
            return tuple(found for name, outs in asked.items() for found in self._absent(name, outs))
        except Exception as error:
            raise WorldError(f"the DVC remote cannot be read: {chain(error)}", _MEND) from error

    def _outs(self) -> Iterator[tuple[Any, Any]]:
        for stage in self.repo.index.stages:
            if Path(stage.path).is_relative_to(self.root):
                for out in stage.outs:
                    if out.use_cache and out.can_push and out.hash_info and out.is_in_repo and not stage.is_repo_import:
                        yield stage, out

    def _absent(self, name: str, outs: list[tuple[Any, Any]]) -> Iterator[Unpushed]:
        remote = self.repo.cloud.get_remote(name)
        if remote.fs.version_aware or remote.worktree:
            self.say(f"the remote {name} keeps versions itself, so nobody can ask it for what was pushed")
            return
        everything = self._ask(name, [out for _, out in outs])
        if not everything.missing and not everything.new:
            return
        for stage, out in outs:
            one = self._ask(name, [out])
            if one.missing or one.new:
                place = self.places.lock(stage, out.def_path)
                yield Unpushed(
                    path=str(out),
                    stage=stage.addressing,
                    remote=name,
                    cached=not one.missing,
                    place=place or Place(file="dvc.lock"),
                )

    def _ask(self, name: str, outs: list[Any]) -> Any:  # noqa: ANN401
        log = logging.getLogger("dvc_data")
        level = log.level
        log.setLevel(logging.ERROR)
        try:
            return self.repo.cloud.status({out.hash_info for out in outs}, remote=name)
        finally:
            log.setLevel(level)


def chain(error: BaseException | None) -> str:
    """What an error and those behind it say, in one line."""
    said: list[str] = []
    while error is not None:
        text = " ".join(str(error).split())
        if text:
            said.append(text)
        error = error.__cause__
    return ": ".join(dict.fromkeys(said))


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
