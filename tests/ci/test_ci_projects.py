"""Several projects in one repository, and projects without a gate, a model, a pipeline or DVC."""

from __future__ import annotations

import json

import pytest
from team import FILES, Clone, dvc_init, set_up

from mlci.flows.projects import slugs

DATA_ONLY = """\
mlci:
  data:
    people: {path: people.csv, rows: ">= 1", columns: {age: {range: [0, 120]}}}
"""


@pytest.fixture
def plain(tmp_path):
    """A repository with one table in Git, and no DVC."""
    clone = Clone(tmp_path / "plain")
    clone.root.mkdir()
    set_up(clone)
    clone.write("params.yaml", DATA_ONLY)
    clone.write("people.csv", "person,age\na,20\nb,30\n")
    clone.write(".gitignore", "/reports/\n")
    clone.commit()
    clone.git("checkout", "-qb", "change")
    return clone


def test_a_project_with_data_alone_is_judged_by_its_data(plain):
    plain.write("people.csv", "person,age\na,20\nb,30\nc,40\n")
    run = plain.ci()
    assert run.code == 0, run.err
    assert run.verdict["headline"].startswith("Held")
    assert run.findings["data.people.age.range"]["outcome"] == "pass"
    assert "pipeline.lock" not in run.findings
    plain.write("people.csv", "person,age\na,20\nb,300\n")
    run = plain.ci()
    assert run.code == 1
    assert run.failing == {"data.people.age.range"}


def test_its_policy_is_guarded_as_well(plain):
    plain.write("people.csv", "person,age\na,20\nb,300\n")
    plain.write("params.yaml", DATA_ONLY.replace("120", "1200"))
    run = plain.ci()
    assert run.code == 1
    assert "policy.data.people.age.range" in run.failing


def test_a_table_that_dvc_keeps_is_pulled_to_be_checked(plain, tmp_path):
    dvc_init(plain, str(tmp_path / "store"))
    plain.git("rm", "-q", "--cached", "people.csv")
    plain.write("people.csv", "person,age\na,21\n")
    plain.dvc("add", "people.csv")
    plain.dvc("push")
    plain.commit()
    clone = Clone(tmp_path / "ci")
    plain.git("clone", "-q", ".", str(clone.root))
    run = clone.ci("--base", "origin/main")
    assert run.code == 0, run.err
    assert run.pulled == {"people.csv"}
    assert run.findings["data.people.age.range"]["outcome"] == "pass"


def test_outside_of_a_repository_there_is_nothing_to_compare_with(tmp_path):
    clone = Clone(tmp_path)
    clone.write("params.yaml", DATA_ONLY)
    clone.write("people.csv", "person,age\na,20\n")
    run = clone.ci()
    assert run.code == 0, run.err
    assert run.findings["data.people.age.range"]["outcome"] == "pass"


def test_a_policy_that_promises_nothing_does_not_pass(plain):
    plain.write("params.yaml", "mlci: {}\n")
    assert plain.ci().failing == {"policy.loosened"}
    plain.commit()
    run = plain.ci("--base", "HEAD")
    assert run.code == 0
    plain.git("push", "-q", ".", "HEAD:main")
    plain.write("params.yaml", "mlci: {waivers: []}\n")
    run = plain.ci()
    assert run.code == 1
    assert run.verdict["headline"].startswith("Blocked: nothing was checked")


@pytest.fixture
def mono(tmp_path):
    """Two projects and a shared script; the second one reads an output of the first."""
    clone = Clone(tmp_path / "mono")
    clone.root.mkdir()
    set_up(clone)
    dvc_init(clone, str(tmp_path / "store"))
    clone.write(".gitignore", "reports/\n.cache/\n")
    for name in ("people", "teams/churn"):
        for file, text in FILES.items():
            clone.write(f"{name}/{file}", text)
        clone.write(f"{name}/raw.csv", "person,age,ill\n" + "".join(f"p{i},40,{i % 3 == 0}\n" for i in range(400)))
    clone.replace("people/dvc.yaml", "deps: [raw.csv, split.py]", "deps: [raw.csv, split.py, ../shared.py]")
    clone.replace("teams/churn/dvc.yaml", "train.csv, train.py]", "train.csv, train.py, ../../people/train.csv]")
    clone.write("shared.py", "")
    clone.write("other/params.yaml", "no: policy\n")
    for name in ("people", "teams/churn"):
        clone.repro(name)
    clone.commit()
    clone.dvc("push")
    clone.git("checkout", "-qb", "change")
    return clone


