"""`mlci retrain` on a repository with a bare origin: what is decided, made, offered and kept."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from seasons import AUGUST, JULY, Seasons
from typer.testing import CliRunner

from mlci.cli.app import app
from mlci.errors import PolicyError, WorldError
from mlci.flows.retrain import retrain

STATE = "refs/mlci/retrain"
REPOSITORY = Path(__file__).parents[2]


def said(project, *options, code=0):
    done = CliRunner().invoke(app, ["retrain", "-C", str(project.root), "--json", *options])
    assert done.exit_code == code, (done.output, done.exception)
    return json.loads(done.stdout)


def untouched(project):
    return project.git("status", "--porcelain"), project.git("rev-parse", "HEAD"), project.git("branch")


def test_a_dry_run_says_why_and_does_nothing(project):
    project.alarm("performance", "drift", labels=30)
    before = untouched(project)
    found = said(project, "--dry-run", "--until", "2013-07-02T06:00:00")
    assert (found["decision"]["action"], found["decision"]["data"]["next"]) == ("open", "data.until=2013-06")
    assert [each["kind"] for each in found["decision"]["triggers"]] == ["alarm"]
    assert (untouched(project), project.tip(), project.tip(STATE)) == (before, "", "")


@pytest.mark.parametrize(
    ("causes", "retrained", "guards"),
    [((), {}, []), (("drift", "score"), {}, ["no loss"]), (("performance",), {"least_labels": 50}, ["labels"])],
)
def test_nothing_is_done_and_why(project, causes, retrained, guards):
    if retrained:
        project.policy(**retrained)
    project.alarm(*causes, labels=30)
    done = retrain(project.asked(JULY))
    assert done.challenger is None
    assert [each.guard for each in done.decision.held] == guards
    assert (project.tip(), project.tip(STATE)) == ("", "")


def test_without_monitoring_only_other_things_ask(project):
    assert retrain(project.asked(JULY)).decision.action == "none"
    project.policy(when={"every": "30d"})
    decision = retrain(project.asked(JULY, dry_run=True)).decision
    assert [each.kind for each in decision.triggers] == ["schedule"]


@pytest.mark.parametrize(
    ("options", "code"),
    [(("--again",), 2), (("--by-hand", "--to", "x --> y"), 2), (("--offer", ".", "--out", "x"), 2)],
)
def test_calls_that_make_no_sense(project, options, code):
    done = subprocess.run(
        [sys.executable, "-m", "mlci", "retrain", "-C", str(project.root), *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=project.root,
    )
    assert done.returncode == code, done.stderr
    assert "mend:" in done.stderr


def test_a_policy_without_retraining_is_told(project):
    text, _, _ = (project.root / "params.yaml").read_text().partition("  retrain:")
    (project.root / "params.yaml").write_text(text)
    project.commit("No retraining")
    with pytest.raises(PolicyError, match="nothing says when"):
        retrain(project.asked(JULY))


@pytest.mark.slow
def test_a_life_from_alarm_to_merge_without_a_forge(project):
    project.alarm("performance", labels=900)
    (project.root / "data/make.py").write_text("being edited\n")
    before = untouched(project)
    done = retrain(project.asked(JULY))
    assert (done.offer, done.challenger.outcome, done.challenger.fresh) == ("pushed", "pass", 1_500)
    assert done.challenger.price == pytest.approx(done.challenger.seconds / 100, rel=1e-3)
    assert [each.what for each in done.challenger.stages] == ["data", "train", "export", "predict"]
    assert {each.table for each in done.challenger.diffs} == {"test"}
    assert untouched(project) == before
    assert "params.yaml | 2 +-" in project.bare("diff", "--stat", "main", "retrain/shop", "--", "params.yaml")
    assert retrain(project.asked(JULY)).decision.action == "keep"
    project.bare("update-ref", "refs/heads/main", project.tip())
    merged = retrain(project.asked(JULY.replace(day=5)))
    assert [each.guard for each in merged.decision.held] == ["data", "cooldown"]


@pytest.mark.slow
@pytest.mark.parametrize(("season", "refused"), [("summer", False), ("spring", True)])
def test_a_hold_out_of_another_season_is_judged_too(project, season, refused):
    project.policy(holdout=f"data/{season}.parquet")
    done = retrain(project.asked(JULY, by_hand=True))
    assert done.challenger.refused == refused
    assert ("hold-out" in done.headline) == refused


@pytest.mark.slow
def test_a_run_that_was_killed_leaves_nothing_and_two_at_once_leave_one(project):
    project.alarm("performance")
    other = Seasons(project.root.parent / "other", project.origin)
    project.git("clone", "-q", str(project.origin), str(other.root))
    command = [sys.executable, "-m", "mlci", "retrain", "--json", "--until"]

    def start(where, hour):
        env = {**project.environment, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
        given = {"cwd": where.root, "env": env, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*command, f"2013-07-02T0{hour}:00:00"], **given)

    killed = start(project, 5)
    assert any("stage data took" in line for line in killed.stderr)
    killed.kill()
    killed.communicate()
    assert (project.tip(), project.tip(STATE), project.git("status", "--porcelain")) == ("", "", "")

    both = [start(project, 6), start(other, 7)]
    found = [each.communicate(timeout=300) for each in both]
    assert [each.returncode for each in both] == [0, 0], found
    told = [json.loads(out) for out, _ in found]
    # One may have come late enough to find what the other one offered.
    assert "pushed" in {each["offer"] for each in told}
    assert {each["challenger"]["commit"] for each in told if each["challenger"]} == {project.tip()}
    assert project.state() == [("data.until=2013-06", "offered", None)]
    assert [each.name for each in (project.root / ".dvc/tmp/mlci-retrain").iterdir()] == []


@pytest.mark.slow
def test_two_at_once_in_one_work_tree_train_once(project):
    project.alarm("performance")
    command = [sys.executable, "-m", "mlci", "retrain", "--json", "--until", "2013-07-02T06:00:00"]
    env = {**project.environment, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
    given = {"cwd": project.root, "env": env, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    both = [subprocess.Popen(command, **given) for _ in range(2)]
    found = [each.communicate(timeout=300) for each in both]
    assert [each.returncode for each in both] == [0, 0], found
    assert sum(json.loads(out)["challenger"] is not None for out, _ in found) == 1
    assert "waiting for another retraining" in "".join(said for _, said in found)


@pytest.mark.slow
def test_a_branch_that_a_run_left_is_judged_again_and_not_trained_again(project, better, env, github, tmp_path):
    shutil.copytree(better, tmp_path / "mine")
    github.fault(status=502, method="POST", path="/pulls$", times=9)
    with pytest.raises(WorldError, match="open a pull request"):
        retrain(project.asked(JULY, env, by_hand=True))
    github.clear_faults()
    head = project.tip()
    assert (bool(head), project.state()) == (True, [])
    done = retrain(project.asked(JULY, env, by_hand=True))
    assert (done.offer, done.challenger.found, done.challenger.stages) == ("opened", True, ())
    assert (project.tip(), done.pull) == (head, 1)
    assert "does not know any more" not in github.pulls()[0]["body"]
    assert "an earlier run that did not end" in github.pulls()[0]["body"]


@pytest.mark.slow
def test_data_that_comes_out_as_before_is_not_offered(project):
    (project.root / "data/known").write_text("3\n")
    project.call("dvc", "repro", "-q")
    project.commit("Three months are known")
    done = retrain(project.asked(JULY, by_hand=True))
    assert (done.offer, done.exit_code, project.tip()) == ("refused", 0, "")
    assert "nothing new to offer" in done.headline


@pytest.mark.slow
def test_a_command_brings_data_and_what_it_brought_is_not_judged_twice(project):
    project.policy(data={"command": "echo ${FROM:-12} > data/known && sed -i s/2013-03/2013-06/ params.yaml"})
    done = retrain(project.asked(JULY, by_hand=True))
    assert done.challenger.data.startswith("data:")
    assert done.offer == "pushed"
    project.policy(data={"command": "true"})
    done = retrain(project.asked(AUGUST, by_hand=True))
    assert (done.exit_code, "brought nothing new" in done.headline) == (0, True)
    project.policy(data={"command": "echo no such host; exit 7"})
    with pytest.raises(WorldError, match="ended with 7: no such host"):
        retrain(project.asked(AUGUST, by_hand=True))


@pytest.mark.slow
def test_a_stage_that_crashes_is_no_refusal_and_leaves_nothing(project):
    (project.root / "models/train.py").write_text("raise SystemExit('out of memory')\n")
    project.commit("It crashes")
    with pytest.raises(WorldError, match="stage `train` failed"):
        retrain(project.asked(JULY, by_hand=True))
    assert (project.tip(), project.state()) == ("", [])
    assert [each.name for each in (project.root / ".dvc/tmp/mlci-retrain").iterdir()] == []


@pytest.mark.slow
def test_stages_see_no_token(project, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    (project.root / "models/train.py").write_text(
        "import os\nraise SystemExit(f'token: {os.environ.get(\"GITHUB_TOKEN\")}')\n"
    )
    project.commit("It looks")
    with pytest.raises(WorldError, match="token: None"):
        retrain(project.asked(JULY, by_hand=True))
