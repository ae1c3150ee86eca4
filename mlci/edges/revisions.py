"""Files as they were at another commit, out of Git or out of DVC's cache and remotes."""

from __future__ import annotations

import configparser
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mlci.edges.dvc_lock import md5_of, recorded_md5
from mlci.edges.files import digest, replaced
from mlci.errors import WorldError

if TYPE_CHECKING:
    from mlci.edges.git import History

CACHE = Path(".cache/mlci/revisions")


class NotKept(WorldError):  # noqa: N818 - reads as what it says
    """The commit names the file, but neither Git nor DVC has its content."""


class Revisions:
    """Reads files of other commits into a cache inside the repository; a file is fetched once per content."""

    def __init__(self, root: Path, history: History) -> None:
        self.root = root
        self.history = history

    def version(self, rev: str, path: str) -> str:
        """Digest of a file at a commit: `git:…`, `md5:…` (DVC), or empty where the commit has no such file."""
        if known := self.history.blob(rev, path):
            return f"git:{known}"
        known = self._dvc_md5(rev, path)
        return f"md5:{known}" if known else ""

    def version_here(self, path: str, like: str) -> str:
        """Digest of the file in the work tree, of the same kind as `like`; empty where it is not there."""
        file = self.root / path
        if not file.is_file():
            return ""
        return f"md5:{digest(file, 'md5')}" if like.startswith("md5:") else f"git:{self.history.blob_here(file)}"

    def version_now(self, path: str) -> str:
        """Digest of the file in the work tree as a commit would name it; empty where no commit would hold it."""
        if self.history.tracks(path):
            return self.version_here(path, "git:")
        if (self.root / f"{path}.dvc").is_file() or recorded_md5(self.root, self.root / path):
            return self.version_here(path, "md5:")
        return "" if self.history.ignores(path) else self.version_here(path, "git:")

    def version_recorded(self, path: str) -> str:
        """Digest that DVC records of a file of the work tree, at hand or not; empty where it knows none."""
        known = recorded_md5(self.root, self.root / path)
        return f"md5:{known}" if known else ""

    def at_hand(self, rev: str, path: str) -> Path | None:
        """A copy of a file as it was at a commit, if Git or DVC's local cache holds it; do not change it."""
        version = self.version(rev, path)
        if not version:
            return None
        target = self._target(version, path)
        if target.exists():
            return target
        if version.startswith("git:"):
            with replaced(target) as temporary:
                self.history.save(rev, path, temporary)
            return target
        local = self._cached(version.removeprefix("md5:"))
        return _linked(local, target) if local is not None else None

    def fetch(self, rev: str, path: str) -> Path:
        """The same, out of a DVC remote if it must be.

        Raises:
            NotKept: Neither Git nor DVC has the content.
            WorldError: The commit has no such file, or it cannot be copied.
        """
        found = self.at_hand(rev, path)
        if found is not None:
            return found
        version = self.version(rev, path)
        if not version:
            raise WorldError(f"{path} is not in commit {rev[:10]}", "see `git log --stat` for when it was added")
        return self._from_dvc(rev, path, self._target(version, path))

    def _target(self, version: str, path: str) -> Path:
        return self.root / CACHE / version.replace(":", "-") / PurePosixPath(path).name

    def _cached(self, md5: str) -> Path | None:
        """The file in DVC's local cache, found without loading DVC (a second saved on every run)."""
        for cache in (folder for home in dict.fromkeys((self.root, self._top())) for folder in cache_folders(home)):
            file = cache / "files/md5" / md5[:2] / md5[2:]
            if file.is_file():
                return file
        return None

    def _top(self) -> Path:
        repo = self.history.repo
        return Path(repo.working_tree_dir) if repo is not None and repo.working_tree_dir else self.root

    def _dvc_md5(self, rev: str, path: str) -> str:
        """The content's digest in `dvc.lock` or in the `.dvc` file beside the path, at a commit."""
        for file in ("dvc.lock", f"{path}.dvc"):
            content = self.history.read(rev, file)
            if content is None:
                continue
            if known := md5_of(content, PurePosixPath(file).parent, path):
                return known
        return ""

    def _from_dvc(self, rev: str, path: str, target: Path) -> Path:
        os.environ.setdefault("DVC_NO_ANALYTICS", "1")
        try:
            from dvc.api import DVCFileSystem  # noqa: PLC0415 - DVC takes a second to load and is rarely needed
            from dvc.exceptions import DvcException  # noqa: PLC0415
        except ImportError as error:
            raise WorldError(
                f"{path} at {rev[:10]} is kept by DVC, which is not installed", 'install it: `pip install "mlci[dvc]"`'
            ) from error
        try:
            with replaced(target) as temporary:
                DVCFileSystem(repo=str(self._top()), rev=rev).get_file(self.history.path(path), str(temporary))
        except (DvcException, FileNotFoundError, OSError, WorldError) as error:
            raise NotKept(
                f"{path} of commit {rev[:10]} is neither in Git nor in DVC's cache or remote",
                f"`dvc pull` at {rev[:10]}, or whoever made it runs `dvc push`; `dvc repro` makes a lost one again",
            ) from error
        return target


def cache_folders(home: Path) -> list[Path]:
    """Where DVC keeps its cache, by its own configuration files: the repository's local one counts more."""
    found = []
    for name in ("config.local", "config"):
        config = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
        try:
            config.read(home / ".dvc" / name, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        if folder := config.get("cache", "dir", fallback=None):
            found.append(home / ".dvc" / folder)
    return [*found, home / ".dvc/cache"]


def _linked(source: Path, target: Path) -> Path:
    """The file under a name with its ending: a cache has none, and readers tell the format by it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # A link whose file was cleaned away is made anew.
    target.unlink(missing_ok=True)
    target.symlink_to(source.resolve())
    return target
