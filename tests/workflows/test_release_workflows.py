"""From a tag to a published release, a download that holds, and a deployment, under a real runner."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "release"))
sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))

from loop import REPOSITORY, Loop
from release_project import POLICY, dvc, judged, make
from repositories import Project
from signers import key_pair
from user_project import PATH, UserProject

from mlci import __version__
from mlci.flows.workflows import render_workflows
from mlci.nouns.bundle import FILES
from mlci.nouns.workflows import WorkflowOptions

STAGES = """\
  release:
    stages:
      staging: {hook: 'echo "$MLCI_VERSION" >> "$HOME/deployed"; ls "$MLCI_BUNDLE" | tail -n 1'}
      prod: {soak: 24h}
"""
RIGHTS = {"contents": "write", "deployments": "write"}


@pytest.fixture
def tagged(tmp_path, github, host):
    """The loop of a project with a real model; `project` is its clone, in which commands run."""
    folder = tmp_path / "made"
    folder.mkdir()
    make(folder)
    project = Project(folder / "repository")
    for path, text in render_workflows(WorkflowOptions(version=__version__)).items():
        (project.root / path).parent.mkdir(parents=True, exist_ok=True)
        (project.root / path).write_text(text)
    (project.root / "params.yaml").write_text(POLICY + STAGES)
    (project.root / ".gitignore").write_text("reports/\n.cache/\n.venv\n")
    # On another machine, the remote is somewhere else than beside the repository.
    dvc(project, "remote", "modify", "store", "url", str(folder / "store"))
    judged(project, "Workflows and stages")
    project.git("remote", "remove", "origin")
    environment = {"PATH": PATH, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    loop = Loop(tmp_path, github, host, UserProject(project.root, folder / "store", environment))
    return loop, project


def pushed(loop, tag, workflow):
    """Run a workflow for a tag that was pushed."""
    owner, name = REPOSITORY.split("/")
    commit = loop.git("rev-parse", f"{tag}^{{commit}}").strip()
    event = {
        "ref": f"refs/tags/{tag}",
        "after": commit,
        "head_commit": {"id": commit},
        "repository": {
            "name": name,
            "full_name": REPOSITORY,
            "default_branch": "main",
            "owner": {"login": owner},
            "private": False,
        },
        "sender": {"login": owner, "type": "User"},
    }
    source = loop.bare, f"refs/tags/{tag}"
    return loop.runner.run(source, workflow, "push", event, token=loop.token(RIGHTS))


def test_a_tag_is_released_downloaded_promoted_and_deployed(tagged, tmp_path, github, monkeypatch):
    loop, project = tagged
    secret, public = key_pair(tmp_path, "team")
    done = project.mlci("release")
    assert done.returncode == 0, done.stderr
    loop.runner.secrets["MLCI_SIGNING_KEY"] = secret.read_text()
    run = pushed(loop, "people@v1.0.0", "release.yml")
    assert run.outcome == "success", run.story
    (shown,) = github.releases()
    assert not shown["draft"]
    beside = [f"people-v1.0.0{end}" for end in (".tar.gz", ".sig", ".provenance.json")]
    assert sorted(shown["files"]) == sorted([*FILES, *beside])

    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    monkeypatch.setenv("GITHUB_SERVER_URL", loop.host.url)
    monkeypatch.setenv("GITHUB_TOKEN", loop.token({"contents": "read"}))
    command = [sys.executable, "-m", "mlci", "pull", "people@latest", "--json", "--key", str(public)]
    command += ["--repo", f"{loop.host.url}/{REPOSITORY}"]
    pulled = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=False)
    assert pulled.returncode == 0, pulled.stderr
    checks = json.loads(pulled.stdout)["checks"]
    (attested,) = [check for check in checks if check["what"].startswith("it was built where")]
    assert attested["held"] is None
    assert f"/{REPOSITORY}/.github/workflows/release.yml at refs/tags/people@v1.0.0" in attested["said"]
    assert [check["held"] for check in checks if check != attested] == [True] * 10
    peer = [Path(sys.executable).with_name("model_signing"), "verify", "key", "people-v1.0.0"]
    peer += ["--signature", "people-v1.0.0.sig", "--public_key", str(public)]
    assert subprocess.run(peer, cwd=empty, capture_output=True, check=False).returncode == 0

    assert project.mlci("promote", "people@v1.0.0", "--to", "staging").returncode == 0
    run = pushed(loop, "people#staging#1", "promote.yml")
    assert run.outcome == "success", run.story
    assert (loop.runner.folder / "home/deployed").read_text() == "v1.0.0\n"
    (deployment,) = github.deployments()
    assert [status["state"] for status in deployment["statuses"]] == ["success", "in_progress"]

    project.git("tag", "-a", "people#prod#2", "-m", "by hand", "people@v1.0.0^{commit}")
    project.git("push", "-q", "origin", "people#prod#2")
    run = pushed(loop, "people#prod#2", "promote.yml")
    assert run.outcome == "failure"
    assert "must be in staging for 24 hours before prod" in run.story
    assert github.deployments()[1]["statuses"][0]["state"] == "failure"
