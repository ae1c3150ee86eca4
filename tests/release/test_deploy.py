"""A stage's tag becomes a deployment: only if it was earned, by the hook, told to the forge, once."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from release_project import POLICY, build

STAGES = """\
  release:
    stages:
      staging: {{hook: '{staging}'}}
      prod: {{soak: 24h, hook: '{prod}'}}
"""
TELL = 'echo "$MLCI_MODEL $MLCI_VERSION $MLCI_STAGE" >> ../deployed; test -f "$MLCI_BUNDLE/card.md"; echo it is there'


@pytest.fixture
def stages(released, tmp_path, forge):  # noqa: ARG001 - it sets where the forge is
    """The release is published, and there are stages; tags are pushed by hand."""
    hooks(released)
    build(released, tmp_path / "dist")
    done = released.mlci("release", "--publish", "people@v1.0.0", "--from", str(tmp_path / "dist"))
    assert done.returncode == 0, done.stderr
    return released


def hooks(project, staging=TELL, prod=TELL):
    (project.root / "params.yaml").write_text(POLICY + STAGES.format(staging=staging, prod=prod))


def tag(project, name, commit="people@v1.0.0", at=None, hours=0.0):
    moment = at or int((datetime.now(UTC) + timedelta(hours=hours)).timestamp())
    command = ["git", "tag", "-a", name, "-m", "by hand", f"{commit}^{{commit}}"]
    environment = {"GIT_COMMITTER_DATE": f"{moment} +0000", "PATH": "/usr/bin:/bin"}
    subprocess.run(command, cwd=project.root, check=True, env={**environment, "HOME": str(project.root)})


def deployed(project):
    file = project.root.parent / "deployed"
    return file.read_text().splitlines() if file.exists() else []


def states(forge):
    return [
        (one["ref"], one["environment"], [status["state"] for status in reversed(one["statuses"])])
        for one in forge.deployments()
    ]


def test_a_stage_s_tag_is_deployed_once(stages, forge):
    assert stages.mlci("promote", "people@v1.0.0", "--to", "staging").returncode == 0
    done = stages.mlci("deploy", "refs/tags/people#staging#1")
    assert (done.returncode, done.stdout) == (0, "staging runs people v1.0.0\n"), done.stderr
    assert deployed(stages) == ["people v1.0.0 staging"]
    assert states(forge) == [("people#staging#1", "staging", ["in_progress", "success"])]
    assert forge.deployments()[0]["statuses"][0]["description"] == "it is there"

    again = stages.mlci("deploy", "people#staging#1")
    assert (again.returncode, again.stdout) == (0, "staging runs people v1.0.0 already\n")
    assert deployed(stages) == ["people v1.0.0 staging"]
    assert len(forge.deployments()) == 1


@pytest.mark.parametrize(
    ("name", "hours", "said"),
    [
        ("people#prod#1", 0, "people v1.0.0 is not in staging, which comes before prod"),
        ("people#moon#1", 0, "knows no stage 'moon'; it has staging, prod"),
    ],
)
def test_a_tag_that_promote_would_not_make_is_refused(stages, forge, name, hours, said):
    tag(stages, name, hours=hours)
    refused = stages.mlci("deploy", name)
    assert refused.returncode in {1, 2}
    assert said in refused.stderr
    assert deployed(stages) == []
    ((_, _, told),) = states(forge)
    assert told == ["failure"]
    assert said[:40] in forge.deployments()[0]["statuses"][0]["description"]


def test_time_in_the_stage_below_is_not_made_by_a_date(stages, forge):
    tag(stages, "people#staging#1")
    tag(stages, "people#prod#2", hours=48)
    refused = stages.mlci("deploy", "people#prod#2")
    assert refused.returncode == 1
    assert "must be in staging for 24 hours before prod" in refused.stderr
    assert [told for _, _, told in states(forge)] == [["failure"]]


def test_a_commit_that_was_never_released_is_refused(stages, forge):
    stages.git("commit", "-q", "--allow-empty", "-m", "later")
    tag(stages, "people#staging#1", "HEAD")
    refused = stages.mlci("deploy", "people#staging#1")
    assert refused.returncode == 1
    assert "never released" in refused.stderr
    assert [told for _, _, told in states(forge)] == [["failure"]]


def test_a_hook_that_fails_is_told_with_its_last_line_and_run_again(stages, forge, monkeypatch):
    monkeypatch.setenv("DEPLOY_TOKEN", "very-secret")
    hooks(stages, staging="echo no room for $DEPLOY_TOKEN; exit 4")
    tag(stages, "people#staging#1")
    failed = stages.mlci("deploy", "people#staging#1")
    assert failed.returncode == 1
    assert "the hook of staging ended with 4" in failed.stderr
    assert forge.deployments()[0]["statuses"][0]["description"].endswith("ended with 4: no room for ***")

    hooks(stages)
    assert stages.mlci("deploy", "people#staging#1").returncode == 0
    assert states(forge)[0][2] == ["in_progress", "failure", "in_progress", "success"]


def test_a_tag_that_another_one_followed_changes_nothing(stages, forge):
    tag(stages, "people#staging#1", hours=-2)
    tag(stages, "people#staging!#2", hours=-1)
    done = stages.mlci("deploy", "people#staging#1")
    assert (done.returncode, done.stdout) == (0, "staging runs no version of people\n"), done.stderr
    assert stages.mlci("deploy", "people#staging!#2").stdout == "staging runs no version of people\n"
    assert forge.deployments() == []
    assert deployed(stages) == []


def test_a_lightweight_tag_says_nothing(stages):
    stages.git("tag", "people#staging#1", "people@v1.0.0^{commit}")
    refused = stages.mlci("deploy", "people#staging#1")
    assert refused.returncode == 2
    assert "there is no annotated tag people#staging#1" in refused.stderr


def test_going_back_needs_no_soak_but_must_have_been_there_by_right(stages, forge):
    hooks(stages, "", "")
    stages.git("remote", "remove", "origin")
    stages.git("tag", "--delete", "people@v1.0.0")
    tag(stages, "people@v1.0.0", "HEAD", hours=-90)
    stages.git("commit", "-q", "--allow-empty", "-m", "The same again")
    tag(stages, "people@v1.0.1", "HEAD", hours=-89)
    for name, version, hours in (
        ("people#staging#1", "v1.0.0", -80),
        ("people#prod#2", "v1.0.0", -50),
        ("people#staging#3", "v1.0.1", -48),
        ("people#prod#4", "v1.0.1", -20),
    ):
        tag(stages, name, f"people@{version}", hours=hours)
    assert stages.mlci("rollback", "prod").stdout == "prod runs people v1.0.0 again (it ran v1.0.1)\n"
    taken = stages.mlci("deploy", "people#prod!#5")
    assert taken.stdout == "prod runs people v1.0.0 because of people#prod#6\n", taken.stderr
    assert forge.deployments() == []
    done = stages.mlci("deploy", "people#prod#6")
    assert done.stdout == "prod runs people v1.0.0\n", done.stderr
    assert states(forge) == [("people#prod#6", "prod", ["in_progress", "success"])]

    # What came there by hand and was refused is no right to come back.
    stages.git("commit", "-q", "--allow-empty", "-m", "Once more")
    tag(stages, "people@v1.0.2", "HEAD", hours=1)
    tag(stages, "people#prod#7", "people@v1.0.2", hours=2)
    tag(stages, "people#prod#8", "people@v1.0.2", hours=3)
    refused = stages.mlci("deploy", "people#prod#8")
    assert refused.returncode == 1
    assert "people v1.0.2 is not in staging" in refused.stderr
