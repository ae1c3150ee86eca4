"""The verdict of a pull request, in a clone that has nothing but Git."""

from __future__ import annotations

import json

from mlci.edges.dvc_pipeline import read_pipeline


def test_docs_alone_are_answered_without_dvc_and_without_a_pull(team):
    team.author.write("README.md", "# Other people\n")
    team.author.commit()
    team.push()
    clone = team.clone()
    run = clone.ci()
    assert run.code == 0, run.err
    assert list(run.findings) == ["pipeline.unchanged"]
    assert "README.md" in run.findings["pipeline.unchanged"]["message"]
    assert run.verdict["headline"].startswith("Nothing of the pipeline changed since ")
    assert clone.has() == set()
    assert not (clone.root / ".dvc/cache").exists()
    assert "loading DVC" not in run.err
    assert clone.git("status", "--porcelain") == ""


def test_a_change_that_was_reproduced_and_pushed_holds_and_pulls_only_what_judging_reads(team):
    author = team.author
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.repro()
    author.commit()
    author.dvc("push")
    team.push()
    clone = team.clone()
    run = clone.ci()
    assert run.code == 0, run.err
    assert run.ran == []
    assert run.pulled == {"test.csv", "predictions.csv", "model.txt"}
    assert clone.has() == run.pulled
    assert run.verdict["outcome"] == "pass"
    assert run.findings["pipeline.lock"]["outcome"] == "pass"
    assert run.findings["pipeline.pushed"]["outcome"] == "pass"
    (comparison,) = run.verdict["comparisons"]
    assert comparison["status"] == "compared"
    assert comparison["baseline"] == "merge-base"
    assert run.verdict["dirty"] is False


def test_the_author_gets_the_same_verdict_on_a_laptop(team):
    author = team.author
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.repro()
    author.commit()
    author.dvc("push")
    team.push()
    here, there = author.ci(), team.clone().ci()
    assert here.verdict == there.verdict
    assert here.pulled == set()


def test_a_stale_lock_runs_what_changed_and_what_stands_behind_it(team):
    team.author.replace("params.yaml", "noise: 10", "noise: 9")
    team.author.commit()
    team.push()
    clone = team.clone()
    run = clone.ci()
    assert run.code == 1
    assert run.ran == ["train", "predict"]
    assert run.pulled == {"train.csv", "test.csv"}
    assert run.failing == {"pipeline.lock"}
    found = run.findings["pipeline.lock"]
    assert found["title"] == "the lock is stale"
    assert "`train` (parameter `train.noise`)" in found["message"]
    assert "Behind them ran `predict`" in found["message"]
    assert found["place"]["file"] == "dvc.lock"
    line = (team.author.root / "dvc.lock").read_text().splitlines()[found["place"]["line"] - 1]
    assert line.strip() == "train:"
    assert "dvc repro" in found["mend"]
    assert "raw.csv" not in clone.has()
    assert [row["metric"] for row in run.report["metrics"]]


def test_a_new_stage_and_a_changed_command_are_stale(team):
    team.author.replace("dvc.yaml", "python predict.py", "python  predict.py")
    team.author.write("dvc.yaml", (team.author.root / "dvc.yaml").read_text() + NEW_STAGE)
    team.author.commit()
    team.push()
    run = team.clone().ci()
    assert set(run.ran) == {"predict", "count"}
    message = run.findings["pipeline.lock"]["message"]
    assert "`predict` (its command)" in message
    assert "`count` (it is in no lock yet" in message


NEW_STAGE = """\
  count:
    cmd: python -c "open('count.txt', 'w').write('1')"
    deps: [train.py]
    outs: [count.txt]
"""


def test_a_worse_model_fails_the_gate(team):
    author = team.author
    author.replace("params.yaml", "noise: 10", "noise: 40")
    author.repro()
    author.commit()
    author.dvc("push")
    team.push()
    run = team.clone().ci()
    assert run.code == 1
    assert run.failing == {"gate.accuracy.drop"}


