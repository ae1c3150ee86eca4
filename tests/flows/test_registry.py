"""Promotion, rollback and withdrawal in a real repository, beside GTO's and DVC's reading of the same tags."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import gto.api
import pytest

from mlci.edges.git import History
from mlci.edges.tags import NewTag, Tags
from mlci.nouns.registry import TagName

POLICY = """\
mlci:
  model: {name: people, label: ill, id: person}
  gate:
    test: test.parquet
    predictions: predictions.parquet
    metrics: {accuracy: {floor: 0.7, drop: 0.05}}
  release:
    stages:
      staging:
      prod: {soak: 24h}
"""
DVC = """\
artifacts:
  people:
    path: predictions.parquet
    type: model
"""


@pytest.fixture
def released(project, people, tmp_path):
    """A repository with a remote and three releases, each better than the one before, and with evidence."""
    (project.root / "params.yaml").write_text(POLICY)
    (project.root / "dvc.yaml").write_text(DVC)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=project.root, check=True)
    project.git("init", "-q", "--bare", str(tmp_path / "origin.git"))
    project.git("remote", "add", "origin", (tmp_path / "origin.git").as_uri())
    for number, wrong in enumerate((0.15, 0.1, 0.05)):
        project.write("predictions.parquet", **people.answers(people.wrong(wrong)))
        project.commit(f"Model {number}")
        assert project.mlci("compare", "--record").returncode == 0
        tag(project, f"people@v1.{number}.0", days=-10 + number)
    return project


def tag(project, name: str, *, days: float, commit: str = "HEAD") -> None:
    parsed = TagName.parse(name)
    assert parsed is not None
    now = datetime.now(UTC) + timedelta(days=days)
    Tags(History(project.root)).create([NewTag(parsed, commit, "made by a test")], now=now)


def standing(project) -> dict[str, str]:
    done = project.mlci("status", "--json")
    assert done.returncode == 0, done.stderr
    return {one["stage"]: one["version"] for one in json.loads(done.stdout)["stages"]}


def gto_standing(project) -> dict[str, str]:
    stages = gto.api.show(str(project.root))["people"]["stage"]
    return {stage: version or "" for stage, version in stages.items()}


def test_a_version_takes_the_stages_in_their_order(released):
    skipped = released.mlci("promote", "people@v1.0.0", "--to", "prod")
    assert skipped.returncode == 1
    assert "people v1.0.0 is not in staging, which comes before prod" in skipped.stderr
    assert "mlci promote people@v1.0.0 --to staging" in skipped.stderr

    done = released.mlci("promote", "people@v1.0.0", "--to", "staging")
    assert (done.returncode, done.stdout) == (0, "staging runs people v1.0.0\n")
    assert released.git("ls-remote", "origin", "refs/tags/people#staging#1").endswith("people#staging#1")
    again = released.mlci("promote", "v1.0.0", "--to", "staging")
    assert (again.returncode, again.stdout) == (0, "people v1.0.0 is in staging already\n")

    early = released.mlci("promote", "people@v1.0.0", "--to", "prod")
    assert early.returncode == 1
    assert "must be in staging for 24 hours before prod" in early.stderr


def test_soak_rollback_and_what_gto_and_dvc_say(released, tmp_path):
    tag(released, "people#staging#1", days=-6, commit="people@v1.0.0")
    tag(released, "people#prod#2", days=-5, commit="people@v1.0.0")
    tag(released, "people#staging#3", days=-4, commit="people@v1.1.0")
    done = released.mlci("promote", "people@v1.1.0", "--to", "prod")
    assert done.stdout == "prod runs people v1.1.0 (it ran v1.0.0)\n", done.stderr
    assert standing(released) == gto_standing(released) == {"staging": "v1.1.0", "prod": "v1.1.0"}

    back = released.mlci("rollback", "prod")
    assert back.stdout == "prod runs people v1.0.0 again (it ran v1.1.0)\n", back.stderr
    assert standing(released) == gto_standing(released) == {"staging": "v1.1.0", "prod": "v1.0.0"}
    got = tmp_path / "got.parquet"
    dvc = [sys.executable, "-m", "dvc", "artifacts", "get", ".", "people", "--stage", "prod", "-o", str(got)]
    subprocess.run(dvc, cwd=released.root, check=True, capture_output=True)
    old = subprocess.run(
        ["git", "show", "people@v1.0.0:predictions.parquet"], cwd=released.root, check=True, capture_output=True
    )
    assert got.read_bytes() == old.stdout

    nothing = released.mlci("rollback", "prod", "--to", "v1.2.0")
    assert nothing.returncode == 1
    assert "prod never ran people v1.2.0" in nothing.stderr


def test_what_is_taken_out_leaves_what_was_before(released):
    tag(released, "people#staging#1", days=-6, commit="people@v1.0.0")
    tag(released, "people#staging#2", days=-5, commit="people@v1.1.0")
    assert released.mlci("unassign", "people#staging").stdout == "staging runs v1.0.0 of people\n"
    assert released.mlci("unassign", "staging").stdout == "staging runs no version of people\n"
    assert gto_standing(released) == {}
    assert standing(released) == {"staging": "", "prod": ""}
    again = released.mlci("unassign", "staging")
    assert again.returncode == 2
    assert "staging does not run people" in again.stderr


def test_a_withdrawn_release_is_promoted_nowhere(released):
    done = released.mlci("deprecate", "people@v1.1.0", "--reason", "trained on wrong labels")
    assert done.stdout == "people v1.1.0 is withdrawn\n"
    refused = released.mlci("promote", "people@v1.1.0", "--to", "staging")
    assert refused.returncode == 1
    assert "was withdrawn by A Tester" in refused.stderr
    assert "trained on wrong labels" in refused.stderr
    assert released.mlci("deprecate", "people", "--reason", "replaced").stdout == "people is deprecated\n"
    ended = released.mlci("promote", "people@v1.0.0", "--to", "staging")
    assert ended.returncode == 1
    assert "people is deprecated: replaced" in ended.stderr


def test_no_evidence_no_promotion(released, people):
    released.write("predictions.parquet", **people.answers(people.wrong(0.04)))
    released.commit("Not judged")
    tag(released, "people@v2.0.0", days=-1)
    refused = released.mlci("promote", "people@v2.0.0", "--to", "staging")
    assert refused.returncode == 1
    assert "people v2.0.0 can't be promoted: no verdict speaks for its commit" in refused.stderr

    released.write("predictions.parquet", **people.answers(people.wrong(0.4)))
    released.commit("Much worse")
    assert released.mlci("compare", "--record").returncode == 1
    tag(released, "people@v2.1.0", days=-0.5)
    refused = released.mlci("promote", "people@v2.1.0", "--to", "staging")
    assert refused.returncode == 1
    assert "its verdict is 'blocked' (gate.accuracy" in refused.stderr


def test_health_of_the_stage_below(released):
    policy = (released.root / "params.yaml").read_text()
    asked = """prod: {health: 'echo "$MLCI_VERSION in $MLCI_STAGE is sick"; exit 3'}"""
    (released.root / "params.yaml").write_text(policy.replace("prod: {soak: 24h}", asked))
    tag(released, "people#staging#1", days=-6, commit="people@v1.0.0")
    refused = released.mlci("promote", "people@v1.0.0", "--to", "prod")
    assert refused.returncode == 1
    assert "staging is not well: the health command ended with 3: v1.0.0 in staging is sick" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["promote", "people@v9.0.0", "--to", "prod"], "people v9.0.0 was never released (released: v1.0.0, v1.1.0"),
        (["promote", "people@v1.0.0", "--to", "moon"], "knows no stage 'moon'; it has staging, prod"),
        (["promote", "people", "--to", "prod"], "'people' names no version"),
        (["promote", "other@v1.0.0", "--to", "prod"], "no version of 'other' was ever released (known: people)"),
        (["rollback", "prod"], "prod runs no version of people"),
    ],
)
def test_calls_that_can_not_be_meant(released, arguments, said):
    done = released.mlci(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_status_tells_a_person_what_is_where(released):
    tag(released, "people#staging#1", days=-6, commit="people@v1.0.0")
    done = released.mlci("status")
    (line,) = [line for line in done.stdout.splitlines() if line.strip().startswith("staging")]
    assert "v1.0.0" in line
    assert "A Tester" in line
    done = json.loads(released.mlci("status", "--json").stdout)
    assert [one["version"] for one in done["releases"]] == ["v1.2.0", "v1.1.0", "v1.0.0"]
    assert done["stages"][0]["evidence"]


STEPS = {
    "registration": "register",
    "deregistration": "deregister",
    "assignment": "assign",
    "unassignment": "unassign",
    "deprecation": "deprecate",
}


def test_the_history_is_that_of_gto(released):
    tag(released, "people#staging#1", days=-6, commit="people@v1.0.0")
    tag(released, "people#prod#2", days=-4, commit="people@v1.0.0")
    tag(released, "people#staging#3", days=-3, commit="people@v1.1.0")
    assert released.mlci("rollback", "staging").returncode == 0
    assert released.mlci("deprecate", "people@v1.1.0", "--reason", "trained on wrong labels").returncode == 0
    assert released.mlci("deprecate", "people", "--reason", "replaced").returncode == 0
    ours = json.loads(released.mlci("status", "--json").stdout)["history"]
    theirs = [
        {
            "tag": one["ref"],
            "model": one["artifact"],
            "action": STEPS[one["event"]],
            "version": one["version"] or "",
            "stage": one["stage"] or "",
            "commit": one["commit"],
            "at": f"{one['timestamp']:%Y-%m-%dT%H:%M:%SZ}",
            "by": one["author"],
            "said": one["message"].splitlines()[0],
        }
        for one in gto.api.history(str(released.root))
        if one["event"] in STEPS
    ]
    assert len(ours) == 10
    assert sorted(ours, key=lambda one: one["tag"]) == sorted(theirs, key=lambda one: one["tag"])
    assert [one["at"] for one in ours] == sorted((one["at"] for one in ours), reverse=True)


def test_a_dry_run_makes_no_tag(released):
    before = released.git("tag")
    done = released.mlci("promote", "people@v1.0.0", "--to", "staging", "--dry-run")
    assert done.stdout == "people v1.0.0 may be promoted to staging\n"
    assert released.git("tag") == before
