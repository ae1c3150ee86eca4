"""The tutorial does what it says: its blocks are executed in order, and what it shows is what comes out.

`sh` blocks run in one shell after the other, in the folder that the last one left; a `python` or `yaml` block whose
first line is `# name` is written to that file; a `text` block is what the `sh` block before it prints.
`MLCI_UPDATE_DOCS=1 pytest tests/docs/test_tutorial.py` writes what is printed now into the page.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from documents import ROOT, blocks

PAGE = ROOT / "docs/tutorial/first-gate.md"
PLACE = "tutorial-folder:"
HOW = "if this is right, write it into the page: MLCI_UPDATE_DOCS=1 pytest tests/docs"


class Shell:
    """Runs one block after the other where the one before it ended."""

    def __init__(self, home):
        self.folder = home
        keep = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        self.environment = keep | {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "You",
            "GIT_AUTHOR_EMAIL": "you@example.org",
            "GIT_COMMITTER_NAME": "You",
            "GIT_COMMITTER_EMAIL": "you@example.org",
            "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
            "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z",
            "COLUMNS": "80",
        }

    def run(self, commands):
        script = f"{commands}\nprintf '\\n{PLACE}%s' \"$PWD\""
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, text=True, capture_output=True, check=True
        )
        printed, _, folder = done.stdout.rpartition(f"\n{PLACE}")
        self.folder = Path(folder)
        assert "Traceback" not in done.stderr, done.stderr
        return "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())


def without_commits(text):
    return re.sub(r"\b[0-9a-f]{7,10}\b", "0000000", text)


def test_the_tutorial_does_what_it_says(tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    shell, printed, compared = Shell(tmp_path), "", 0
    shown = []
    for block in blocks(text):
        if not block.run:
            continue
        name = re.match(r"# ([\w./-]+)\n", block.body)
        if block.kind == "sh":
            printed = shell.run(block.body)
        elif block.kind in {"python", "yaml"} and name:
            (shell.folder / name[1]).write_text(block.body, encoding="utf-8")
        elif block.kind == "text":
            compared += 1
            shown.append((block, printed))
    if os.environ.get("MLCI_UPDATE_DOCS"):
        for block, now in reversed(shown):
            text = text[: block.start] + now + text[block.end :]
        PAGE.write_text(text, encoding="utf-8")
        return
    assert compared > 5
    for block, now in shown:
        assert without_commits(now) == without_commits(block.body), HOW


def test_the_tutorial_shows_all_outcomes():
    text = PAGE.read_text(encoding="utf-8")
    for said in ("First run", "✗ Blocked", "✓ Safe", "exit code 1", "exit code 0"):
        assert said in text
