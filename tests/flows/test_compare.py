"""`mlci compare` on real repositories: which baseline, which rows, which outcome, which words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlci.edges import prediction_join
from mlci.edges.policy_file import load_policy
from mlci.edges.row_digests import write_row_digests
from mlci.flows import compare

if TYPE_CHECKING:
    from conftest import People, Project


def verdict(project: Project) -> dict[str, Any]:
    return json.loads((project.root / "reports/verdict.json").read_text())


def finding(project: Project, check: str) -> dict[str, Any]:
    return next(item for item in verdict(project)["findings"] if item["check"] == check)


def release(project: Project, people: People, share: float = 0.1, seed: int = 2) -> np.ndarray[Any, Any]:
    """Commit the predictions of a model that is wrong on this share of the rows."""
    wrong = people.wrong(share, seed)
    project.write("predictions.parquet", **people.answers(wrong))
    project.commit("A model")
    return wrong


def test_a_repository_without_commits_is_a_first_run(project: Project, people: People):
    project.write("predictions.parquet", **people.answers(people.wrong(0.1)))
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert "First run" in run.stdout
    assert verdict(project)["comparisons"][0]["status"] == "first_run"


def test_predictions_in_parts_are_refused_with_the_mend(project: Project, people: People):
    (project.root / "predictions.parquet").mkdir()
    project.write("predictions.parquet/part-0.parquet", **people.answers(people.wrong(0.1)))
    run = project.mlci("compare")
    assert run.returncode == 3, run.stdout
    assert "predictions.parquet is not one file" in run.stderr
    assert "COPY (FROM" in run.stderr


def test_outside_of_git_it_is_a_first_run_too(project: Project, people: People):
    project.write("predictions.parquet", **people.answers(people.wrong(0.1)))
    (project.root / ".git").rename(project.root / "not-git")
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert "First run" in run.stdout


def test_the_same_model_is_nothing_to_compare(project: Project, people: People):
    release(project, people)
    project.git("checkout", "-qb", "docs")
    (project.root / "notes.txt").write_text("more words\n")
    project.commit("Words")
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert verdict(project)["comparisons"][0]["status"] == "unchanged"
    assert "did not change" in run.stdout


def test_the_same_model_with_another_threshold_is_compared(project: Project, people: People):
    (project.root / "models").mkdir()
    (project.root / "models/model.onnx").write_text("the model")
    wrong = release(project, people)
    project.git("checkout", "-qb", "cut-higher")
    answers = people.answers(wrong)
    project.write("predictions.parquet", **answers | {"prediction": answers["score"] > 0.9})
    project.commit("Cut higher")
    run = project.mlci("compare")
    assert run.returncode == 1, run.stdout
    (comparison,) = verdict(project)["comparisons"]
    assert (comparison["status"], comparison["rows"]) == ("compared", 2000)
    assert comparison["reason"].startswith("The model is the same, and its answers differ")


def test_the_same_answers_in_another_file_are_nothing_to_compare(project: Project, people: People):
    (project.root / "models").mkdir()
    (project.root / "models/model.onnx").write_text("the model")
    wrong = release(project, people)
    project.git("checkout", "-qb", "order")
    project.write("predictions.parquet", **dict(reversed(people.answers(wrong).items())))
    project.commit("Columns in another order")
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert verdict(project)["comparisons"][0]["status"] == "unchanged"


def test_a_worse_model_is_blocked_with_check_number_and_line(project: Project, people: People):
    wrong = release(project, people)
    project.write("predictions.parquet", **people.answers(wrong ^ people.wrong(0.05, 5)))
    run = project.mlci("compare")
    assert run.returncode == 1
    assert "Blocked: accuracy, all rows" in run.stdout
    assert "params.yaml:7" in run.stdout
    blocked = finding(project, "gate.accuracy.drop")
    assert blocked["outcome"] == "fail"
    assert blocked["gate"]["lost"] == 111
    assert blocked["gate"]["gained"] == 10
    assert blocked["place"] == {"file": "params.yaml", "line": 7}


def test_an_equally_good_model_is_not_blocked(project: Project, people: People):
    release(project, people, seed=2)
    project.write("predictions.parquet", **people.answers(people.wrong(0.1, seed=3)))
    run = project.mlci("compare")
    assert run.returncode == 0, run.stdout
    assert verdict(project)["outcome"] in {"pass", "inconclusive"}


def test_a_pull_request_is_compared_with_its_merge_base(project: Project, people: People):
    wrong = release(project, people)
    base = project.git("rev-parse", "HEAD")
    project.git("checkout", "-qb", "better")
    project.write("predictions.parquet", **people.answers(wrong & people.wrong(0.5, 7)))
    project.commit("A better model")
    project.git("checkout", "-q", "main")
    release(project, people, 0.4, 8)
    project.git("checkout", "-q", "better")
    run = project.mlci("compare")
    assert run.returncode == 0, run.stdout
    comparison = verdict(project)["comparisons"][0]
    assert comparison["baseline"] == "merge-base"
    assert comparison["commit"] == base
    assert finding(project, "gate.accuracy.drop")["outcome"] == "pass"


def test_on_main_it_is_compared_with_the_version_before(project: Project, people: People):
    wrong = release(project, people)
    first = project.git("rev-parse", "HEAD")
    project.write("predictions.parquet", **people.answers(wrong & people.wrong(0.5, 7)))
    project.commit("A better model")
    (project.root / "notes.txt").write_text("more words\n")
    project.commit("Words")
    assert project.mlci("compare").returncode == 0
    comparison = verdict(project)["comparisons"][0]
    assert (comparison["baseline"], comparison["commit"]) == ("previous", first)


def test_the_last_release_is_a_baseline_too(project: Project, people: People):
    wrong = release(project, people, 0.05)
    released = project.git("rev-parse", "HEAD")
    project.git("tag", "people@v1.0.0")
    worse = wrong ^ people.wrong(0.02, 5)
    project.write("predictions.parquet", **people.answers(worse))
    project.commit("A little worse")
    project.git("checkout", "-qb", "again")
    project.write("predictions.parquet", **people.answers(worse ^ people.wrong(0.02, 6)))
    project.commit("A little worse again")
    run = project.mlci("compare")
    assert run.returncode == 1
    found = {item["baseline"]: item["commit"] for item in verdict(project)["comparisons"]}
    assert found["release"] == released
    assert found["merge-base"] != released
    assert finding(project, "gate.accuracy.drop@release")["outcome"] == "fail"


def test_any_revision_can_be_asked_for(project: Project, people: People):
    release(project, people)
    first = project.git("rev-parse", "HEAD")
    release(project, people, 0.1, 11)
    release(project, people, 0.1, 12)
    assert project.mlci("compare", "--baseline", first[:8]).returncode == 0
    assert verdict(project)["comparisons"][0]["commit"] == first
    run = project.mlci("compare", "--baseline", "no-such-thing")
    assert run.returncode == 2
    assert "no revision 'no-such-thing'" in run.stderr


def test_rows_that_a_model_was_trained_on_are_left_out(project: Project, people: People):
    write_row_digests(people.person[:300], project.root / "models/trained_on.parquet")
    wrong = release(project, people)
    write_row_digests(people.person[200:500], project.root / "models/trained_on.parquet")
    project.write("predictions.parquet", **people.answers(wrong & people.wrong(0.5, 7)))
    assert project.mlci("compare").returncode == 0
    comparison = verdict(project)["comparisons"][0]
    assert comparison["leaked"] == 500
    assert comparison["rows"] == 1_500
    assert "300 of the 2,000 test rows" in finding(project, "gate.leakage")["message"]


def test_common_rows_are_compared_where_no_old_model_can_answer_the_others(project: Project, people: People):
    wrong = people.wrong(0.1)
    answers = {name: values[:1_200] for name, values in people.answers(wrong).items()}
    project.write("predictions.parquet", **answers)
    project.commit("A model of fewer rows")
    project.write("predictions.parquet", **people.answers(wrong & people.wrong(0.5, 7)))
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    comparison = verdict(project)["comparisons"][0]
    assert comparison["rows"] == 1_200
    assert "1,200 of 2,000 test rows" in comparison["reason"]


def test_no_common_row_is_not_comparable_and_blocks_what_is_critical(project: Project, people: People):
    answers = people.answers(people.wrong(0.1))
    answers["person"] = np.array([f"q{i}" for i in range(people.n)])
    project.write("predictions.parquet", **answers)
    project.commit("A model of other people")
    project.write("predictions.parquet", **people.answers(people.wrong(0.1)))
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert "Not comparable" in run.stdout
    assert verdict(project)["comparisons"][0]["status"] == "not_comparable"
    policy = (project.root / "params.yaml").read_text()
    (project.root / "params.yaml").write_text(policy.replace("{drop: 0.01}", "{drop: 0.01, critical: true}"))
    assert project.mlci("compare").returncode == 1


def test_the_same_files_give_the_same_bytes(project: Project, people: People):
    wrong = release(project, people)
    project.write("predictions.parquet", **people.answers(wrong ^ people.wrong(0.03, 5)))
    project.mlci("compare")
    first = (project.root / "reports/verdict.json").read_bytes(), (project.root / "reports/report.json").read_bytes()
    order = np.random.default_rng(0).permutation(people.n)
    shuffled = {name: values[order] for name, values in people.answers(wrong ^ people.wrong(0.03, 5)).items()}
    project.mlci("compare")
    assert first == (
        (project.root / "reports/verdict.json").read_bytes(),
        (project.root / "reports/report.json").read_bytes(),
    )
    project.write("predictions.parquet", **shuffled)
    project.mlci("compare")
    again = verdict(project)
    assert again["findings"] == json.loads(first[0])["findings"]


def test_csv_and_numbers_work_as_well(project: Project, people: People):
    policy = (project.root / "params.yaml").read_text()
    policy = policy.replace("predictions.parquet", "predictions.csv").replace("test.parquet", "test.csv")
    (project.root / "params.yaml").write_text(policy)
    project.write("test.csv", person=people.person, age=people.age, ill=people.ill.astype(int))
    answers = people.answers(people.wrong(0.1))
    answers["ill"] = answers["ill"].astype(int)
    answers["prediction"] = answers["prediction"].astype(int)
    project.write("predictions.csv", **answers)
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr


def broken(people: People, **changes: Any) -> dict[str, Any]:
    return {**people.answers(people.wrong(0.1)), **changes}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("nan", "values of `score` are missing, NaN or outside [0, 1]"),
        ("infinite", "values of `score` are missing, NaN or outside [0, 1]"),
        ("above", "values of `score` are missing, NaN or outside [0, 1]"),
        ("twice", "2,000 rows have only 1,999 ids; `person` = 'p000001' comes twice"),
        ("lacking", "has no prediction for 1,000 of the 2,000 rows"),
        ("no id", "has no column `person`"),
        ("no label", "has no column `ill`"),
        ("no answer", "has no column `prediction` and no column `score`"),
        ("words", "labels are neither true/false nor 0/1"),
        ("empty", "has no rows"),
        ("truncated", "predictions.parquet can't be read"),
        ("nothing", "is an empty file"),
        ("absent", "predictions.parquet does not exist"),
    ],
)
def test_predictions_that_cannot_be_judged_are_refused_in_one_message(
    project: Project, people: People, change: str, told: str
):
    answers = people.answers(people.wrong(0.1))
    score = answers["score"].copy()
    score[7] = {"nan": np.nan, "infinite": np.inf, "above": 1.5}.get(change, score[7])
    answers["score"] = score
    if change == "twice":
        answers["person"] = np.where(answers["person"] == "p000002", "p000001", answers["person"])
    if change in {"lacking", "empty"}:
        kept = {"lacking": 1_000, "empty": 0}[change]
        answers = {name: values[:kept] for name, values in answers.items()}
    for name in {"no id": ["person"], "no label": ["ill"], "no answer": ["prediction", "score"]}.get(change, []):
        del answers[name]
    if change == "words":
        answers["ill"] = np.where(answers["ill"], "ill", "well")
    path = project.write("predictions.parquet", **answers)
    if change == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    if change == "nothing":
        path.write_bytes(b"")
    if change == "absent":
        path.unlink()
    run = project.mlci("compare")
    assert run.returncode == 3, run.stdout
    assert told in run.stderr
    assert "mend:" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (project.root / "reports/verdict.json").exists()


def test_one_class_only_is_judged_where_that_makes_sense(project: Project, people: People):
    policy = (project.root / "params.yaml").read_text()
    (project.root / "params.yaml").write_text(
        policy.replace("{drop: 0.01}", "{drop: 0.01}\n      roc_auc: {drop: 0.01}")
    )
    people.ill[:] = False
    project.write("test.parquet", person=people.person, age=people.age, ill=people.ill)
    wrong = release(project, people)
    project.write("predictions.parquet", **people.answers(wrong & people.wrong(0.5, 7)))
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    assert finding(project, "gate.roc_auc.drop")["outcome"] == "too_small"
    assert finding(project, "gate.accuracy.drop")["outcome"] == "pass"


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ('"age > 50"', '"aeg > 50"', 2, "params.yaml:9: `aeg > 50` does not fit test.parquet"),
        ('"age > 50"', '"age >"', 2, "params.yaml:9: `age >` is no SQL condition"),
        ('"age > 50"', '"age > 500"', 2, "params.yaml:9: no test row that can be judged is in the slice `over 50s`"),
        ('"age > 50"', """"age = 51 AND person < 'p000500'\"""", 0, "too small to tell"),
        ("test: test.parquet", "test: tset.parquet", 3, "tset.parquet does not exist"),
        ("label: ill", "label: sick", 3, "has no column `sick`"),
    ],
)
def test_policies_that_do_not_fit_the_tables(
    project: Project, people: People, old: str, new: str, code: int, told: str
):
    release(project, people)
    policy = (project.root / "params.yaml").read_text()
    assert old in policy
    (project.root / "params.yaml").write_text(policy.replace(old, new))
    run = project.mlci("compare")
    assert run.returncode == code, run.stdout + run.stderr
    assert told in run.stdout + run.stderr


