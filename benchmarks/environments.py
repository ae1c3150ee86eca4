"""Virtual environments of the peers, one each, made at first use and kept in the cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent / ".cache" / "bench" / "env"


def interpreter(name: str, packages: tuple[str, ...]) -> Path:
    """The Python that has these packages; without any, the one that runs this.

    Raises:
        subprocess.CalledProcessError: A package does not install.
    """
    if not packages:
        return Path(sys.executable)
    folder = FOLDER / name
    python = folder / "bin" / "python"
    ready, wanted = folder / "ready", "\n".join(packages)
    if ready.exists() and ready.read_text() == wanted:
        return python
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        steps = [
            [uv, "venv", "-q", "--clear", folder],
            [uv, "pip", "install", "-q", "--compile-bytecode", "-p", python, *packages],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", "--clear", folder],
            [python, "-m", "pip", "install", "-q", *packages],
        ]
    for step in steps:
        subprocess.run(step, check=True, capture_output=True, text=True)
    ready.write_text(wanted)
    return python
