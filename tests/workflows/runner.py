"""Runs a workflow under `act`, as GitHub's runner would, with local stand-ins for actions and no network."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from user_project import PATH

from mlci.nouns.workflows import ACTIONS

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
STAND_INS = HERE / "actions"
_ENDED = re.compile(r"(?:Success|Failure) - Main (?P<name>.*) \[", re.DOTALL)


def stand_ins():
    """The folder of each pinned action by `owner/name@commit`."""
    pins = {action.split(" ")[0] for action in ACTIONS.values()}
    found = {}
    for pin in pins:
        path, commit = pin.split("@")
        owner, name = path.split("/")[:2]
        found[f"{owner}/{name}@{commit}"] = STAND_INS / owner / name
    return found


@dataclass
class Run:
    """What a run did, as `act --json` tells it.

    Attributes:
        code: The exit code.
        story: What its commands printed, and how each step ended, for a person.
        steps: The result of every step that ran, inside of actions too, by its name.
        outputs: By name, of all steps.
        summary: What was written for the run's page.
        said: Annotations: level, text and where.
    """

    code: int
    story: str = ""
    steps: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)
    summary: str = ""
    said: list = field(default_factory=list)

    @property
    def outcome(self):
        return "success" if self.code == 0 else "failure"


def read_run(code, text):
    run, story = Run(code), []
    for line in text.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            story.append(line)
            continue
        if "Skipping unsupported platform" in str(told.get("msg")):
            raise AssertionError(told["msg"])
        if ended := _ENDED.search(str(told.get("msg"))) if "stepResult" in told else None:
            run.steps[ended["name"]] = told["stepResult"]
            story.append(f"== {ended['name'].splitlines()[0]}: {told['stepResult']}")
        elif told.get("raw_output") or told.get("level") in {"error", "warning"}:
            story.append(told["msg"].rstrip("\n"))
        match told.get("command"):
            case "set-output":
                run.outputs[told["name"]] = told["arg"] or run.outputs.get(told["name"], "")
            case "summary":
                run.summary += told["content"]
            case "error" | "warning" | "notice" as level:
                run.said.append((level, told.get("arg", ""), told.get("kvPairs") or {}))
    run.story = "\n".join(story)
    return run


class Runner:
    """One machine of GitHub's: an empty home, `secrets` by name, and an `act` that finds everything here."""

    def __init__(self, folder, *, git_url, api_url="http://127.0.0.1:9"):
        self.folder = Path(folder)
        self.git_url = git_url
        self.secrets = {}
        self.api_url = api_url
        self.artifacts = self.folder / "artifacts"
        self.cache = self.folder / "cache"
        self.uv_log = self.folder / "uv.log"
        self._runs = count(1)
        for made in (self.artifacts, self.folder / "home"):
            made.mkdir(parents=True)
        self.uv_log.touch()

    def run(self, source, workflow, event, payload, *, token, run_id=None, variables=None, actions=None):
        """Run one workflow file.

        Args:
            source: The repository and commit whose workflow file runs: a bare repository, and a revision of it.
            workflow: Name of the file.
            event: Name of the event.
            payload: The event.
            token: The job's token.
            run_id: Number of the run; counted up where it is not told.
            variables: More environment variables.
            actions: More actions, as `stand_ins` gives them.
        """
        number = next(self._runs)
        here = self.folder / f"run-{number}"
        self._check_out(source, here / "source")
        (here / "event.json").write_text(json.dumps(payload))
        environment = {
            "GIT_PAGER": "cat",
            "GITHUB_API_URL": self.api_url,
            "GITHUB_REPOSITORY": payload["repository"]["full_name"],
            "GITHUB_RUN_ID": str(run_id or 1000 + number),
            "GITHUB_SERVER_URL": self.git_url,
            **(variables or {}),
        }
        command = [
            shutil.which("act", path=Path(sys.executable).parent) or "act",
            event,
            *("--directory", here / "source"),
            *("--workflows", here / "source/.github/workflows" / workflow),
            *("--eventpath", here / "event.json"),
            *("--platform", "ubuntu-latest=-self-hosted"),
            *("--env-file", "/dev/null", "--secret-file", "/dev/null", "--var-file", "/dev/null"),
            *("--secret", f"GITHUB_TOKEN={token}"),
            *(part for name, value in self.secrets.items() for part in ("--secret", f"{name}={value}")),
            *("--defaultbranch", "main"),
            *("--action-cache-path", here / "act"),
            *("--json", "--no-cache-server", "--no-skip-checkout", "--pull=false"),
            *(part for name, value in environment.items() for part in ("--env", f"{name}={value}")),
            *(
                part
                for pin, folder in {**stand_ins(), **(actions or {})}.items()
                for part in ("--local-repository", f"{pin}={folder}")
            ),
        ]
        done = subprocess.run(
            [str(part) for part in command],
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        return read_run(done.returncode, done.stdout)

    def _check_out(self, source, folder):
        bare, revision = source
        subprocess.run(["git", "clone", "--quiet", "--no-checkout", bare, folder], check=True)
        subprocess.run(["git", "-C", folder, "fetch", "--quiet", "origin", revision], check=True)
        subprocess.run(
            ["git", "-C", folder, "-c", "advice.detachedHead=false", "checkout", "--quiet", "FETCH_HEAD"], check=True
        )

    def _environment(self):
        """What the machine has: nothing of ours but the tools' paths."""
        return {
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "TERM": "dumb",  # act gives its steps a terminal, GitHub does not
            "PATH": PATH,
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(self.folder / "site"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONPATH": str(REPOSITORY),
            "TEST_ARTIFACTS": str(self.artifacts),
            "TEST_CACHE": str(self.cache),
            "TEST_GIT_URL": self.git_url,
            "TEST_PYTHON": sys.executable,
            "TEST_TOOLS": str(STAND_INS),
            "TEST_UV_LOG": str(self.uv_log),
            "TEST_VENV": sys.prefix,
        }
