"""A model may be better and still cost too much: budgets are gates, and a noisy machine decides nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from forests import forest, keep, told_of

from mlci.nouns.software import LOOKS, Software

if TYPE_CHECKING:
    from conftest import People, Project

WAIVER = """\
  waivers:
    - {check: budgets.latency_p50.rise, reason: the old one goes, approver: Ada, until: "2999-01-31"}
"""


@pytest.fixture
def budgeted(project: Project, people: People) -> Project:
    """A branch on which a large model takes a small one's place; both answer the same."""
    project.write("predictions.parquet", **people.answers(people.wrong(0.1)))
    return project


def promise(project: Project, budgets: str, more: str = "") -> None:
    head = (project.root / "params.yaml").read_text().partition("  budgets:")[0]
    (project.root / "params.yaml").write_text(f"{head}  budgets: {budgets}\n{more}")


def put(project: Project, model: bytes) -> None:
    (project.root / "models").mkdir(exist_ok=True)
    (project.root / "models" / "model.onnx").write_bytes(model)


def replaced(project: Project, old: bytes, new: bytes, budgets: str) -> None:
    """Commit one model to main, and put another one on a branch."""
    promise(project, budgets)
    put(project, old)
    project.commit("A model")
    project.git("checkout", "-qb", "other")
    put(project, new)
    project.commit("Another model")


def found(project: Project, code: int) -> dict[str, dict[str, Any]]:
    run = project.mlci("compare")
    assert run.returncode == code, run.stderr + run.stdout
    findings = json.loads((project.root / "reports/verdict.json").read_text())["findings"]
    return {item["check"]: item for item in findings if "budgets" in item["check"]}


@pytest.mark.slow
def test_a_forest_of_twenty_times_the_trees_is_blocked_by_what_is_measured(budgeted: Project):
    replaced(budgeted, forest(10), forest(1000), "{latency_p50: {rise: 20%}, latency_p99: {limit: 10min}}")
    first = found(budgeted, 1)
    blocked = first["budgets.latency_p50.rise"]
    assert blocked["outcome"] == "fail"
    assert blocked["budget"]["low"] > 1.2
    assert blocked["message"].startswith("A prediction takes ")
    assert blocked["message"].endswith("; you allow 20 % more.")
    assert first["budgets.latency_p99.limit"]["outcome"] == "pass"
    # What was measured is kept: the same files give the same bytes.
    verdict = (budgeted.root / "reports/verdict.json").read_bytes()
    assert found(budgeted, 1) == first
    assert (budgeted.root / "reports/verdict.json").read_bytes() == verdict


@pytest.mark.slow
def test_everything_is_measured_of_the_real_server_and_written_where_a_stage_keeps_it(budgeted: Project):
    budgets = "{latency_p50: 10min, throughput: {limit: 1/min}, cold_start: 10min, size: 1GB, memory: 10GB, "
    promise(budgeted, budgets + "cost_per_million: 1000, price: 0.04, concurrency: 4}")
    put(budgeted, forest(10))
    budgeted.commit("A model")
    run = budgeted.mlci("model", "measure")
    assert run.returncode == 0, run.stderr
    software = Software.model_validate_json((budgeted.root / "reports/budgets.json").read_bytes())
    assert len(software.sessions) == LOOKS[0]
    assert software.base is None
    for session in software.sessions:
        seen = session.new.told()
        assert session.old is None
        assert 0 < seen["latency_p50"] <= seen["latency_p99"]
        assert seen["cpu_start"] > 0
        assert seen["memory"] > 20e6
        assert seen["throughput"] > 1
    outcomes = {check: item["outcome"] for check, item in found(budgeted, 0).items()}
    assert set(outcomes.values()) == {"pass"}
    assert len(outcomes) == 6
    assert not (budgeted.root / ".cache/mlci/budgets").exists()


def test_the_same_bytes_are_not_measured(budgeted: Project):
    replaced(budgeted, forest(10), forest(10), "{latency_p50: {rise: 0%}, memory: {rise: 0%}, size: {rise: 0%}}")
    for item in found(budgeted, 0).values():
        assert (item["outcome"], item["budget"].get("new")) == ("pass", None)
        assert "the same as before, byte for byte" in item["message"]