def results(run) -> dict:
    return {result["project"]: result for result in json.loads(run.out)}


def judged(run) -> dict[str, list[str]]:
    """Stages that ran by project; None where nothing of the pipeline changed."""
    found = {}
    for name, result in results(run).items():
        checks = [finding["check"] for finding in result["report"]["verdict"]["findings"]]
        stages = [stage["what"] for stage in result["report"]["timing"]["stages"]]
        found[name] = None if checks == ["pipeline.unchanged"] else stages
    return found


def test_projects_are_found_and_judged_by_what_changed_of_each(mono):
    mono.replace("teams/churn/params.yaml", "noise: 10", "noise: 9")
    run = mono.ci()
    assert run.code == 1
    assert judged(run) == {"people": None, "teams/churn": ["train", "predict"]}
    assert results(run)["people"]["exit_code"] == 0
    found = results(run)["teams/churn"]["report"]["verdict"]["findings"][0]
    assert found["check"] == "pipeline.lock"
    assert found["place"]["file"] == "dvc.lock"
    for name in ("people", "teams/churn"):
        assert (mono.root / name / "reports/report.html").is_file()
    assert not (mono.root / "reports").exists()


def test_a_dependency_outside_of_a_project_counts(mono):
    mono.write("shared.py", "# words\n")
    assert judged(mono.ci()) == {"people": ["split"], "teams/churn": []}
    mono.write("README.md", "words")
    mono.git("checkout", "-q", "shared.py", "people")
    assert judged(mono.ci()) == {"people": None, "teams/churn": None}


def test_what_a_project_reads_of_another_one_counts(mono):
    mono.replace("people/split.py", "rows[1::2]", "rows[1::3]")
    run = mono.ci()
    assert judged(run)["people"] == ["split", "train"]
    assert judged(run)["teams/churn"] == ["train"]


def test_chosen_projects_are_run_alone(mono):
    mono.write("shared.py", "# words\n")
    run = mono.ci("--project", "people")
    assert run.ran == ["split"]
    assert not (mono.root / "teams/churn/reports").exists()
    assert judged(mono.ci("-C", "people", "-C", "teams/churn")) == {"people": [], "teams/churn": []}


def test_reports_are_collected_for_one_artefact(mono, tmp_path):
    out = tmp_path / "artefact"
    (out / "people").mkdir(parents=True)
    (out / "people/report.html").write_text("old")
    mono.write("README.md", "words")
    assert mono.ci("--out", str(out)).code == 0
    assert json.loads((out / "index.json").read_text()) == {"people": "people", "teams-churn": "teams/churn"}
    for slug, name in json.loads((out / "index.json").read_text()).items():
        for file in ("report.json", "verdict.json", "report.html", "report.md", "junit.xml", "results.sarif"):
            assert (out / slug / file).read_bytes() == (mono.root / name / "reports" / file).read_bytes()


def test_one_project_that_is_wrong_does_not_keep_the_others_from_their_verdict(mono, tmp_path):
    mono.write("people/params.yaml", "mlci: {gates: 1}\n")
    mono.replace("teams/churn/params.yaml", "noise: 10", "noise: 9")
    run = mono.ci("--out", str(tmp_path / "artefact"))
    assert run.code == 2
    assert results(run)["people"]["error"].startswith("params.yaml:1: unknown key `mlci.gates`")
    assert judged(run)["teams/churn"] == ["train", "predict"]
    crashed = json.loads((tmp_path / "artefact/people/report.json").read_text())
    assert crashed["verdict"]["findings"][0]["check"] == "pipeline.crashed"
    assert "people: params.yaml:1" in run.err


def test_a_repository_without_a_project_says_so(tmp_path):
    clone = Clone(tmp_path)
    set_up(clone)
    clone.write("params.yaml.txt", "")
    run = clone.ci()
    assert run.code == 2
    assert "--project DIR" in run.err


def test_slugs_are_names_for_folders_and_no_two_are_the_same():
    made = slugs([".", "a/b", "a-b", "A b", "../../é;rm -rf"])
    assert list(made.values()) == [".", "a/b", "a-b", "A b", "../../é;rm -rf"]
    assert list(made) == ["root", "a-b", "a-b-2", "a-b-3", "rm-rf"]
