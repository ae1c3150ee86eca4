"""Where a change starts, and what of it touches the pipeline."""

from __future__ import annotations

import json

import pytest

from mlci.edges.base import find_change
from mlci.edges.git import History
from mlci.edges.policy_file import load_policy
from mlci.flows.ci_change import touched


def unchanged(run) -> bool:
    return run.code == 0 and list(run.findings) == ["pipeline.unchanged"]


def why(run) -> str:
    """What a run found changed, as it said on stderr."""
    (line,) = (line for line in run.err.splitlines() if "changed since" in line)
    return line.partition(": ")[2].partition(": ")[2]


CHANGES = {
    "comment in params.yaml": ("params.yaml", "unused: 1", "unused: 1 # a word", None),
    "parameter that no stage reads": ("params.yaml", "unused: 1", "unused: 2", None),
    "parameter of a stage": ("params.yaml", "noise: 10", "noise: 11", "parameter train.noise"),
    "policy": ("params.yaml", "drop: 0.05", "drop: 0.04", "policy"),
    "comment in dvc.yaml": ("dvc.yaml", "stages:", "# All of them\nstages:", None),
    "stage": ("dvc.yaml", "python train.py", "python -B train.py", "pipeline file dvc.yaml"),
    "dependency": ("train.py", "import re", "import re # a word", "dependency train.py"),
    "tracked data": ("raw.csv.dvc", "size: ", "size: 1", "pipeline file raw.csv.dvc"),
    "remote": (".dvc/config", "remote = store", "remote = store\n    autostage = false", "pipeline file .dvc/config"),
    "something else": ("README.md", "People", "Other people", None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_touches_the_pipeline(team, name, monkeypatch):
    file, old, new, reason = CHANGES[name]
    team.author.replace(file, old, new)
    monkeypatch.chdir(team.author.root)
    history = History(team.author.root)
    change = find_change(history, None, None, {})
    assert change.files == (file,)
    assert touched(load_policy(team.author.root), history, change) == ((reason,) if reason else ())


def test_an_uncommitted_change_counts_as_a_committed_one_does(team):
    team.author.write("notes.txt", "new, and not ignored")
    run = team.author.ci()
    assert unchanged(run)
    assert "notes.txt" in run.findings["pipeline.unchanged"]["message"]
    team.author.write("train.py", (team.author.root / "train.py").read_text() + "# more\n")
    assert why(team.author.ci()) == "dependency train.py"


@pytest.mark.parametrize(("text", "counts"), [("run: mlci ci", True), ("run: make docs", False)])
def test_a_workflow_counts_where_it_runs_us(team, text, counts):
    team.author.write(".github/workflows/pr.yml", text)
    team.author.commit()
    run = team.author.ci()
    assert unchanged(run) != counts
    assert not counts or why(run) == "workflow .github/workflows/pr.yml"


def test_templated_stages_are_told_by_the_lock(team):
    author = team.author
    author.replace("params.yaml", "unused: 1", "unused: 1\nscript: train.py")
    author.replace("dvc.yaml", "deps: [train.csv, train.py]", "deps: [train.csv, '${script}']")
    author.repro()
    author.commit()
    author.git("push", "-q", "origin", "HEAD:main")
    author.write("README.md", "# Words\n")
    assert unchanged(author.ci())
    author.write("train.py", (author.root / "train.py").read_text() + "# more\n")
    assert why(author.ci()) == "dependency train.py"


def test_the_pull_requests_target_is_the_base(team):
    author = team.author
    author.git("push", "-q", "origin", "main:release")
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.repro()
    author.commit()
    author.dvc("push")
    author.git("push", "-q", "origin", "HEAD:main")
    author.write("README.md", "# Words\n")
    author.commit()
    team.push()
    clone = team.clone()
    event = clone.root.parent / "event.json"
    event.write_text(json.dumps({"pull_request": {"base": {"ref": "release", "sha": "0" * 40}}}))
    env = {"GITHUB_ACTIONS": "true", "GITHUB_BASE_REF": "release", "GITHUB_EVENT_PATH": str(event)}
    assert unchanged(clone.ci())
    run = clone.ci(env=env)
    assert run.code == 0, run.err
    assert run.verdict["comparisons"][0]["commit"] == clone.git("rev-parse", "origin/release")
    assert unchanged(clone.ci("--base", "origin/main", env=env))


def test_the_base_of_the_event_is_enough(team):
    author = team.author
    author.write("README.md", "# Words\n")
    author.commit()
    team.push()
    clone = team.clone()
    event = clone.root.parent / "event.json"
    event.write_text(json.dumps({"merge_group": {"base_sha": clone.git("rev-parse", "HEAD^")}}))
    clone.git("update-ref", "-d", "refs/remotes/origin/HEAD")
    clone.git("update-ref", "-d", "refs/remotes/origin/main")
    assert unchanged(clone.ci(env={"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event)}))


def test_on_the_branch_itself_the_last_commit_is_judged(team):
    author = team.author
    author.git("checkout", "-q", "main")
    assert why(author.ci()).startswith("everything")
    author.write("README.md", "# Words\n")
    author.commit()
    team.push()
    assert unchanged(author.ci())
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.repro()
    author.commit()
    team.push()
    run = author.ci()
    assert why(run) == "pipeline file dvc.lock, parameter train.noise"
    assert run.verdict["comparisons"][0]["baseline"] == "previous"


def test_a_push_is_judged_from_what_the_branch_was_before(team):
    author = team.author
    author.git("checkout", "-q", "main")
    before = author.git("rev-parse", "HEAD")
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.repro()
    author.commit()
    author.write("README.md", "# Words\n")
    author.commit()
    team.push()
    event = author.root.parent / "event.json"
    event.write_text(json.dumps({"before": before}))
    assert unchanged(author.ci())
    run = author.ci(env={"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event)})
    assert why(run) == "pipeline file dvc.lock, parameter train.noise"


def test_a_shallow_clone_says_so(team):
    team.author.write("README.md", "# Words\n")
    team.author.commit()
    team.push()
    clone = team.clone("shallow", "--depth", "1")
    run = clone.ci(env={"GITHUB_BASE_REF": "main"})
    assert run.code == 3
    assert "fetch-depth: 0" in run.err
    assert list(run.findings) == ["pipeline.crashed"]
    assert "fetch-depth: 0" in run.findings["pipeline.crashed"]["mend"]
    assert run.verdict["outcome"] == "fail"


def test_a_shallow_clone_that_has_the_base_too_says_so(team):
    team.author.write("README.md", "# Words\n")
    team.author.commit()
    team.push()
    run = team.clone("shallow", "--depth", "1", "--no-single-branch").ci()
    assert run.code == 3
    assert "too shallow" in run.err


def test_a_base_that_is_nowhere_is_an_error_with_a_mend(team):
    assert team.author.ci().code == 0
    run = team.author.ci("--base", "nowhere")
    assert run.code == 2
    assert "nowhere" in run.err
    assert list(run.findings) == ["pipeline.crashed"]
    run = team.author.ci(env={"GITHUB_BASE_REF": "gone"})
    assert run.code == 3
    assert "git fetch origin gone" in run.err
    report = json.loads((team.author.root / "reports/report.json").read_text())
    assert report["verdict"]["outcome"] == "fail"


def test_a_wrong_policy_overwrites_an_old_green(team):
    assert team.author.ci().code == 0
    team.author.replace("params.yaml", "accuracy:", "acuracy:")
    run = team.author.ci()
    assert run.code == 2
    assert "gate.metrics.acuracy" in run.findings["pipeline.crashed"]["message"]
    assert "gate.metrics.acuracy" in run.err
    assert "acuracy" in (team.author.root / "reports/report.md").read_text()


def test_the_last_verdict_is_carried_forward_by_name(team):
    author = team.author
    author.git("checkout", "-q", "main")
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.repro()
    judged = author.commit()
    assert author.ci("--record").code == 0
    author.git("push", "-q", "origin", "main")
    author.git("checkout", "-qb", "words")
    author.write("README.md", "# Words\n")
    run = author.ci()
    assert unchanged(run)
    assert run.report["carried"]["commit"] == judged
    assert run.report["carried"]["outcome"] == "pass"
    assert f"the verdict of {judged[:10]} stands: Safe" in run.verdict["headline"]


def test_a_verdict_in_git_is_carried_forward_too(team):
    author = team.author
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.repro()
    judged = author.commit()
    author.ci()
    author.git("add", "-f", "reports/verdict.json")
    author.commit("Evidence")
    author.git("push", "-q", "origin", "HEAD:main")
    author.write("README.md", "# Words\n")
    author.commit()
    run = author.ci()
    assert unchanged(run)
    assert run.report["carried"]["commit"] == judged