def test_history_that_cannot_be_read(project: Project, people: People, tmp_path: Any):
    release(project, people)
    project.git("checkout", "-qb", "change")
    release(project, people, 0.1, 7)
    shallow = type(project)(tmp_path / "shallow")
    project.git("clone", "-q", "--depth", "1", f"file://{project.root}", str(shallow.root))
    run = shallow.mlci("compare")
    assert run.returncode == 3
    assert "too shallow" in run.stderr
    assert "git fetch --unshallow" in run.stderr
    project.git("checkout", "-q", "--orphan", "unrelated")
    project.commit("Another root")
    run = project.mlci("compare")
    assert run.returncode == 3
    assert "share no commit" in run.stderr
    project.git("checkout", "-q", "--detach", "change")
    assert project.mlci("compare").returncode in {0, 1}


def test_a_read_only_folder_is_said(project: Project, people: People):
    release(project, people)
    (project.root / "reports").write_text("in the way")
    run = project.mlci("compare")
    assert run.returncode == 3
    assert "was not written" in run.stderr


def test_a_candidate_brings_no_labels_of_its_own(project: Project, people: People):
    table = {"person": people.person, "age": people.age, "ill": people.ill}
    project.write("test.parquet", **table)
    wrong = people.wrong(0.1)
    project.write("predictions.parquet", **people.answers(wrong))
    project.commit("A model")
    flattering = people.answers(wrong ^ people.wrong(0.05, 5))
    project.write("predictions.parquet", **flattering | {"ill": flattering["prediction"]})
    run = project.mlci("compare")
    assert run.returncode == 3
    told = int(np.count_nonzero(flattering["prediction"] != people.ill))
    assert f"predictions.parquet: {told:,} of 2,000 labels are not those of test.parquet, such as that of" in run.stderr
    unknown = np.where(flattering["prediction"] == people.ill, people.ill.astype(object), None)
    project.write("predictions.parquet", **flattering | {"ill": unknown.astype("O")})
    assert f"{told:,} of 2,000 labels" in project.mlci("compare").stderr


