"""Make a folder the same as the one that it is copied from: `fresh.py FOLDER`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for old in folder.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink()
    shutil.copytree(folder.with_name(f"{folder.name}-source"), folder, symlinks=True, dirs_exist_ok=True)
