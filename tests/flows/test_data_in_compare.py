"""The verdict stands on the data checks: what was not checked, or changed since, blocks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import People, Project

DATA = """\
  data:
    people:
      path: test.parquet
      columns:
        age: {range: [18, 120], missing: 5%}
"""


@pytest.fixture
def checked(project: Project, people: People) -> Project:
    policy = (project.root / "params.yaml").read_text()
    (project.root / "params.yaml").write_text(policy.replace("  gate:\n", DATA + "  gate:\n"))
    project.write("predictions.parquet", **people.answers(people.wrong(0.1)))
    return project


def blocking(project: Project) -> list[dict[str, Any]]:
    verdict = json.loads((project.root / "reports/verdict.json").read_text())
    return [item for item in verdict["findings"] if item["outcome"] in {"fail", "not_measured"}]


def test_data_that_was_not_checked_blocks(checked: Project):
    run = checked.mlci("compare")
    assert run.returncode == 1
    assert "was not checked" in blocking(checked)[0]["message"]
    assert checked.mlci("data", "check").returncode == 0
    assert checked.mlci("compare").returncode == 0
    assert not blocking(checked)


def test_data_that_changed_since_blocks(checked: Project, people: People):
    checked.mlci("data", "check")
    checked.write("test.parquet", person=people.person, age=people.age + 1, ill=people.ill)
    run = checked.mlci("compare")
    assert run.returncode == 1
    assert "changed since it was checked" in blocking(checked)[0]["message"]


def test_promises_that_changed_since_block(checked: Project):
    checked.mlci("data", "check")
    policy = (checked.root / "params.yaml").read_text()
    (checked.root / "params.yaml").write_text(policy.replace("[18, 120]", "[18, 60]"))
    assert checked.mlci("compare").returncode == 1
    assert [item["check"] for item in blocking(checked)] == ["data.people.checked"]
    run = checked.mlci("data", "check", "people")
    assert run.returncode == 1
    assert "params.yaml:7" in run.stdout
    assert checked.mlci("compare").returncode == 1
    assert [item["check"] for item in blocking(checked)] == ["data.people.age.range"]


def test_a_check_that_blocks_is_the_runs_verdict_too(checked: Project, people: People):
    checked.mlci("data", "check")
    checked.mlci("compare")
    checked.write("test.parquet", person=people.person, age=people.age * 10, ill=people.ill)
    assert checked.mlci("data", "check").returncode == 1
    run = checked.mlci("report", "--format", "markdown")
    assert run.returncode == 1
    assert "Blocked" in run.stdout
    assert "Blocked" in (checked.root / "reports/report.md").read_text()


def test_json_is_the_report(checked: Project):
    checked.mlci("data", "check")
    report = json.loads(checked.mlci("compare", "--json").stdout)
    assert report["verdict"] == json.loads((checked.root / "reports/verdict.json").read_text())
    assert json.loads(checked.mlci("data", "check", "--json").stdout)["verdict"]["outcome"] == "pass"
