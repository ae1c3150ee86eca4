"""What can be wrong with a pipeline in a pull request, each with its line and its mend."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from team import OUTSIDE

UNSTABLE = """\
import os, re
open("train.csv").read()
noise = re.search(r"noise: (\\d+)", open("params.yaml").read())[1]
open("model.txt", "w").write(noise + " " * int(os.environ.get("SPACES", "1")))
"""


def line_of(clone, place: dict) -> str:
    return (clone.root / place["file"]).read_text().splitlines()[place["line"] - 1].strip()


def retrain(team, *, push: bool = True):
    author = team.author
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.repro()
    author.commit()
    team.push()
    if push:
        author.dvc("push")
    return author


def test_data_that_was_not_pushed_is_named_with_its_stage(team):
    retrain(team, push=False)
    clone = team.clone()
    run = clone.ci()
    assert run.code == 1
    assert run.failing == {"pipeline.pushed.model.txt", "pipeline.pushed.predictions.csv"}
    found = run.findings["pipeline.pushed.model.txt"]
    assert found["title"] == "data was not pushed: model.txt"
    assert "`train`" in found["message"]
    assert line_of(clone, found["place"]) == "- path: model.txt"
    assert "dvc push model.txt" in found["mend"]
    assert run.ran == ["train", "predict"]
    assert run.findings["pipeline.outputs"]["outcome"] == "pass"


def test_on_the_authors_laptop_it_is_a_warning(team):
    run = retrain(team, push=False).ci()
    assert run.code == 0
    found = run.findings["pipeline.pushed"]
    assert found["level"] == "warn"
    assert "`model.txt`, `predictions.csv`" in found["message"]
    assert found["mend"] == "`dvc push`"


def test_a_lost_intermediate_is_found_although_nothing_needs_it(team):
    retrain(team)
    md5 = next(out for out in _locked(team.author, "split") if out["path"] == "train.csv")["md5"]
    (team.store / "files/md5" / md5[:2] / md5[2:]).unlink()
    clone = team.clone()
    run = clone.ci()
    assert run.failing == {"pipeline.pushed.train.csv"}
    assert run.ran == []
    assert clone.has() == {"test.csv", "model.txt", "predictions.csv"}


def test_without_a_remote_what_is_missing_is_made_again(team):
    author = team.author
    author.write(".dvc/config", "")
    author.git("rm", "-q", "--cached", "raw.csv.dvc")
    (author.root / "raw.csv.dvc").unlink()
    author.git("add", "-f", "raw.csv")
    author.replace("dvc.yaml", "outs: [predictions.csv]", "outs: [{predictions.csv: {cache: false}}]")
    author.repro()
    author.git("add", "-f", "predictions.csv")
    author.commit()
    author.git("push", "-q", "origin", "HEAD:main")
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.repro()
    author.commit()
    team.push()
    run = team.clone().ci()
    assert run.code == 0, run.err
    assert run.ran == ["split", "train"]
    assert "pipeline.pushed" not in run.findings
    assert run.findings["pipeline.outputs"]["outcome"] == "pass"


def test_outputs_that_differ_from_the_lock_are_named(team, monkeypatch):
    author = team.author
    author.write("train.py", UNSTABLE)
    author.repro()
    author.commit()
    team.push()
    monkeypatch.setenv("SPACES", "2")
    clone = team.clone()
    run = clone.ci()
    assert run.code == 1
    found = run.findings["pipeline.outputs.train"]
    assert found["title"] == "outputs differ from the lock"
    assert "`model.txt`" in found["message"]
    assert "seeds" in found["mend"]
    assert found["place"]["file"] == "dvc.lock"
    assert "pipeline.outputs.predict" not in run.findings
    assert run.findings["pipeline.lock"]["outcome"] == "pass"


def test_a_file_in_git_that_its_stage_did_not_make_is_found(team):
    author = team.author
    author.replace("dvc.yaml", "outs: [model.txt]", "outs: [{model.txt: {cache: false}}]")
    author.repro()
    author.commit()
    author.git("push", "-q", "origin", "HEAD:main", "HEAD")
    author.dvc("push")
    author.write("model.txt", "0")
    author.git("add", "-f", "model.txt")
    author.commit("A model that nobody trained")
    team.push()
    clone = team.clone()
    run = clone.ci()
    assert run.code == 1
    assert "pipeline.edited.model.txt" in run.failing
    assert (clone.root / "model.txt").read_text() == "10"


def test_a_stage_that_crashes_overwrites_an_old_green(team):
    author = team.author
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.repro()
    author.commit()
    assert author.ci().code == 0
    crash = (
        "print('\\x1b[31mred\\x1b[0m <!-- @all ::error::no')\nfor i in range(40): print('step', i)\nraise SystemExit(7)"
    )
    author.write("train.py", crash)
    author.commit()
    run = author.ci()
    assert run.code == 1
    found = run.findings["pipeline.stage.train"]
    assert "exit code 7" in found["message"]
    assert found["output"][-1] == "step 39"
    assert len(found["output"]) == 20
    assert found["place"]["file"] == "dvc.yaml"
    assert line_of(author, found["place"]) == "train:"
    assert run.verdict["outcome"] == "fail"
    report = (author.root / "reports/report.md").read_text()
    assert "stage train failed" in report
    assert "pass" not in (author.root / "reports/verdict.json").read_text()


def test_what_a_crashing_stage_wrote_is_made_harmless(team):
    team.author.write("train.py", "print('\\x1b[31mred\\x1b[0m\\x07 \\u202e' + 'x' * 999)\nraise SystemExit(1)")
    line = team.author.ci().findings["pipeline.stage.train"]["output"][-1]
    assert line.startswith("red xxx")
    assert len(line) == 301


def test_a_stage_killed_by_a_signal_is_a_failure_too(team):
    team.author.write("train.py", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    run = team.author.ci()
    assert run.code == 1
    assert "pipeline.stage.train" in run.failing


def test_a_stage_that_does_not_write_its_output_failed(team):
    team.author.write("train.py", "pass")
    run = team.author.ci()
    assert run.code == 1
    found = run.findings["pipeline.stage.train"]
    assert "model.txt" in found["message"]


@pytest.mark.parametrize("file", ["dvc.lock", "dvc.yaml"])
def test_markers_of_a_merge_are_found_before_anything_runs(team, file):
    text = (team.author.root / file).read_text()
    team.author.write(file, f"{text}<<<<<<< ours\n  a: 1\n=======\n  a: 2\n>>>>>>> theirs\n")
    team.author.commit()
    team.push()
    clone = team.clone()
    run = clone.ci()
    assert run.code == 1
    found = run.findings["pipeline.conflict"]
    assert line_of(clone, found["place"]) == "<<<<<<< ours"
    assert "dvc repro" in found["mend"]
    assert clone.has() == set()


def test_a_stage_of_ours_that_finds_bad_data_tells_what_it_found(team):
    author = team.author
    check = f"{sys.executable} -m mlci data check test"
    author.write(
        "dvc.yaml",
        (author.root / "dvc.yaml").read_text()
        + f"  check:\n    cmd: {check}\n    deps: [test.csv]\n    params: [mlci.data.test]\n"
        "    outs: [{reports/data-test.json: {cache: false}}]\n",
    )
    author.replace("params.yaml", "range: [0, 120]", "range: [0, 60]")
    run = author.ci()
    assert run.code == 1
    found = run.findings["data.test.age.range"]
    assert found["outcome"] == "fail"
    assert found["data"]["examples"]["rows"]
    assert "pipeline.stage.check" not in run.findings
    assert run.verdict["commit"] == author.git("rev-parse", "HEAD")


def test_a_lost_first_table_cannot_be_made_again_and_says_so(team):
    team.author.replace("split.py", "rows[::2]", "rows[::3]")
    team.author.commit()
    team.push()
    shutil.rmtree(team.store)
    team.store.mkdir()
    run = team.clone().ci()
    assert run.code == 1
    assert "pipeline.pushed.raw.csv" in run.failing
    assert run.findings["pipeline.pushed.raw.csv"]["place"]["file"] == "raw.csv.dvc"
    assert "pipeline.stage.split" in run.failing


def _locked(clone, stage: str) -> list[dict]:
    return yaml.safe_load((clone.root / "dvc.lock").read_text())["stages"][stage]["outs"]


def test_a_run_that_is_killed_leaves_no_old_green(team):
    author = team.author
    assert author.ci().code == 0
    author.write("train.py", "import os, signal\nos.killpg(0, signal.SIGKILL)")
    command = [Path(sys.executable).parent / "mlci", "ci"]
    outside = {**os.environ, **OUTSIDE}
    ended = subprocess.run(
        command, cwd=author.root, env=outside, capture_output=True, check=False, start_new_session=True
    )
    assert ended.returncode == -signal.SIGKILL
    verdict = json.loads((author.root / "reports/verdict.json").read_text())
    assert verdict["outcome"] == "fail"
    assert "interrupted" in verdict["findings"][0]["message"]


def test_a_waiver_excuses_a_stale_lock_by_name(team):
    author = team.author
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.replace("params.yaml", "mlci:", f"mlci:\n{WAIVER}")
    run = author.ci()
    assert run.code == 0, run.err
    assert run.findings["pipeline.lock"]["waived"].startswith("waived by lead")


WAIVER = '  waivers: [{check: pipeline.lock, reason: trained in CI, approver: lead, until: "2999-01-01"}]'


def test_a_pipeline_that_dvc_cannot_read_says_where(team):
    team.author.replace("dvc.yaml", "cmd: python train.py", "command: python train.py")
    run = team.author.ci()
    assert run.code == 2
    assert "dvc.yaml" in run.err
    assert list(run.findings) == ["pipeline.crashed"]


def test_a_date_that_dvc_does_not_know_is_told_to_be_quoted(team):
    team.author.replace("params.yaml", "unused: 1", "unused: 2027-01-31")
    team.author.replace("params.yaml", "noise: 10", "noise: 9")
    run = team.author.ci()
    assert run.code == 2
    assert "params.yaml:unused" in run.err
    assert "quote it" in run.err


def test_a_verdict_in_git_does_not_make_the_tree_dirty(team):
    author = team.author
    author.ci()
    author.git("add", "-f", "reports/verdict.json", "reports/report.json")
    author.commit()
    author.replace("params.yaml", "noise: 10", "noise: 9")
    author.repro()
    author.commit()
    run = author.ci()
    assert run.code == 0
    assert run.verdict["dirty"] is False
    author.write("README.md", "# Words\n")
    assert author.ci().verdict["dirty"] is True


def test_a_cache_elsewhere_is_found(team, tmp_path):
    author = retrain(team)
    clone = team.clone()
    clone.write(".dvc/config.local", f"[cache]\n    dir = {tmp_path / 'cache'}\n")
    shutil.copytree(author.root / ".dvc/cache", tmp_path / "cache")
    shutil.rmtree(team.store)
    run = clone.ci()
    assert run.code == 0, run.err
    assert run.verdict["comparisons"][0]["status"] == "compared"
    assert not (clone.root / ".dvc/cache").exists()


def test_folders_and_stages_of_a_matrix_are_reproduced_and_pulled(team):
    author = team.author
    author.write("dvc.yaml", (author.root / "dvc.yaml").read_text() + MATRIX)
    author.write("parts.py", PARTS)
    author.repro()
    author.commit()
    author.dvc("push")
    author.git("push", "-q", "origin", "HEAD:main")
    author.replace("parts.py", "'1'", "'2'")
    author.commit()
    team.push()
    clone = team.clone()
    run = clone.ci()
    assert set(run.ran) == {"parts@a", "parts@b"}
    assert "`parts@a` (dependency `parts.py`)" in run.findings["pipeline.lock"]["message"]
    assert line_of(clone, run.findings["pipeline.lock"]["place"]).startswith("parts@")
    assert run.pulled == {"train.csv", "test.csv", "predictions.csv", "model.txt"}


MATRIX = """\
  parts:
    matrix: {part: [a, b]}
    cmd: python parts.py ${item.part}
    deps: [train.csv, parts.py]
    outs: ["parts/${item.part}"]
"""
PARTS = """\
import pathlib, sys
folder = pathlib.Path("parts", sys.argv[1])
folder.mkdir(parents=True)
(folder / "one.txt").write_text('1')
"""
