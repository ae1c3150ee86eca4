"""A pull request can't loosen the gate that it needs; a waiver with a name and an end can."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlci.edges.dvc_stages import removed_stages

if TYPE_CHECKING:
    from conftest import People, Project

PIPELINE = """\
stages:
  check: {cmd: mlci data check}
  test: {cmd: [python evaluate.py, mlci model test]}
"""


@pytest.fixture
def worse(project: Project, people: People) -> Project:
    """A branch with a model that the base's policy blocks."""
    (project.root / "dvc.yaml").write_text(PIPELINE)
    wrong = people.wrong(0.1)
    project.write("predictions.parquet", **people.answers(wrong))
    project.commit("A model")
    project.git("checkout", "-qb", "worse")
    project.write("predictions.parquet", **people.answers(wrong ^ people.wrong(0.05, 5)))
    project.commit("A worse model")
    return project


def edit(project: Project, old: str, new: str) -> None:
    file = project.root / "params.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def blocking(project: Project) -> list[str]:
    return [item["check"] for item in findings(project) if item["outcome"] == "fail" and item["level"] == "block"]


def findings(project: Project) -> list[dict[str, Any]]:
    return json.loads((project.root / "reports/verdict.json").read_text())["findings"]


def test_a_looser_gate_does_not_help_the_pull_request_that_loosens_it(worse: Project):
    edit(worse, "accuracy: {drop: 0.01}", "accuracy: {drop: 0.2}")
    run = worse.mlci("compare")
    assert run.returncode == 1
    assert "policy.gate.accuracy.drop" in blocking(worse)
    listed = next(item for item in findings(worse) if item["check"] == "policy.loosened")
    assert "`gate.metrics.accuracy.drop` 0.01 → 0.2" in listed["message"]
    assert listed["place"]["line"] == 7
    assert findings(worse)[0]["check"] == "policy.loosened"


def test_removing_a_promise_or_its_level_does_not_help_either(worse: Project):
    edit(worse, "      accuracy: {drop: 0.01}\n", "      recall: {drop: 0.5}\n")
    assert worse.mlci("compare").returncode == 1
    listed = next(item for item in findings(worse) if item["check"] == "policy.loosened")
    assert "`gate.metrics.accuracy.drop` removed (was 0.01)" in listed["message"]
    edit(worse, "recall: {drop: 0.5}", "accuracy: {drop: 0.01, level: warn}")
    assert worse.mlci("compare").returncode == 1


def test_merged_on_its_own_it_helps(worse: Project):
    worse.git("checkout", "-q", "main")
    edit(worse, "accuracy: {drop: 0.01}", "accuracy: {drop: 0.2}")
    edit(worse, "{floor: 0.85}", "{floor: 0.8}")
    worse.git("checkout", "-qb", "looser")
    worse.commit("Allow more")
    assert worse.mlci("compare").returncode == 0
    worse.git("checkout", "-q", "main")
    worse.git("merge", "-q", "looser")
    worse.git("checkout", "-q", "worse")
    worse.git("rebase", "-q", "main")
    assert worse.mlci("compare").returncode == 0, worse.mlci("compare").stdout
    assert blocking(worse) == []


def test_a_stricter_gate_is_not_a_loosening(worse: Project):
    worse.git("checkout", "-q", "main")
    worse.git("checkout", "-qb", "stricter")
    edit(worse, "{drop: 0.01}", "{drop: 0.005}")
    assert worse.mlci("compare").returncode == 0
    assert not [item for item in findings(worse) if item["check"].startswith("policy.")]


def test_deleting_the_gate_or_the_stage_is_a_failure(worse: Project):
    (worse.root / "dvc.yaml").write_text("stages:\n  test: {cmd: [python evaluate.py, mlci model test]}\n")
    assert worse.mlci("compare").returncode == 1
    assert "policy.stage.check" in blocking(worse)
    policy = (worse.root / "params.yaml").read_text()
    (worse.root / "params.yaml").write_text(policy[: policy.index("  gate:")])
    run = worse.mlci("compare")
    assert run.returncode == 2
    assert "mlci.gate" in run.stderr
    (worse.root / "params.yaml").write_text("train: {seed: 1}\n")
    assert worse.mlci("compare").returncode == 2


