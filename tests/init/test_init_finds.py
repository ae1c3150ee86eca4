"""What `mlci init` finds by itself: tables, models, columns, tasks, and what can be run."""

import json
import shutil

import pytest
import yaml

from mlci.edges.installed import action_of
from mlci.errors import WorldError
from mlci.flows.init.find import find_files, likely_id, likely_label, likely_positive, likely_task, look

LABELS = {
    "yes and no": ("yn", ["yes", "no"], "binary", "yes"),
    "ones and zeros": ("bit", ["0", "1"], "binary", ""),
    "ones and twos": ("bit", ["1", "2"], "binary", "2"),
    "truths": ("flag", ["true", "false"], "binary", ""),
    "two texts": ("side", ["left", "right"], "binary", None),
    "three texts": ("kind", ["a", "b", "c"], "multiclass", None),
    "few numbers": ("stars", ["1", "2", "3", "4", "5"], "multiclass", None),
    "amounts": ("price", [f"{i}.25" for i in range(50)], "regression", None),
}


@pytest.mark.parametrize(("name", "values", "task", "positive"), LABELS.values(), ids=LABELS)
def test_the_task_follows_from_the_labels_values(tmp_path, name, values, task, positive):
    # Quoted words are texts; bare `yes` is a truth to some readers.
    rows = "".join(f"k{number},{values[number % len(values)]}\n" for number in range(200))
    (tmp_path / "t.csv").write_text(f"key,{name}\n{rows}")
    column = look(tmp_path, "t.csv").columns[name]
    assert likely_task(column) == task
    if task == "binary":
        assert likely_positive(column) in ({positive, ""} if column.kind == "boolean" else {positive})


def table(folder, header, *rows):
    (folder / "t.csv").write_text("\n".join([header, *rows, ""]))
    return look(folder, "t.csv")


def test_columns_by_their_names_and_contents(tmp_path):
    rows = [f"{i % 7},u{i},{i % 2},{i}" for i in range(70)]
    found = table(tmp_path, "group_id,user,target,order_no", *rows)
    assert likely_id(found) == "order_no"
    assert likely_label(found, "order_no") == "target"
    assert likely_label(table(tmp_path, "user,price", "a,1", "b,2"), "user") is None
    assert likely_id(table(tmp_path, "user,price", "a,1", "a,1")) is None


def test_a_table_without_rows_teaches_nothing(tmp_path):
    with pytest.raises(WorldError, match="no rows"):
        table(tmp_path, "id,label")


def test_files_by_their_names(tmp_path):
    names = ["data/raw.parquet", "data/test.csv", "data/train.csv", "data/latest.csv", "out/predictions.csv"]
    names += ["models/m.pkl", "models/m.onnx", ".venv/lib/x.csv", "reports/old.csv", "README.md"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "dvc.yaml").write_text("stages:\n  p:\n    cmd: x\n    outs:\n    - models/preds.parquet\n")
    found = find_files(tmp_path)
    assert found.tables == ("data/latest.csv", "data/raw.parquet", "data/test.csv", "data/train.csv")
    assert (found.test, found.train) == (("data/test.csv",), ("data/train.csv",))
    assert found.predictions == ("out/predictions.csv", "models/preds.parquet")
    assert found.models == ("models/m.onnx", "models/m.pkl")
    assert not found.empty


@pytest.mark.parametrize("names", [[], ["README.md"], ["README.md", "LICENSE", ".gitignore"]])
def test_a_readme_and_a_licence_are_no_project(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()
    assert find_files(tmp_path).empty


def test_a_readme_stays_beside_the_example(place):
    place.write("README.md", "# Mine\n")
    place.init("--yes", "--forge", "none")
    assert place.read("README.md") == "# Mine\n"
    assert not (place.folder / ".github").exists()


def test_an_onnx_model_gets_a_stage_that_writes_its_predictions(place, tmp_path_factory):
    made = type(place)(tmp_path_factory.mktemp("made"), place.folder.parent / "home")
    made.init("--yes", "--commit")
    place.git("init", "--quiet", "--initial-branch", "main")
    for path in ("data/test.csv", "data/train.csv", "models/model.onnx"):
        (place.folder / path).parent.mkdir(exist_ok=True)
        shutil.copy(made.folder / path, place.folder / path)
    place.commit()
    place.init("--yes", "--label", "bought")
    stages = yaml.safe_load(place.read("dvc.yaml"))["stages"]
    assert stages["predict"]["cmd"] == ("mlci score models/model.onnx data/test.csv --out models/predictions.parquet")
    policy = yaml.safe_load(place.read("params.yaml"))["mlci"]
    assert list(policy["data"]) == ["train", "test"]
    assert set(policy["gate"]["metrics"]) == {"roc_auc", "accuracy"}
    place.must("dvc", "repro", "--quiet")
    place.commit()
    found = json.loads(place.mlci("doctor", "--offline", "--json").stdout)
    assert [check["says"] for check in found["checks"] if check["standing"] == "failure"] == []
    judged = place.mlci("ci", "--json")
    assert judged.returncode == 0, judged.stderr
    files = place.files()
    place.init("--yes")
    assert place.files() == files


def test_tables_that_git_leaves_out_are_for_dvc(repository):
    repository.write(".gitignore", "*.csv\n")
    repository.git("rm", "--quiet", "--cached", "data/people.csv")
    repository.commit()
    done = repository.init("--yes", "--label", "bought")
    assert "next:\n  dvc add data/people.csv\n  dvc repro\n" in done.stdout
    repository.must("dvc", "add", "--quiet", "data/people.csv")
    repository.must("dvc", "repro", "--quiet")
    repository.commit()
    found = json.loads(repository.mlci("doctor", "--offline", "--json").stdout)
    failing = {check["check"] for check in found["checks"] if check["standing"] == "failure"}
    # A remote and who writes the predictions are for a person to decide.
    assert failing == {"storage.remote", "model.files"}


@pytest.mark.parametrize(
    ("origin", "action"),
    [
        ({"url": "https://github.com/acme/mlci", "vcs_info": {"commit_id": "1a" * 20}}, f"acme/mlci@{'1a' * 20}"),
        (
            {
                "url": "ssh://git@github.com/acme/mlci.git",
                "vcs_info": {"commit_id": "1a" * 20, "requested_revision": "v1"},
            },
            f"acme/mlci@{'1a' * 20} # v1",
        ),
        ({"url": "https://github.com/acme/mlci", "vcs_info": {"commit_id": "main"}}, ""),
        ({"url": "https://example.org/acme/mlci", "vcs_info": {"commit_id": "1a" * 20}}, ""),
        ({"url": "file:///src/mlci", "dir_info": {"editable": True}}, ""),
        (["none"], ""),
        (None, ""),
    ],
)
def test_what_was_installed_from_a_commit_is_used_at_that_commit(origin, action):
    assert action_of(json.dumps(origin) if origin is not None else "") == action