def test_a_policy_change_runs_no_stage_but_is_judged_by_both_policies(team):
    team.author.replace("params.yaml", "drop: 0.05", "drop: 0.06")
    team.author.commit()
    team.push()
    run = team.clone().ci()
    assert run.code == 0, run.err
    assert run.ran == []
    assert "policy.loosened" in run.failing


def test_a_loosened_data_check_is_judged_by_the_bases_policy_too(team):
    author = team.author
    author.replace("params.yaml", "range: [0, 120]", "range: [0, 60]")
    author.commit("A limit that does not hold")
    author.git("push", "-q", "origin", "HEAD:main", "HEAD")
    author.replace("params.yaml", "range: [0, 60]", "range: [0, 120]")
    author.commit()
    team.push()
    run = team.clone().ci()
    assert run.code == 1
    assert "policy.data.test.age.range" in run.failing


def test_every_format_is_written(team):
    clone = team.clone(branch="main")
    run = clone.ci("--base", "HEAD")
    assert run.code == 0, run.err
    names = {path.name for path in (clone.root / "reports").iterdir()}
    assert names >= {"report.json", "verdict.json", "report.html", "report.md", "junit.xml", "results.sarif"}
    assert json.loads((clone.root / "reports/report.json").read_text()) == run.report
    assert "timing" not in json.loads((clone.root / "reports/verdict.json").read_text())


def test_the_verdict_is_the_same_bytes_again(team):
    team.author.replace("params.yaml", "noise: 10", "noise: 9")
    team.author.repro()
    team.author.commit()
    team.author.ci()
    first = (team.author.root / "reports/verdict.json").read_bytes()
    team.author.ci()
    assert (team.author.root / "reports/verdict.json").read_bytes() == first


def test_stdout_is_json_whatever_a_stage_prints(team):
    team.author.replace("split.py", 'print("split"', 'print("loud", "split"')
    run = team.author.ci()
    assert run.ran == ["split"]
    assert "loud split" not in run.out
    assert run.report["timing"]["seconds"] > 0


def test_a_run_that_somebody_pushed_is_not_run_again(team):
    author = team.author
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.write("train.py", (author.root / "train.py").read_text() + "open('trace.log', 'a').write('ran ')\n")
    author.repro()
    author.dvc("push", run_cache=True)
    author.git("checkout", "-q", "dvc.lock")
    author.commit("Without the lock")
    team.push()
    clone = team.clone()
    run = clone.ci()
    assert run.failing == {"pipeline.lock"}
    assert (clone.root / "trace.log").read_text() == "ran "
    assert (clone.root / "model.txt").read_text() == "9"


def test_what_simple_models_are_trained_on_is_pulled_too(team):
    author = team.author
    author.replace("params.yaml", "    test: test.csv", "    test: test.csv\n    train: train.csv\n    beats: majority")
    author.commit()
    team.push()
    run = team.clone().ci()
    assert run.pulled == {"test.csv", "train.csv", "predictions.csv", "model.txt"}
    assert any(check.startswith("gate.beats") for check in run.findings)
    assert "not_measured" not in {finding["outcome"] for finding in run.findings.values()}


def test_a_stage_that_runs_others_does_not_take_what_was_not_pulled_for_changed(team):
    root = team.author.root

    def changed() -> dict[str, tuple[str, ...]]:
        return {step.name: step.changed for step in read_pipeline(root).steps if step.changed}

    (root / "model.txt").unlink()
    assert changed() == {}
    (root / "train.py").unlink()
    assert changed() == {"train": ("`train.py` is deleted",)}
    team.author.write("model.txt", "11")
    assert set(changed()) == {"train", "predict"}


def test_other_packages_are_looked_at_and_told(team):
    team.author.write("requirements.txt", "scikit-learn==1.6\n")
    team.author.commit()
    team.push()
    run = team.clone().ci()
    assert run.code == 0, run.err
    assert run.findings["pipeline.lock"]["outcome"] == "pass"
    told = run.findings["pipeline.environment"]
    assert (told["outcome"], told["level"]) == ("fail", "warn")
    assert "`requirements.txt` changed, and no stage of dvc.yaml depends on it" in told["message"]
    assert "`deps`" in told["mend"]