AROUND = [
    ("metrics:\n", "baseline: [previous]\n    metrics:\n", "loosens 2 promises: `gate.baseline` merge-base, release →"),
    ("metrics:\n", "branch: worse\n    metrics:\n", "changes 1 promise: `gate.branch` added: worse"),
    ("metrics:\n", "alpha: 0.000001\n    metrics:\n", "`gate.alpha` 0.05 → 1e-06"),
    ("metrics:\n", "seed: 7\n    metrics:\n", "`gate.seed` 20240101 → 7"),
    ("label: ill", "label: prediction", "`model.label` ill → prediction"),
    ("name: people", "name: others", "`model.name` people → others"),
    ("false_negative: 5", "false_negative: 0", "`model.cost.false_negative` 5.0 → 0.0"),
]


def test_what_is_asked_cannot_be_changed_around_the_gate(worse: Project):
    before = (worse.root / "params.yaml").read_text()
    for old, new, told in AROUND:
        (worse.root / "params.yaml").write_text(before)
        edit(worse, "accuracy: {drop: 0.01}", "accuracy: {drop: 0.2}")
        edit(worse, old, new)
        assert worse.mlci("compare").returncode == 1, new
        listed = findings(worse)[0]
        assert listed["check"] == "policy.loosened"
        assert told in listed["message"]
        assert any(check.startswith("policy.gate.") for check in blocking(worse)), new


def test_a_gate_that_cannot_be_asked_any_more_blocks(worse: Project, people: People):
    worse.git("checkout", "-q", "main")
    worse.write("test.parquet", person=people.person, age=people.age, ill=people.ill, site=np.repeat("A", people.n))
    edit(worse, "      over 50s:", "      by: [site]\n      over 50s:")
    worse.commit("Slice by site")
    worse.git("checkout", "-qb", "narrower")
    worse.write("test.parquet", person=people.person, age=people.age, ill=people.ill)
    edit(worse, "      by: [site]\n", "")
    worse.commit("No sites any more")
    assert worse.mlci("compare").returncode == 1
    told = next(item for item in findings(worse) if item["check"] == "policy.gate")
    assert told["outcome"] == "not_measured"
    assert "has no column `site`" in told["message"]


def test_without_its_gate_a_pull_request_is_no_green_one(worse: Project):
    policy = (worse.root / "params.yaml").read_text()
    (worse.root / "params.yaml").write_text(policy[: policy.index("  gate:")])
    assert worse.mlci("ci").returncode == 1
    assert "policy.gate" in blocking(worse)
    assert findings(worse)[0]["check"] == "policy.loosened"
    waiver = "  waivers: [{check: policy.gate, reason: no model any more, approver: Ada, until: 2999-01-01}]\n"
    (worse.root / "params.yaml").write_text(policy[: policy.index("  gate:")] + waiver)
    assert worse.mlci("ci").returncode == 0


STOPPED = [
    "check: {cmd: mlci data check, frozen: true}",
    "check: {foreach: [], do: {cmd: mlci data check}}",
    "check: {cmd: mlci data check || true}",
    "check: {cmd: 'true'}",
]


@pytest.mark.parametrize("stage", STOPPED)
def test_a_stage_that_runs_no_longer_is_removed(stage: str):
    own = PIPELINE.replace("check: {cmd: mlci data check}", stage).encode()
    assert removed_stages(PIPELINE.encode(), own) == ["check"]
    assert removed_stages(own, PIPELINE.encode()) == (["check"] if "||" in stage else [])


