"""An earlier verdict never stands for a comparison that came to none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import People, Project


@pytest.fixture
def compared(project: Project, people: People) -> Project:
    project.write("predictions.parquet", **people.answers(people.wrong(0.1)))
    project.commit("A model")
    assert project.mlci("compare").returncode == 0
    return project


def edit_policy(project: Project) -> None:
    file = project.root / "params.yaml"
    file.write_text(file.read_text().replace("metrics:", "metrisc:"))


@pytest.mark.parametrize(
    ("how", "code", "told"),
    [
        (lambda project: (project.root / "predictions.parquet").unlink(), 3, "predictions.parquet"),
        (lambda project: (project.root / "predictions.parquet").write_text("no table"), 3, "predictions.parquet"),
        (edit_policy, 2, "metrisc"),
        (lambda project: (project.root / "params.yaml").unlink(), 3, "params.yaml"),
    ],
)
def test_a_comparison_that_fails_leaves_a_verdict_that_blocks(compared: Project, how, code, told):
    how(compared)
    run = compared.mlci("compare")
    assert run.returncode == code, run.stderr
    for name in ("verdict.json", "report.json"):
        text = (compared.root / "reports" / name).read_text()
        found = json.loads(text)
        found = found.get("verdict", found)
        assert [(each["check"], each["outcome"]) for each in found["findings"]] == [
            ("pipeline.crashed", "not_measured")
        ]
        assert told in found["findings"][0]["message"]
    again = compared.mlci("report")
    assert again.returncode == 1
    assert "did not come to a verdict" in again.stdout


def test_an_error_of_our_own_leaves_one_too(compared: Project):
    from mlci.flows.crashed import outdating  # noqa: PLC0415 - beside what it tests

    with pytest.raises(ZeroDivisionError), outdating(compared.root, "mlci compare"):
        raise ZeroDivisionError
    (found,) = json.loads((compared.root / "reports/verdict.json").read_text())["findings"]
    assert "ZeroDivisionError" in found["message"]


def test_the_next_verdict_takes_its_place(compared: Project):
    table = compared.root / "predictions.parquet"
    kept = table.read_bytes()
    table.unlink()
    assert compared.mlci("compare").returncode == 3
    table.write_bytes(kept)
    before = (compared.root / "reports/verdict.json").read_text()
    assert compared.mlci("compare").returncode == 0
    assert (compared.root / "reports/verdict.json").read_text() != before


def test_where_no_verdict_was_none_is_made_up(project: Project):
    assert project.mlci("compare").returncode == 3
    assert not (project.root / "reports/verdict.json").exists()
