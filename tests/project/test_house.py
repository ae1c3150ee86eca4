"""The house's own files: pins without addresses, a pipeline that fits its scripts."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from mlci.__main__ import _EXTRAS

REPOSITORY = Path(__file__).parents[2]
PINS = sorted((REPOSITORY / "requirements").glob("*.txt"))


@pytest.mark.parametrize("file", PINS, ids=lambda file: file.name)
def test_every_requirement_is_pinned_by_hash_without_an_address(file):
    text = file.read_text()
    assert not re.search(r"https?:|file:|^--|^-[efi]", text, re.MULTILINE)
    requirements = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert requirements
    for line in requirements:
        assert re.match(r"[a-z0-9.-]+==\S+( ; .+)? \\$", line), line
    assert text.count("--hash=sha256:") >= len(requirements)


def test_pipeline_has_the_stages_of_the_plan():
    stages = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
    assert list(stages) == ["ingest", "check", "split", "check-split", "train", "export", "predict", "seeds", "test"]


def test_scripts_of_the_project_do_not_know_mlci():
    for script in [*(REPOSITORY / "data").glob("*.py"), *(REPOSITORY / "models").glob("*.py")]:
        assert "mlci" not in script.read_text()


def test_parameters_that_the_pipeline_names_exist():
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    for stage in yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"].values():
        for path in stage.get("params", []):
            value = params
            for key in path.split("."):
                value = value[key]


def test_make_lists_its_targets():
    listed = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "test-fast", "lint", "format", "lock", "bench", "clean"):
        assert f"make {target} " in listed


def test_commands_are_listed_without_loading_what_they_need():
    code = """import sys, mlci.cli.app
heavy = {"pydantic", "numpy", "scipy", "duckdb", "git", "jinja2", "yaml", "pandas", "onnxruntime", "dvc", "github"}
print(*sorted(heavy & set(sys.modules)))"""
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(("package", "extra"), [("pyarrow", "model"), ("msgspec", "serve"), ("dvc", "dvc")])
def test_a_package_that_is_not_installed_is_named_with_its_extra(package, extra):
    code = f"""import sys, mlci.cli.app
from mlci.__main__ import main
def fail(): raise ModuleNotFoundError("No module", name="{package}.part")
mlci.cli.app.app = fail
main()"""
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == f'mlci: this needs {package}, which is not installed\n  mend: `pip install "mlci[{extra}]"`\n'


def test_git_that_is_not_on_the_path_is_named(tmp_path):
    code = "from mlci.__main__ import main; main()"
    command = [sys.executable, "-c", code, "status"]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)}
    )
    assert (done.returncode, done.stderr.splitlines()[0]) == (3, "mlci: Git is not on the path")


def test_every_extra_is_one_that_the_project_has():
    known = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(_EXTRAS.values()) <= set(known)


def test_no_two_test_modules_have_one_name():
    names = [file.name for file in (REPOSITORY / "tests").rglob("*.py") if file.name != "conftest.py"]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("command", [("--help",), ("data", "--help")])
def test_output_that_does_not_fit_is_told(command):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mlci", *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    said = "mlci: the output can't be written: No space left on device"
    assert (done.returncode, done.stderr.splitlines()[0]) == (3, said)
