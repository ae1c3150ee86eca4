"""`mlci compare` with crossed slices, bins, and many of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from full_gate import N, findings, policy, sliced, two_models, write

if TYPE_CHECKING:
    from conftest import Project


def test_crossed_slices_are_those_that_occur(project: Project):
    found = sliced(project, "{by: [origin, [origin, carrier]]}")
    assert list(found) == [
        "origin = JFK",
        "origin = LGA",
        "origin = JFK, carrier = AA",
        "origin = JFK, carrier = B6",
        "origin = LGA, carrier = AA",
    ]
    assert found["origin = JFK"] == found["origin = JFK, carrier = AA"] + found["origin = JFK, carrier = B6"]


def test_bins_with_given_ends(project: Project):
    found = sliced(project, "{bins: {distance: [0, 500, 1000, 2500]}}")
    assert list(found) == [
        "distance 0 to 500",
        "distance 500 to 1,000",
        "distance 1,000 to 2,500",
        "distance 2,500 and above",
        "distance = (missing)",
    ]
    assert sum(found.values()) == N
    assert found["distance = (missing)"] == 40


def test_bins_of_equally_many_rows(project: Project):
    found = sliced(project, "{bins: {distance: 4}, far: {where: distance > 1500}}")
    assert len(found) == 6
    assert "far" in found
    bins = [rows for name, rows in found.items() if name not in {"far", "distance = (missing)"}]
    assert max(bins) - min(bins) < 10


@pytest.mark.parametrize(
    ("slices", "told"),
    [
        ("{by: [orign]}", "params.yaml:7: test.parquet has no column `orign`; did you mean `origin`?"),
        ("{by: [[origin, crrier]]}", "params.yaml:7: test.parquet has no column `crrier`; did you mean `carrier`?"),
        ("{bins: {origin: 3}}", "params.yaml:7: `origin` is VARCHAR, and bins need numbers"),
        ("{bins: {distanse: 3}}", "test.parquet has no column `distanse`; did you mean `distance`?"),
        ("{bins: {distance: 1}}", "params.yaml:7: mlci.gate.slices.bins.distance: between 2 and 100 bins"),
        ("{bins: {distance: [5, 3]}}", "the ends of bins are two or more numbers that go up, not [5, 3]"),
        ("{bins: {distance: some}}", "a number of bins, such as 4, or the list of their ends"),
        ("{by: [id]}", "params.yaml:7: that makes more than 1,000 slices"),
    ],
)
def test_slices_that_do_not_fit_the_table(project: Project, slices: str, told: str):
    label, old, new = two_models()
    text = np.array(["a", "b"])[label.astype(int)]
    write(project, label, old, new, origin=text, carrier=text, distance=np.arange(N))
    policy(project, f"    metrics: {{accuracy: {{drop: 0.1}}}}\n    slices: {slices}\n")
    run = project.mlci("compare")
    assert run.returncode == 2, run.stdout
    assert told in run.stderr


def test_many_slices_that_hold_are_counted(project: Project):
    label, old, new = two_models()
    policy(project, "    metrics: {accuracy: {drop: 0.3}}\n    slices: {by: [hour]}\n")
    write(project, label, old, new, hour=np.arange(N) % 24)
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert "others" in run.stdout


def test_how_the_test_table_is_cut_into_files_does_not_matter(project: Project):
    label, old, new = two_models(1, (0.1, 0.12))
    origin = np.array(["JFK", "LGA"])[np.random.default_rng(1).integers(0, 2, N)]
    told = []
    for path, cuts in (
        ("test.parquet", [slice(0, N)]),
        ("part-*.parquet", [slice(1_500, N), slice(0, 700), slice(700, 1_500)]),
    ):
        policy(
            project,
            "    metrics: {accuracy: {drop: 0.01}, f1: {drop: 0.01}}\n    slices: {by: origin}\n    group: user\n",
        )
        user = np.arange(N) // 5
        write(project, label, old, new, origin=origin, user=user)
        text = (project.root / "params.yaml").read_text()
        (project.root / "params.yaml").write_text(text.replace("test: test.parquet", f'test: "{path}"'))
        ids = np.array([f"r{i:06}" for i in range(N)])
        for i, cut in enumerate(cuts):
            name = path.replace("*", str(i))
            project.write(name, id=ids[cut], label=label[cut], origin=origin[cut], user=user[cut])
        project.mlci("compare")
        told.append({check: (item["outcome"], item["gate"]) for check, item in findings(project).items()})
    assert told[0] == told[1]


def test_slices_of_one_name_are_told_apart(project: Project):
    label, old, new = two_models()
    where = np.where(np.arange(N) % 3 == 0, "a", None).astype(object)
    where[1::3] = "(missing)"
    near = 0.123456 + np.arange(N) * 1e-9
    near[:10] = np.inf
    near[10:20] = -np.inf
    near[20:60] = np.nan
    write(project, label, old, new, where=where, near=near)
    policy(
        project,
        """\
    metrics: {accuracy: {drop: 0.1}}
    slices:
      where = a: {where: "near < 0.2"}
      by: [where]
      bins: {near: 4}
""",
    )
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    verdict = json.loads((project.root / "reports/verdict.json").read_text())
    rows = {item["check"].split(".", 2)[2]: item["gate"]["rows"] for item in verdict["findings"]}
    assert len(verdict["findings"]) == len(rows) == 10
    assert {name: n for name, n in rows.items() if "where" in name} == {
        "where = a.accuracy.drop": 1_950,
        "where = (missing).accuracy.drop": 667,
        "where = a (2).accuracy.drop": 667,
        "where = (missing) (2).accuracy.drop": 666,
    }
    assert "near = (missing).accuracy.drop" in rows
    assert "near -inf to 0.1234565.accuracy.drop" in rows


def test_columns_may_have_any_names(project: Project):
    label, old, new = two_models()
    write(project, label, old, new, code=np.arange(N) % 5, v0=np.arange(N) % 7, rows=label, value=np.arange(N))
    named = "{where: code > 1 AND v0 < 4 AND value > 3 AND rows}"
    slices = f"{{by: [code, [v0, rows]], some: {named}}}"
    policy(project, f"    metrics: {{accuracy: {{drop: 0.3}}}}\n    group: value\n    slices: {slices}\n")
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    expected = int(np.sum((np.arange(N) % 5 > 1) & (np.arange(N) % 7 < 4) & (np.arange(N) > 3) & label))
    verdict = json.loads((project.root / "reports/verdict.json").read_text())
    rows = {item["gate"]["slice"]: item["gate"]["rows"] for item in verdict["findings"] if item["gate"]["slice"]}
    assert rows["some"] == expected
