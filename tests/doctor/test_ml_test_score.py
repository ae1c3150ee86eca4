"""Evidence in real repositories: what counts, what only half counts, and what does not."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from mlci.judge.rubric.score import SECTIONS
from mlci.nouns.rubric import BANDS
from mlci.render.schemas import schemas

LOCK = """\
schema: '2.0'
stages:
  train:
    cmd: python train.py
    outs:
    - {path: model.onnx, hash: md5, md5: d41d8cd98f00b204e9800998ecf8427e, size: 0}
"""


def test_the_rubric_has_four_sections_of_seven():
    assert {section: len(tests) for section, tests in SECTIONS.items()} == {
        "data": 7,
        "model": 7,
        "infrastructure": 7,
        "monitoring": 7,
    }
    titles = [asked.title for tests in SECTIONS.values() for asked in tests]
    assert len(set(titles)) == 28
    assert all(asked.start and asked.automate for tests in SECTIONS.values() for asked in tests)


def test_an_empty_repository_scores_nothing_and_is_told_every_next_step(empty):
    run = empty.mlci("doctor", "--score", "--json")
    found = json.loads(run.stdout)
    jsonschema.validate(found, json.loads(schemas()["score.schema.json"]))
    assert found["score"] == 0
    assert found["meaning"] == BANDS[0][1]
    tests = [test for section in found["sections"] for test in section["tests"]]
    assert len(tests) == 28
    assert [test for test in tests if test["score"] or test["evidence"] or not test["next"]] == []


def test_a_schema_counts_fully_only_where_something_checks_it(repository):
    assert repository.score()["data 1"]["score"] == 1
    pipeline = repository.root / "dvc.yaml"
    pipeline.write_text(pipeline.read_text().replace("mlci data check people", "touch reports/data-people.json"))
    found = repository.score()["data 1"]
    assert found["score"] == 0.5
    assert "nothing runs `mlci data check`" in found["evidence"][0]["says"]
    assert found["evidence"][0]["place"] == {"file": "params.yaml", "line": 7}
    repository.workflow("mlci data check", events="[workflow_dispatch]")
    assert repository.score()["data 1"]["score"] == 0.5
    repository.workflow("mlci data check --explain")
    assert repository.score()["data 1"]["score"] == 1


def test_a_check_of_another_table_is_no_evidence(repository):
    pipeline = repository.root / "dvc.yaml"
    pipeline.write_text(pipeline.read_text().replace("mlci data check people", "mlci data check people_of_1990"))
    policy = repository.root / "params.yaml"
    policy.write_text(
        policy.read_text().replace("  gate:\n", "    people_of_1990: {path: old.csv, rows: 5}\n  gate:\n")
    )
    assert repository.score()["data 1"]["score"] == 0.5


def test_missing_shares_alone_are_no_schema(repository):
    policy = repository.root / "params.yaml"
    policy.write_text(re.sub(r"\n +(age|person): .*", "", policy.read_text()))
    assert repository.score()["data 1"]["score"] == 0


def test_tests_of_the_code_count_half_until_a_workflow_runs_them(repository):
    before = repository.score()
    assert [before[name]["score"] for name in ("data 7", "infrastructure 2")] == [0, 0]
    repository.write("tests/test_features.py", "import features\n")
    repository.write("tests/test_train.py", "from subprocess import run\nrun(['python', 'train.py'])\n")
    repository.commit()
    half = repository.score()
    assert [half[name]["score"] for name in ("data 7", "infrastructure 2")] == [0.5, 0.5]
    repository.write("Makefile", "BIN := .venv/bin\n\ntest: lint  ## Test\n\t$(BIN)/pytest -q\n\nlint:\n\truff check\n")
    repository.write("ci.sh", "#!/bin/sh\nset -e\nexec make test\n")
    repository.workflow("./ci.sh", events="{push: {branches: [main]}}")
    full = repository.score()
    assert [full[name]["score"] for name in ("data 7", "infrastructure 2")] == [1, 1]
    assert "run by workflow `pr.yml`" in full["data 7"]["evidence"][0]["says"]


def test_one_script_without_a_test_is_named(repository):
    repository.write("clean.py", "")
    pipeline = repository.root / "dvc.yaml"
    pipeline.write_text(pipeline.read_text().replace("deps: [features.py]", "deps: [features.py, clean.py]"))
    repository.write("tests/test_features.py", "import features\n")
    repository.commit()
    found = repository.score()["data 7"]
    assert found["score"] == 0
    assert "but not clean.py" in found["evidence"][0]["says"]


@pytest.mark.parametrize("command", ["dvc repro", "mlci ci", "dvc repro --pull --allow-missing", "make all"])
def test_a_workflow_that_reproduces_makes_training_repeated(repository, command):
    repository.write("dvc.lock", LOCK)
    repository.write("Makefile", "all:\n\t@dvc -q repro\n")
    repository.commit()
    names = ("data 6", "infrastructure 1", "infrastructure 3")
    before = repository.score()
    assert [before[name]["score"] for name in names] == [0.5, 0.5, 0]
    repository.workflow(command)
    after = repository.score()
    assert [after[name]["score"] for name in names] == [1, 1, 1]


def test_a_comment_or_another_words_part_is_no_command(repository):
    repository.workflow("|\n          # dvc repro, optuna\n          echo redvc reproduced")
    found = repository.score()
    assert found["infrastructure 3"]["score"] == 0
    assert found["model 3"]["score"] == 0


def test_the_gate_counts_by_who_runs_it(repository):
    assert {repository.score()[name]["score"] for name in ("infrastructure 4", "model 6")} == {0.5}
    repository.workflow("mlci compare")
    found = repository.score()
    assert {found[name]["score"] for name in ("infrastructure 4", "model 6", "monitoring 5")} == {1}
    assert "`over 50s`, every sex" in found["model 6"]["evidence"][0]["says"]


def test_review_is_seen_in_owners_and_in_the_history(repository):
    assert repository.score()["model 1"]["score"] == 0
    repository.git("checkout", "-qb", "better")
    repository.write("train.py", "import os\n")
    repository.commit("Train better")
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge pull request #7 from me/better", "better")
    found = repository.score()["model 1"]
    assert found["score"] == 0.5
    assert "1 of the last 2 changes" in found["evidence"][0]["says"]
    repository.write(".github/CODEOWNERS", "docs/ @writers\n/train.py @ada\n")
    repository.commit()
    found = repository.score()["model 1"]
    assert found["score"] == 1
    assert found["evidence"][0]["place"] == {"file": ".github/CODEOWNERS", "line": 2}


def test_monitoring_needs_a_schedule(repository):
    assert repository.score()["monitoring 2"]["score"] == 0
    repository.workflow("mlci data check")
    assert repository.score()["monitoring 2"]["score"] == 0
    repository.workflow("soda scan -d live checks.yml", events='{schedule: [{cron: "0 3 * * *"}]}', name="watch.yml")
    found = repository.score()["monitoring 2"]
    assert found["score"] == 1
    assert found["evidence"][0]["place"] == {"file": ".github/workflows/watch.yml", "line": 11}


def test_what_a_schedule_keeps_fresh_and_a_bot_watches(repository):
    names = ("monitoring 1", "monitoring 4", "monitoring 6")
    policy = repository.root / "params.yaml"
    policy.write_text(
        policy.read_text().replace("      columns:", "      fresh: {column: day, within: 45d}\n      columns:")
    )
    before = repository.score()
    assert [before[name]["score"] for name in names] == [0, 0, 0]
    assert "no schedule looks" in before["monitoring 4"]["evidence"][0]["says"]
    repository.write(".github/dependabot.yml", "version: 2\n")
    repository.workflow("dvc repro", events="{schedule: [{cron: '0 3 1 * *'}]}", name="retrain.yml")
    repository.workflow("python measure_latency.py", name="speed.yml")
    after = repository.score()
    assert [after[name]["score"] for name in names] == [1, 1, 1]


def test_tags_show_stages_and_versions_to_go_back_to(repository):
    for tag in ("people@v1.0.0", "people@v1.1.0", "people#staging#1", "people#prod#2"):
        repository.git("tag", "-a", tag, "-m", tag)
    found = repository.score()
    assert found["infrastructure 6"]["score"] == 0.5
    assert "staging, prod" in found["infrastructure 6"]["evidence"][0]["says"]
    assert found["infrastructure 7"]["score"] == 0
    assert "2 released versions" in found["infrastructure 7"]["evidence"][0]["says"]
    repository.workflow("mlci rollback people prod", events="{schedule: [{cron: '0 3 1 * *'}]}")
    assert repository.score()["infrastructure 7"]["score"] == 1


def test_a_notebook_with_its_outputs_is_work_by_hand(repository):
    cell = {"cell_type": "code", "source": ["import optuna\n"], "outputs": [{"output_type": "stream"}]}
    repository.write("notebooks/tune.ipynb", json.dumps({"cells": [cell]}, indent=1))
    repository.commit()
    assert repository.score()["model 3"]["score"] == 0.5


def test_scripts_of_any_tool_are_looked_into(repository):
    repository.write("tune.py", "# optuna is for later\nimport optuna\n")
    repository.commit()
    assert repository.score()["model 3"]["score"] == 0
    pipeline = repository.root / "dvc.yaml"
    pipeline.write_text(f"{pipeline.read_text()}  tune:\n    cmd: python tune.py\n    outs: [best.json]\n")
    found = repository.score()["model 3"]
    assert found["score"] == 1
    assert found["evidence"][0]["place"] == {"file": "tune.py", "line": 2}


def test_the_projects_own_action_and_reusable_workflow_are_followed(repository):
    repository.write("action.yml", "runs:\n  using: composite\n  steps:\n    - run: mlci compare\n      shell: bash\n")
    repository.write(
        ".github/workflows/gate.yml",
        "on: workflow_call\njobs:\n  gate:\n    runs-on: x\n    steps:\n      - uses: ./\n",
    )
    repository.write(
        ".github/workflows/pr.yml", "on: pull_request\njobs:\n  a:\n    uses: ./.github/workflows/gate.yml\n"
    )
    repository.commit()
    found = repository.score()["infrastructure 4"]
    assert found["score"] == 1
    assert "workflow `pr.yml`" in found["evidence"][0]["says"]


@pytest.mark.parametrize("circle", ["a: b\n\nb: a\n\t@make a\n", "a:\n\tmake a\n"])
def test_circles_end(repository, circle):
    repository.write("Makefile", circle)
    repository.write("loop.sh", "./loop.sh\n")
    repository.workflow("make a && ./loop.sh")
    assert len(repository.score()) == 28


def declare(repository, text):
    policy = repository.root / "params.yaml"
    policy.write_text(f"{policy.read_text()}  score:\n    {text}\n")


def test_what_is_done_by_hand_is_declared_with_a_file(repository):
    repository.write("docs/costs.md", "Seats cost nothing.\n")
    repository.commit()
    declare(repository, "data 3: {evidence: docs/costs.md, note: looked at in every quarter}")
    found = repository.score()["data 3"]
    assert found["score"] == 0.5
    assert found["evidence"][0] == {
        "how": "manual",
        "says": "looked at in every quarter",
        "place": {"file": "docs/costs.md", "line": 1},
    }


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("data 3: {evidence: docs/costs.md}", "params.yaml:19: mlci.score.data 3: docs/costs.md is not there"),
        ("data 3: {evidence: ../costs.md}", "leads out of the project"),
        ("data 3: {evidence: /etc/passwd}", "leads out of the project"),
        ("data 3: {evidence: local.md}", "Git does not track local.md"),
        ("data 3: {evidence: train.py, how: automated}", "nothing in train.py says when it runs by itself"),
        ("data 8: {evidence: train.py}", "params.yaml:19: mlci.score.data 8: the rubric has no test 'data 8'"),
        ("data 3: {evidence: train.py, how: by magic}", "'manual' or 'automated'"),
    ],
)
def test_a_declaration_without_its_file_is_an_error_by_name(repository, entry, said):
    repository.write("local.md", "")
    declare(repository, entry)
    run = repository.mlci("doctor", "--score")
    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr


def test_automated_evidence_must_say_when_it_runs(repository):
    repository.write("deploy/costs.yaml", "kind: CronJob\nspec: {schedule: '0 3 * * *'}\n")
    repository.workflow("echo costs", events="[workflow_dispatch]", name="hand.yml")
    declare(repository, "data 3: {evidence: deploy/costs.yaml, how: automated}")
    assert repository.score()["data 3"]["score"] == 1
    policy = repository.root / "params.yaml"
    policy.write_text(policy.read_text().replace("deploy/costs.yaml", ".github/workflows/hand.yml"))
    assert repository.mlci("doctor", "--score").returncode == 2


def test_the_score_can_be_a_gate(repository):
    assert repository.mlci("doctor", "--score", "--at-least", "0").returncode == 0
    run = repository.mlci("doctor", "--score", "--at-least", "0.5")
    assert run.returncode == 1
    assert "ML Test Score of people: 0" in run.stdout


def test_without_a_repository_there_is_no_score(tmp_path, empty):
    run = empty.mlci("doctor", "--score", "--project", str(tmp_path))
    assert run.returncode == 3
    assert "in no Git repository" in run.stderr


def test_markdown_holds_every_test(repository):
    text = repository.mlci("doctor", "--score", "--format", "markdown").stdout
    assert len(re.findall(r"^\| (0|0\.5|1) \| \d\. ", text, re.MULTILINE)) == 28


def test_hostile_names_do_not_reach_the_terminal(repository):
    policy = repository.root / "params.yaml"
    policy.write_text(policy.read_text().replace("over 50s", '"[bold]x\\e[31m`@everyone`"'))
    run = repository.mlci("doctor", "--score")
    assert "\x1b" not in run.stdout
    assert "[bold]x" in run.stdout
    assert "@everyone" not in repository.mlci("doctor", "--score", "--format", "markdown").stdout
