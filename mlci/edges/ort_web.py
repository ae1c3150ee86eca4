"""ONNX Runtime Web, which runs a model in a browser: from a folder, from the cache, or fetched once by npm."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.files import write_bytes
from mlci.edges.scratch import scratch
from mlci.errors import WorldError
from mlci.nouns.embed import ORT_SCRIPT, ORT_WASM

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = "1.30.0"
PACKAGE = f"onnxruntime-web@{VERSION}"
# One version, known byte by byte: parity is proven with this one, and whoever answers for a registry can't change it.
_SHA256 = {
    ORT_SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    ORT_WASM: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
_WITHIN = ("", "dist", "package/dist", "onnxruntime-web/dist", "node_modules/onnxruntime-web/dist")
_SECONDS = 600


class Runtime(NamedTuple):
    """What runs a model: the script that starts it, and the machine code."""

    script: bytes
    wasm: bytes


def find_runtime(given: Path | None, *, say: Callable[[str], None] = lambda _: None) -> Runtime:
    """The runtime, verified byte by byte.

    Args:
        given: Folder that holds it, such as `node_modules`; None: the user's cache, filled by npm the first time.
        say: Told what is being done.

    Raises:
        WorldError: It isn't there, is another version, or can't be fetched.
    """
    if given is not None:
        found = next((given / within for within in _WITHIN if _holds(given / within)), None)
        if found is None:
            raise WorldError(
                f"{given} does not hold ONNX Runtime Web", f"`npm pack {PACKAGE}`, unpack it and name its folder `dist`"
            )
        return _read(found)
    cache = cache_folder()
    if not _holds(cache):
        say(f"fetching {PACKAGE}, once")
        _fetch(cache)
    return _read(cache)


def cache_folder() -> Path:
    """Where the runtime is kept for the next time."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "mlci" / f"onnxruntime-web-{VERSION}"


def _holds(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _SHA256)


def _read(folder: Path) -> Runtime:
    found = {}
    for name, known in _SHA256.items():
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            raise WorldError(f"{folder / name} cannot be read: {error.strerror}", "make it readable") from error
        if hashlib.sha256(content).hexdigest() != known:
            raise WorldError(
                f"{folder / name} is not that of {PACKAGE}",
                "remove it, so that it is fetched again" if folder == cache_folder() else f"take that of {PACKAGE}",
            )
        found[name] = content
    return Runtime(found[ORT_SCRIPT], found[ORT_WASM])


def _fetch(cache: Path) -> None:
    with scratch("ort") as temporary:
        folder = temporary
        _pack(folder)
        try:
            with tarfile.open(next(folder.glob("*.tgz")), mode="r:gz") as tar:
                for name in _SHA256:
                    content = tar.extractfile(f"package/dist/{name}")
                    write_bytes(folder / name, content.read() if content is not None else b"")
        except (OSError, KeyError, StopIteration, tarfile.TarError) as error:
            raise WorldError(f"{PACKAGE} is no package that can be unpacked: {error}", "try again") from error
        _read(folder)
        for name in _SHA256:
            write_bytes(cache / name, (folder / name).read_bytes())


def _pack(folder: Path) -> None:
    mend = f"fetch it where there is a network (`npm pack {PACKAGE}`), unpack it, and name its folder with --runtime"
    npm = shutil.which("npm")
    if npm is None:
        raise WorldError(f"{PACKAGE} is not at hand, and there is no npm to fetch it", f"install npm; or {mend}")
    command = [npm, "pack", PACKAGE, "--ignore-scripts", "--loglevel", "error", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603 - nothing in it is of anybody else
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WorldError(f"{PACKAGE} can't be fetched: {error}", mend) from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["npm failed"])[0]
        raise WorldError(f"{PACKAGE} can't be fetched: {said[:300]}", mend)