def test_other_labels_and_fewer_rows_are_told(project: Project, people: People):
    wrong = people.wrong(0.1)
    project.write("predictions.parquet", **people.answers(wrong))
    project.commit("A model")
    people.ill[:7] ^= True
    kept = np.arange(people.n) % 4 > 0
    project.write("test.parquet", person=people.person[kept], age=people.age[kept], ill=people.ill[kept])
    answers = people.answers(wrong ^ people.wrong(0.01, 5))
    project.write("predictions.parquet", **{name: values[kept] for name, values in answers.items()})
    run = project.mlci("compare", "--json")
    told = json.loads(run.stdout)["verdict"]["comparisons"][0]["reason"]
    assert told == (
        "The labels of 5 rows are not those that it was judged by; "
        "500 rows of those that it was judged by are no test rows any more."
    )


def test_labels_of_another_type_are_the_same_labels(project: Project):
    ids, classes = np.arange(400), np.arange(400) % 3
    project.policy = "mlci:\n  model: {name: m, label: y, id: i, task: multiclass}\n  gate:\n    test: test.parquet\n"
    gate = "    predictions: predictions.parquet\n    metrics: {accuracy: {floor: 0.9}}\n"
    (project.root / "params.yaml").write_text(project.policy + gate)
    project.write("test.parquet", i=ids, y=classes)
    project.write("predictions.parquet", i=ids, y=classes.astype(float), prediction=classes.astype(float))
    assert project.mlci("compare").returncode == 0
    (project.root / "params.yaml").write_text(
        (project.policy + gate)
        .replace("multiclass", "regression")
        .replace("accuracy: {floor: 0.9}", "mae: {ceiling: 1}")
    )
    project.write("test.parquet", i=ids, y=classes + 0.1)
    project.write("predictions.parquet", i=ids, y=(classes + 0.1).astype(np.float32), prediction=classes + 0.2)
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr


def test_many_rows_are_judged_with_progress(project: Project, people: People, monkeypatch: pytest.MonkeyPatch):
    release(project, people)
    project.write("predictions.parquet", **people.answers(people.wrong(0.1, 3)))
    monkeypatch.setattr(compare, "_MANY", 0)
    monkeypatch.setattr(prediction_join, "_A_ROW", 10**6)
    said: list[str] = []
    looked = compare.look(project.root, load_policy(project.root), say=said.append)
    parts = [line for line in said if line.startswith("joining predictions, part")]
    assert parts[0].startswith("joining predictions, part 1 of ")
    assert "judged" not in "".join(said)
    assert looked.asks()
    assert said[-1].startswith("judged ")
