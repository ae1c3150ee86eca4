"""The tutorial of the first pull request, as it is written: from an empty folder to a green check and a comment."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from githost import GitHost
from loop import Loop
from pulls import comments, conclusions
from user_project import UserProject

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/tutorial/first-pull-request.md"
pytestmark = [pytest.mark.slow]


def five_commands():
    (part,) = re.findall(r"^## Five commands\n(.*?)^## ", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture
def clone(tmp_path, github):
    """A clone of an empty repository on GitHub."""
    (tmp_path / "home").mkdir()
    (tmp_path / "shop").mkdir()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(tmp_path / "site"),
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONPATH": str(ROOT),
    }
    project = UserProject(tmp_path / "shop", tmp_path / "none", environment)
    project.git("init", "--quiet", "--initial-branch", "main")
    with GitHost(tmp_path / "git") as host:
        yield Loop(tmp_path, github, host, project)


def test_five_commands_lead_from_nothing_to_a_green_pull_request(clone):
    *commands, check = five_commands()
    assert len(commands) == 5
    assert check == "mlci ci"
    assert not any(part in command for command in commands for part in ("&&", ";", "|"))
    for command in (*commands, check):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=clone.project.root,
            env=clone.project.environment,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    assert clone.project.git("status", "--porcelain") == ""
    pull = clone.open(clone.project.git("branch", "--show-current"))
    measured, reported = clone.both(pull)
    assert measured.outcome == "success", measured.story
    assert measured.outputs["outcome"] == "held"
    assert reported.outcome == "success", reported.story
    (comment,) = comments(clone, pull)
    assert "Safe" in comment
    assert conclusions(clone, pull) == ["success"]
