"""A cache of folders by key, with prefixes, as GitHub's: what is there is never written again."""

import os
import shutil
import sys
from pathlib import Path

store = Path(os.environ["TEST_CACHE"])
store.mkdir(parents=True, exist_ok=True)
folder, key = Path(os.environ["INPUT_PATH"].strip()), os.environ["KEY"]
if sys.argv[1] == "save":
    if (store / key).exists():
        pass
    elif folder.is_dir():
        shutil.copytree(folder, store / key, symlinks=True)
    else:
        pass
else:
    newest = sorted(store.iterdir(), key=lambda entry: entry.stat().st_mtime, reverse=True)
    wanted = [key, *os.environ["PREFIXES"].split()]
    found = next((entry for prefix in wanted for entry in newest if entry.name.startswith(prefix)), None)
    if found is not None:
        shutil.copytree(found, folder, symlinks=True, dirs_exist_ok=True)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as output:
        output.write(f"cache-hit={str(found is not None and found.name == key).lower()}\n")
        output.write(f"cache-matched-key={found.name if found else ''}\n")
