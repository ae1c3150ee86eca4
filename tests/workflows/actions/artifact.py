"""Artefacts as zip files by run. What is unpacked keeps links and whatever else somebody put into the zip."""

import os
import sys
import zipfile
from pathlib import Path

run = os.environ.get("RUN_ID") or os.environ["GITHUB_RUN_ID"]
store = Path(os.environ["TEST_ARTIFACTS"]) / run / f"{os.environ['NAME']}.zip"
folder = Path(os.environ["INPUT_PATH"])
if sys.argv[1] == "upload":
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if files:
        store.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(store, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.relative_to(folder))
elif not store.is_file() or not (os.environ["TOKEN"] or run == os.environ["GITHUB_RUN_ID"]):
    # Only what another run left takes a token.
    sys.exit(1)
else:
    with zipfile.ZipFile(store) as archive:
        for entry in archive.infolist():
            # As the action itself does it: an entry that leads out of the folder ends everything.
            target = Path(os.path.normpath(folder / entry.filename))
            if folder not in target.parents:
                sys.exit(1)
            target.parent.mkdir(parents=True, exist_ok=True)
            if (entry.external_attr >> 16) & 0o170000 == 0o120000:
                target.symlink_to(archive.read(entry).decode())
            elif not entry.is_dir():
                target.write_bytes(archive.read(entry))