def test_over_size_is_blocked_without_measuring(budgeted: Project):
    replaced(budgeted, forest(10), forest(200), "{size: {limit: 20kB, rise: 20%}}")
    told = found(budgeted, 1)
    assert {item["outcome"] for item in told.values()} == {"fail"}
    assert told["budgets.size.rise"]["message"].endswith(" times as large as before; you allow 20 % more.")
    assert told["budgets.size.limit"]["message"].endswith("; your limit is 20kB.")


def test_what_a_stage_measured_is_read_only_for_the_models_that_it_speaks_of(budgeted: Project):
    small, large = forest(10), forest(200)
    replaced(budgeted, small, large, "{latency_p50: {rise: 20%}, throughput: {drop: 20%, level: warn}}")
    keep(budgeted.root, told_of(large, small, latency_p50=(2.1e-4, 1e-4), throughput=(500, 1000)))
    told = found(budgeted, 1)
    assert told["budgets.latency_p50.rise"]["message"].startswith("A prediction takes 2.1")
    assert told["budgets.throughput.drop"]["message"].startswith("The server answers 0.50 times as many requests")
    assert (told["budgets.throughput.drop"]["level"], told["budgets.throughput.drop"]["outcome"]) == ("warn", "fail")
    budgeted.mlci("report", "--format", "html", "--format", "markdown")
    for name in ("report.html", "report.md"):
        assert "times as long as before (2" in (budgeted.root / "reports" / name).read_text()


def test_a_waiver_excuses_a_budget(budgeted: Project):
    small, large = forest(10), forest(200)
    replaced(budgeted, small, large, "{latency_p50: {rise: 20%}}")
    promise(budgeted, "{latency_p50: {rise: 20%}}", WAIVER)
    keep(budgeted.root, told_of(large, small, latency_p50=(2e-4, 1e-4)))
    assert "waived by Ada" in found(budgeted, 0)["budgets.latency_p50.rise"]["message"]


def test_a_looser_budget_does_not_help_the_pull_request_that_loosens_it(budgeted: Project):
    replaced(budgeted, forest(10), forest(200), "{size: 20kB}")
    promise(budgeted, "{size: 20MB}")
    told = found(budgeted, 1)
    assert told["budgets.size.limit"]["outcome"] == "pass"
    assert told["policy.budgets.size.limit"]["outcome"] == "fail"
    (budgeted.root / "params.yaml").write_text((budgeted.root / "params.yaml").read_text().partition("  budgets")[0])
    assert found(budgeted, 1).keys() == {"policy.budgets.size.limit"}


def test_the_first_run_has_nothing_to_compare_with(budgeted: Project):
    promise(budgeted, "{latency_p50: {rise: 20%}, size: {rise: 20%}}")
    put(budgeted, forest(10))
    budgeted.commit("A model")
    for item in found(budgeted, 0).values():
        assert item["outcome"] == "not_comparable"
        assert item["message"] == "There is no previous model to measure beside this one: this is the first run."


def test_a_previous_model_that_cannot_be_loaded_is_told(budgeted: Project):
    replaced(budgeted, b"no model at all", forest(10), "{latency_p50: {rise: 20%}, size: {limit: 1MB}}")
    told = found(budgeted, 0)
    assert told["budgets.latency_p50.rise"]["outcome"] == "not_comparable"
    assert "the previous one can't be run" in told["budgets.latency_p50.rise"]["message"]
    assert told["budgets.size.limit"]["outcome"] == "pass"


def test_a_candidate_that_cannot_be_run_does_not_pass(budgeted: Project):
    replaced(budgeted, forest(10), b"no model at all", "{latency_p50: {limit: 1s}}")
    told = found(budgeted, 1)["budgets.latency_p50.limit"]
    assert told["outcome"] == "not_measured"
    assert "is no ONNX model" in told["message"]