def test_data_promises_are_guarded_too(worse: Project, people: People):
    worse.git("checkout", "-q", "main")
    edit(worse, "  gate:\n", "  data:\n    people: {path: test.parquet, columns: {age: {range: [18, 120]}}}\n  gate:\n")
    worse.commit("Promise something of the data")
    worse.git("checkout", "-qb", "broken")
    worse.write("test.parquet", person=people.person, age=people.age * 10, ill=people.ill)
    edit(worse, "[18, 120]", "[18, 1200]")
    worse.commit("Other people")
    assert worse.mlci("data", "check").returncode == 0
    assert worse.mlci("compare").returncode == 1
    assert "policy.data.people.age.range" in blocking(worse)


WAIVER = """\
  waivers:
    - {check: gate.accuracy.drop, reason: the sensor is replaced, approver: Ada, until: %s}
    - {check: gate.slices.over 50s.accuracy.drop, reason: the sensor is replaced, approver: Ada, until: %s}
"""


def test_a_waiver_lets_a_named_check_fail_until_a_day(worse: Project):
    edit(worse, "  gate:\n", WAIVER % ("2999-01-01", "2999-01-01") + "  gate:\n")
    run = worse.mlci("compare")
    assert run.returncode == 0, run.stdout
    waived = [item for item in findings(worse) if item["waived"]]
    assert [item["check"] for item in waived] == ["gate.accuracy.drop", "gate.slices.over 50s.accuracy.drop"]
    assert "waived by Ada until 2999-01-01: the sensor is replaced. The waiver is new in" in waived[0]["message"]
    assert findings(worse)[0]["waived"]
    assert "waived" in run.stdout


def test_an_expired_waiver_blocks_and_an_unused_one_is_named(worse: Project):
    edit(worse, "  gate:\n", WAIVER % ("2020-01-01", "2999-01-01") + "  gate:\n")
    run = worse.mlci("compare")
    assert run.returncode == 1
    assert "policy.waiver.gate.accuracy.drop" in blocking(worse)
    assert "ended on 2020-01-01" in findings(worse)[0]["message"]
    edit(worse, "gate.accuracy.drop, reason", "gate.acuracy.drop, reason")
    edit(worse, "2020-01-01", "2999-01-01")
    worse.mlci("compare")
    unused = next(item for item in findings(worse) if item["check"] == "policy.waiver.gate.acuracy.drop")
    assert "names no check of this run" in unused["message"]
    assert unused["level"] == "warn"


@pytest.mark.parametrize("broken", ["until: soon", "until: ''", "reason: ''", "approver: ' '"])
def test_a_malformed_waiver_is_a_wrong_policy(worse: Project, broken: str):
    key = broken.split(":", maxsplit=1)[0]
    waiver = {"check": "gate.accuracy.drop", "reason": "why", "approver": "Ada", "until": "2999-01-01"}
    said = ", ".join(broken if name == key else f"{name}: {value}" for name, value in waiver.items())
    edit(worse, "  gate:\n", f"  waivers:\n    - {{{said}}}\n  gate:\n")
    run = worse.mlci("compare")
    assert run.returncode == 2
    assert "params.yaml:4" in run.stderr


def test_what_counts_only_after_the_merge_is_listed_when_it_is_loosened(worse: Project):
    worse.git("checkout", "-q", "main")
    file = worse.root / "params.yaml"
    promised = "  release: {stages: {dev: {}, prod: {soak: 24h}}}\n  monitor: {alpha: 0.05, log: 'sqlite:///log.db'}\n"
    file.write_text(file.read_text() + promised)
    worse.commit("Promise what holds after the merge")
    worse.git("checkout", "-qb", "operations")
    edit(worse, "soak: 24h", "soak: 1h")
    edit(worse, "  monitor: {alpha: 0.05, log: 'sqlite:///log.db'}\n", "")
    worse.commit("Promise less")
    assert worse.mlci("compare").returncode == 0
    listed = findings(worse)[0]
    assert (listed["check"], listed["outcome"], listed["level"]) == ("policy.loosened", "fail", "warn")
    assert "loosens 2 promises" in listed["message"]
    assert "`release.stages.prod.soak` 1d → 1h" in listed["message"]
    assert "`monitor` removed" in listed["message"]
