"""Reports as a run leaves them, and the command that publishes them, in this process."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from mlci.__main__ import main
from mlci.judge.headline import headline, overall
from mlci.nouns.base import Place
from mlci.nouns.finding import Comparison, Digests, Finding, Verdict
from mlci.nouns.report import Report
from mlci.render.json import to_json

SHA, NEWER, OLDER = "a" * 40, "b" * 40, "c" * 40
LINE = "<!-- mlci:./ -->"


def finding(outcome="pass", place=7, **given):
    words = {"pass": "It holds.", "fail": "It does not hold.", "inconclusive": "More data is needed."}
    told = {
        "check": "gate.accuracy",
        "title": "accuracy does not drop",
        "area": "gate",
        "outcome": outcome,
        "message": words.get(outcome, outcome),
        "place": Place(file="params.yaml", line=place) if place else None,
    }
    return Finding(**told | given)


def report(*outcomes, commit=SHA, findings=None, project="flights", **given):
    """A report with one finding for each outcome; `**given` are further fields of the verdict."""
    found = findings if findings is not None else tuple(finding(each) for each in outcomes or ("pass",))
    verdict = {
        "project": project,
        "outcome": overall(found),
        "headline": headline(found),
        "findings": found,
        "comparisons": (Comparison(baseline="merge-base", status="compared", model="e" * 64, rows=1_000),),
        "tool": "mlci 1",
        "commit": commit,
        "digests": Digests(predictions="d" * 64, test="7" * 64, gate="9" * 64),
    }
    return Report(verdict=Verdict(**verdict | given), repeat=("mlci ci",))


def untouched(commit=SHA):
    """The report of a run that had nothing to judge."""
    said = {
        "check": "pipeline.unchanged",
        "title": "nothing of the pipeline changed",
        "area": "pipeline",
        "place": None,
    }
    return report(commit=commit, findings=(finding("pass", **said),), comparisons=())


def leave(folder, **projects):
    """Write reports as an artefact holds them: `top` is the repository's own project. Gives the folder."""
    for name, told in projects.items():
        place = folder if name == "top" else folder / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "report.json").write_text(told if isinstance(told, str) else to_json(told))
    folder.mkdir(exist_ok=True)
    return folder


class Job:
    """A job of GitHub Actions in a folder: its environment, and the commands that run in it."""

    def __init__(self, github, root):
        self.github, self.root = github, root
        self.env = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": github.url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": github.repository,
            "GITHUB_TOKEN": github.token(),
            "GITHUB_RUN_ID": "99",
            "GITHUB_OUTPUT": str(root / "output"),
            "GITHUB_STEP_SUMMARY": str(root / "summary"),
        }

    def event(self, *given, **more):
        """Let the job be started by an event about a pull request, as `github.event` makes it."""
        payload = self.github.event(*given, **more)
        (self.root / "event.json").write_text(json.dumps(payload))
        self.env["GITHUB_EVENT_PATH"] = str(self.root / "event.json")
        self.env["GITHUB_EVENT_NAME"] = "workflow_run" if "workflow_run" in payload else "pull_request"
        return self

    def publish(self, *arguments, **env):
        """Run the command; the answer has `returncode`, `stdout`, `stderr`."""
        out, err = io.StringIO(), io.StringIO()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GH_"))}
        with (
            contextlib.chdir(self.root),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "argv", ["mlci", "publish", *map(str, arguments)]),
            mock.patch.dict(os.environ, clean | self.env | env, clear=True),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        code = ended.value.code if isinstance(ended.value.code, int) else 0
        return subprocess.CompletedProcess(["mlci", "publish"], code, out.getvalue(), err.getvalue())

    def outputs(self):
        """The step's outputs, as the runner reads them."""
        found, lines = {}, (self.root / "output").read_text().splitlines()
        while lines:
            name, _, end = lines.pop(0).partition("<<")
            value = []
            while (line := lines.pop(0)) != end:
                value.append(line)
            found[name] = "\n".join(value)
        return found

    def summary(self):
        path = Path(self.env["GITHUB_STEP_SUMMARY"])
        return path.read_text() if path.exists() else ""
