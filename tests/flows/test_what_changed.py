"""`mlci ci --what`: what of the pipeline changed, told without running or loading anything of the project."""

import subprocess
import sys

import pytest

DVC = "stages: {train: {cmd: python train.py, deps: [train.py], outs: [model.json]}}\n"


@pytest.fixture
def changed(project):
    """What changed on a branch, after an edit of a file."""
    (project.root / "dvc.yaml").write_text(DVC)
    (project.root / "train.py").write_text("pass\n")
    (project.root / "README.md").write_text("# People\n")
    project.commit("First")
    project.git("switch", "-qc", "change")

    def edit(path, old, new):
        text = (project.root / path).read_text()
        assert old in text
        (project.root / path).write_text(text.replace(old, new))
        project.commit()
        told = project.mlci("ci", "--what")
        assert told.returncode == 0, told.stderr
        return told.stdout.splitlines()

    return edit


def test_words_are_no_part_of_the_pipeline(changed):
    assert changed("README.md", "People", "All people") == []


def test_a_dependency_is(changed):
    assert changed("train.py", "pass", "print()") == ["dependency train.py"]


def test_the_policy_is(changed):
    assert changed("params.yaml", "drop: 0.01", "drop: 0.02") == ["policy"]


@pytest.mark.parametrize(
    "file", ["requirements.txt", "requirements/dev.txt", "uv.lock", "poetry.lock", "environment.yml", ".python-version"]
)
def test_what_is_installed_is(project, changed, file):
    (project.root / file).parent.mkdir(exist_ok=True)
    (project.root / file).write_text("scikit-learn==1.5\n")
    project.commit()
    assert changed(file, "1.5", "1.6") == [f"environment {file}"]


def test_of_pyproject_only_what_is_installed_is(project, changed):
    project.git("switch", "-q", "main")
    (project.root / "pyproject.toml").write_text("[project]\ndependencies = ['a>=1']\n[tool.ruff]\nline-length = 99\n")
    project.commit()
    project.git("switch", "-qC", "change")
    assert changed("pyproject.toml", "99", "120") == []
    assert changed("pyproject.toml", "a>=1", "a>=2") == ["environment pyproject.toml"]


def test_what_a_stage_depends_on_is_told_as_such(project, changed):
    (project.root / "dvc.yaml").write_text(DVC.replace("deps: [", "deps: [uv.lock, "))
    (project.root / "uv.lock").write_text("a==1\n")
    project.git("switch", "-q", "main", "--merge")
    project.commit()
    project.git("switch", "-qC", "change")
    assert changed("uv.lock", "a==1", "a==2") == ["dependency uv.lock"]


def test_nothing_is_written(project, changed):
    changed("train.py", "pass", "print()")
    assert not (project.root / "reports").exists()


def test_no_project_is_a_wrong_call(project):
    (project.root / "params.yaml").unlink()
    assert project.mlci("ci", "--what").returncode == 2


def test_it_needs_none_of_the_projects_packages():
    heavy = ("dvc", "onnx", "onnxruntime", "pandas", "pyarrow", "skl2onnx", "sklearn", "vl_convert")
    code = f"import sys, mlci.flows.projects; print(sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
