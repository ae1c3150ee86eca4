"""Each thing that makes the loop fail is broken for real, and the doctor says which one it is and what mends it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

import jsonschema
import pytest
from doctor_repositories import Repository, build, dvc

from mlci.flows.doctor.patient import Patient
from mlci.flows.doctor.storage import remote
from mlci.flows.workflows import render_workflows
from mlci.nouns.workflows import WorkflowOptions
from mlci.render.schemas import schemas

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built")).parent


@pytest.fixture
def loop(built: Path, tmp_path: Path) -> Repository:
    """A copy of the loop that works, to break."""
    shutil.copytree(built, tmp_path / "loop", symlinks=True)
    return Repository(tmp_path / "loop/repository")


def diagnosis(repository: Repository, *options: str) -> list[dict]:
    run = repository.mlci("doctor", "--json", *options)
    assert run.returncode in {0, 1}, run.stderr
    found = json.loads(run.stdout)
    assert found["failed"] == (run.returncode == 1)
    return found["checks"]


def worse(repository: Repository, *options: str) -> list[str]:
    """What is not fine, as `standing check: place: says → mend`."""
    return [
        f"{check['standing']} {check['check']}: {_at(check)}{check['says']} \N{RIGHTWARDS ARROW} {check['mend']}"
        for check in diagnosis(repository, *options)
        if check["standing"] not in {"fine", "not_asked"}
    ]


def _at(check: dict) -> str:
    return f"{check['place']['file']}:{check['place']['line']}: " if check["place"] else ""


def test_nothing_is_wrong_with_a_loop_that_works(loop):
    run = loop.mlci("doctor", "--json")
    found = json.loads(run.stdout)
    jsonschema.validate(found, json.loads(schemas()["diagnosis.schema.json"]))
    assert worse(loop) == []
    assert run.returncode == 0
    assert {check["check"] for check in found["checks"]} >= {"git.merge-base", "storage.remote", "workflows.check"}
    shown = loop.mlci("doctor")
    assert shown.stdout.splitlines()[-1].startswith("\N{CHECK MARK} people: nothing would make the loop fail")


def edit(name: str, old: str, new: str) -> Callable[[Repository], None]:
    def change(loop: Repository) -> None:
        text = (loop.root / name).read_text()
        assert old in text
        (loop.root / name).write_text(text.replace(old, new))
        loop.git("add", "-A")

    return change


def remove(name: str) -> Callable[[Repository], None]:
    return lambda loop: (loop.root / name).unlink()


def add(name: str, text: str = "") -> Callable[[Repository], None]:
    def change(loop: Repository) -> None:
        loop.write(name, text)
        loop.git("add", "-f", name)

    return change


def conflict(loop: Repository) -> None:
    loop.git("checkout", "-qb", "other")
    loop.write("raw.csv", "person,age,ill\n")
    loop.commit()
    loop.git("checkout", "-q", "main")
    loop.write("raw.csv", "person,age,ill\nq,1,1\n")
    loop.commit()
    subprocess.run(["git", "merge", "-q", "other"], cwd=loop.root, check=False, capture_output=True)
    loop.git("checkout", "--ours", "raw.csv")


def orphan(loop: Repository) -> None:
    loop.git("checkout", "-q", "--orphan", "island")
    loop.commit()


def another_model(loop: Repository) -> None:
    """The branch has another model; that of `main` was kept by DVC, and is lost."""
    loop.git("rm", "-q", "--cached", "model.onnx")
    dvc(loop.root, "add", "-q", "model.onnx")
    loop.commit("DVC keeps the model")
    loop.git("push", "-q", "origin", "main")
    loop.git("checkout", "-qb", "better")
    (loop.root / "model.onnx").write_bytes(b"another one")
    dvc(loop.root, "add", "-q", "model.onnx")
    loop.commit("A better model")
    dvc(loop.root, "remote", "remove", "store")
    shutil.rmtree(loop.root / ".dvc/cache")


def twice(loop: Repository) -> None:
    loop.git("add", "-f", "people.csv")


CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
PR = ".github/workflows/pr.yml"
REPORT = ".github/workflows/report.yml"
TARGET = """\
on: pull_request_target
permissions: {contents: write}
jobs:
  label:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
        with: {ref: "${{ github.event.pull_request.head.sha }}"}
"""

BROKEN = {
    "unfinished": (conflict, "failure git.unfinished: a merge is not finished", "git merge --abort"),
    "detached": (lambda loop: loop.git("checkout", "-q", "--detach"), "warning git.commits: no branch", "git switch"),
    "unrelated": (orphan, "failure git.merge-base: HEAD and origin/HEAD share no commit", "mlci.gate.branch"),
    "branch": (
        edit("params.yaml", "  gate:\n", "  gate:\n    branch: trunk\n"),
        "failure git.merge-base: the branch 'trunk' is not in this repository",
        "git fetch origin trunk",
    ),
    "no Git remote": (
        lambda loop: loop.git("remote", "remove", "origin"),
        "warning git.remote: no Git",
        "git remote add",
    ),
    "policy": (
        edit("params.yaml", "    metrics:", "    metric:"),
        "failure policy.schema: params.yaml:11: unknown key `mlci.gate.metric`; did you mean `metrics`?",
        "docs/reference/policy.md",
    ),
    "no policy": (remove("params.yaml"), "failure policy.schema: params.yaml is not there", "write it"),
    "no gate": (
        lambda loop: loop.write("params.yaml", "mlci: {model: {name: m, label: ill, id: person}}\n"),
        "failure policy.gate: the policy has no `gate`",
        "write `mlci.gate`",
    ),
    "no metric": (
        edit("params.yaml", "    metrics:\n      accuracy: {drop: 0.01}\n", ""),
        "warning policy.gate: params.yaml:8: the gate promises no metric",
        "mlci.gate.metrics",
    ),
    "no pipeline": (remove("dvc.yaml"), "failure pipeline.stages: there is no dvc.yaml", "dvc stage add"),
    "broken pipeline": (
        edit("dvc.yaml", "stages:", "stages: ["),
        "failure pipeline.stages: dvc.yaml:3: no valid YAML",
        "mend the indentation",
    ),
    "strange pipeline": (
        edit("dvc.yaml", "cmd: cp", "command: cp"),
        "failure pipeline.lock: DVC cannot read the pipeline",
        "dvc status",
    ),
    "unchecked": (
        edit("dvc.yaml", " || mlci data check people", ""),
        "warning pipeline.checks: no stage runs `mlci data check`",
        "add a stage",
    ),
    "never reproduced": (remove("dvc.lock"), "failure pipeline.lock: there is no dvc.lock", "`dvc repro`"),
    "stale code": (
        edit("raw.csv", "p1,", "p100,"),
        "failure pipeline.lock: dvc.yaml:2: the lock is stale: stage `features`: deps raw.csv modified",
        "`dvc repro`",
    ),
    "stale command": (
        edit("dvc.yaml", "cp raw.csv", "cp -f raw.csv"),
        "failure pipeline.lock: dvc.yaml:2: the lock is stale: stage `features`: changed command",
        "`dvc repro`",
    ),
    "lock not in Git": (
        lambda loop: loop.git("rm", "-q", "--cached", "dvc.lock"),
        "failure pipeline.lock: Git does not track dvc.lock",
        "`git add dvc.lock`",
    ),
    "code not in Git": (
        lambda loop: loop.git("rm", "-q", "--cached", "raw.csv"),
        "failure pipeline.code: dvc.yaml:2: stage `features` needs raw.csv, which neither Git nor DVC has",
        "`git add`",
    ),
    "kept twice": (
        twice,
        "failure pipeline.twice: Git tracks people.csv, which DVC keeps too",
        "git rm --cached people.csv",
    ),
    "secret": (
        edit(".dvc/config", "url = ", "secret_access_key = hunter2\n    url = "),
        "failure storage.secrets: .dvc/config:5: a secret is in Git: `secret_access_key`",
        "dvc remote modify --local",
    ),
    "secret address": (
        edit(".dvc/config", "url = ../../store", "url = https://me:hunter2@example.org/store"),
        "failure storage.secrets: .dvc/config:5: a secret is in Git: a password in an address",
        "dvc remote modify --local",
    ),
    "local config in Git": (
        add(".dvc/config.local", "['remote \"store\"']\n    password = hunter2\n"),
        "failure storage.secrets: Git tracks .dvc/config.local",
        "git rm --cached .dvc/config.local",
    ),
    "no DVC remote": (
        lambda loop: dvc(loop.root, "remote", "remove", "store"),
        "warning storage.remote: no DVC remote: every clone makes people.csv, predictions.csv again",
        "dvc remote add -d",
    ),
    "not here": (
        remove("predictions.csv"),
        "warning model.files: params.yaml:10: predictions.csv is not here yet",
        "dvc repro",
    ),
    "nothing makes it": (
        edit("params.yaml", "predictions: predictions.csv", "predictions: answers.csv"),
        "failure model.files: params.yaml:10: answers.csv is not here, and no stage makes it",
        "mlci.gate.predictions",
    ),
    "no model": (
        remove("model.onnx"),
        "warning model.readable: params.yaml:2: model.onnx is not here",
        "mlci model export",
    ),
    "broken model": (
        lambda loop: loop.write("model.onnx", "<html>404</html>"),
        "failure model.readable: ",
        "",
    ),
    "pickle": (add("model.pkl"), "warning model.pickles: Git tracks model.pkl", "git rm --cached model.pkl"),
    "baseline": (another_model, "failure model.baseline: predictions.csv, model.onnx of the merge-base", "dvc push"),
    "no workflow": (remove(PR), "failure workflows.present: no workflow", "pull_request"),
    "broken workflow": (
        edit(PR, "jobs:", "jobs: ["),
        "failure workflows.present: .github/workflows/pr.yml:1: ",
        "mend the file",
    ),
    "workflow of something else": (
        edit(PR, "dvc repro --pull\n          mlci compare", "make test"),
        "failure workflows.present: no workflow runs mlci on a pull request",
        "mlci ci",
    ),
    "no job": (edit(PR, "  mlci:", "  test:"), "failure workflows.check: no job is called `mlci`", "if: always()"),
    "filtered": (
        edit(PR, "on: pull_request\n", "on: {pull_request: {paths: [models/**]}}\n"),
        "failure workflows.check: .github/workflows/pr.yml:4: `mlci` does not report",
        "remove the filter",
    ),
    "shallow in CI": (
        edit(PR, "fetch-depth: 0, ", ""),
        "failure workflows.history: .github/workflows/pr.yml:8: the job `mlci` compares in a shallow clone",
        "fetch-depth: 0",
    ),
    "unpinned": (
        edit(PR, f"{CHECKOUT} # v7.0.1", "actions/checkout@v7"),
        "warning workflows.pinned: .github/workflows/pr.yml:8: actions/checkout@v7 is not pinned",
        "40 hex digits",
    ),
    "no permissions": (
        lambda loop: [edit(PR, old, "")(loop) for old in ("permissions: {}\n", "    permissions: {contents: read}\n")],
        "warning workflows.permissions: .github/workflows/pr.yml:1: ",
        "permissions: {}",
    ),
    "nobody posts": (
        remove(REPORT),
        "warning workflows.publish: no workflow runs `mlci publish`",
        "`mlci init` writes `report.yml`",
    ),
    "may not post": (
        edit(REPORT, "checks: write, contents: write, pull-requests: write", "checks: write"),
        "failure workflows.publish: .github/workflows/report.yml:4: the job `report` publishes, and its token may not",
        "`pull-requests: write`, `contents: write`",
    ),
    "out of reach": (
        edit(PR, "runs-on: [self-hosted]", "runs-on: ubuntu-latest"),
        "warning storage.runner: the remote `store` is a folder of this machine",
        "dvc remote add",
    ),
    "no key": (
        edit(".dvc/config", "url = ../../store", "url = s3://bucket/store"),
        "warning storage.runner: the remote `store` may ask for a key",
        "--secret",
    ),
    "taken over": (
        add(".github/workflows/label.yml", TARGET),
        "failure workflows.trusted: .github/workflows/label.yml:7: the job `label` runs on `pull_request_target`",
        "workflow_run",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_with_its_mend(loop, name):
    breaks, said, mend = BROKEN[name]
    breaks(loop)
    told = worse(loop, "--offline")
    found = [line for line in told if line.startswith(said)]
    assert found, "\n".join(told)
    assert mend in found[0].partition("\N{RIGHTWARDS ARROW}")[2]
    assert "hunter2" not in "".join(told)


OPTIONS = {
    "plain": WorkflowOptions(),
    "chosen": WorkflowOptions(
        projects=("a", "b"),
        branch="trunk",
        python="3.13",
        version="0.1.0",
        install="make all",
        secrets=("KEY",),
        timeout=9,
    ),
    "elsewhere": WorkflowOptions(
        action=f"acme/mlci@{'0123456789' * 4} # v1.0.0", runner="large", monitored=(".",), log_variable=True
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_workflows_of_this_version_are_fine_whatever_was_chosen(loop, name):
    for path, text in render_workflows(OPTIONS[name]).items():
        loop.write(path, text)
    assert [line for line in worse(loop, "--offline") if "workflows." in line] == []


def test_workflows_of_another_version_are_told(loop):
    for path, text in render_workflows(WorkflowOptions()).items():
        loop.write(path, text)
    report = loop.root / ".github/workflows/report.yml"
    text = report.read_text()
    report.write_text(text.replace("checks: write", "checks: read").replace("publish --from", "post --from"))
    told = [line for line in worse(loop, "--offline") if "workflows.version" in line]
    assert len(told) == 1
    assert "`permissions` of the job `report`, the step `Publish it` differ \N{RIGHTWARDS ARROW}" in told[0]
    assert "report.yml:1: it is not the workflow of this version" in told[0]


def test_a_shallow_clone_is_no_basis(loop, tmp_path):
    loop.commit("Another one")
    loop.git("push", "-q", "origin", "main")
    origin = f"file://{loop.root.parent / 'origin.git'}"
    subprocess.run(["git", "clone", "-q", "--depth=1", origin, str(tmp_path / "clone")], check=True)
    found = worse(Repository(tmp_path / "clone"), "--offline")
    assert any(line.startswith("failure git.shallow") and "fetch-depth: 0" in line for line in found)


def test_a_fresh_clone_is_fine_where_the_remote_has_everything(loop):
    clone = loop.root.parent / "clone"
    subprocess.run(["git", "clone", "-q", str(loop.root.parent / "origin.git"), str(clone)], check=True)
    found = worse(Repository(clone))
    assert [line for line in found if line.startswith("failure")] == []
    assert any("not here yet: people.csv, predictions.csv" in line and "`dvc pull`" in line for line in found)


def test_what_was_not_pushed_is_named(loop):
    (loop.root / "raw.csv").write_text("person,age,ill\nq,1,1\n")
    dvc(loop.root, "repro", "-q")
    found = worse(loop)
    assert any(line.startswith("failure storage.pushed: the remote `store` lacks people.csv") for line in found), found
    shutil.rmtree(loop.root / ".dvc/cache")
    found = worse(loop)
    assert any(line.startswith("failure storage.lost: neither the cache nor the remote") for line in found), found


def test_data_of_which_nobody_else_has_a_copy_is_a_failure(loop):
    loop.git("rm", "-q", "--cached", "raw.csv")
    dvc(loop.root, "add", "-q", "raw.csv")
    dvc(loop.root, "remote", "remove", "store")
    found = worse(loop)
    assert any(line.startswith("failure storage.remote: no DVC remote: nobody else can get raw.csv") for line in found)
    shutil.rmtree(loop.root / ".dvc/cache")
    (loop.root / "raw.csv").unlink()
    assert any("raw.csv is neither here nor in the cache, and no stage makes it" in line for line in worse(loop))


def test_a_folder_that_is_gone_cannot_be_reached(loop):
    shutil.rmtree(loop.root.parent / "store")
    found = worse(loop)
    assert any(
        "storage.remote: .dvc/config:5: the remote `store`" in line and "does not exist" in line for line in found
    )


def test_a_git_remote_that_is_gone_is_told_without_its_password(loop):
    loop.git("remote", "set-url", "origin", "http://me:hunter2@127.0.0.1:9/none")
    (told,) = [line for line in worse(loop) if " git.remote: " in line]
    assert told.startswith("failure git.remote: the remote http://127.0.0.1:9/none cannot be reached: fatal: ")
    assert "git remote -v" in told
    assert "hunter2" not in told


def test_a_remote_that_never_answers_is_given_up_on(loop):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/store"
        dvc(loop.root, "remote", "modify", "store", "url", address)
        found = list(remote(Patient(loop.root, patience=3)))
    assert [line.standing for line in found] == ["failure"]
    assert "no answer within 3 s" in found[0].says


def test_an_extra_that_is_not_installed_is_told(loop):
    dvc(loop.root, "remote", "modify", "store", "url", "hdfs://example.org/store")
    assert any("cannot be reached" in line and "dvc-hdfs" in line for line in worse(loop))


def test_offline_asks_nobody(loop):
    shutil.rmtree(loop.root.parent / "store")
    asked = [check for check in diagnosis(loop, "--offline") if check["standing"] == "not_asked"]
    assert "the remote was not asked" in [check["says"] for check in asked]
    assert worse(loop, "--offline") == []


def test_without_git_there_is_nothing_to_look_at(tmp_path, loop):
    (tmp_path / "bare").mkdir()
    run = loop.mlci("doctor", "-C", str(tmp_path / "bare"))
    assert run.returncode == 3
    assert "is in no Git repository" in run.stderr
    assert "git init" in run.stderr


def test_an_empty_repository_is_told_everything_at_once(empty):
    found = worse(empty, "--offline")
    assert {line.split(":")[0] for line in found} >= {
        "failure git.commits",
        "failure policy.schema",
        "failure pipeline.stages",
        "failure workflows.present",
    }


def test_a_project_in_a_folder_is_looked_at_by_itself(loop):
    inner = Repository(build_inside(loop))
    found = [line for line in worse(inner, "--offline") if "pipeline" in line or "model.files" in line]
    assert found == []
    assert worse(loop, "--offline", "-C", "models/people") == worse(inner, "--offline")


def build_inside(loop: Repository) -> Path:
    """The same project one folder down, in the same Git repository."""
    folder = loop.root / "models/people"
    folder.mkdir(parents=True)
    for name in loop.git("ls-files").split():
        if not name.startswith("."):
            shutil.move(loop.root / name, folder / name)
    for name in (".dvc", ".dvcignore", ".gitignore", "people.csv", "predictions.csv"):
        shutil.move(loop.root / name, folder / name)
    loop.commit("A folder of its own")
    return folder


def test_the_worst_comes_first_in_the_last_line(loop):
    loop.git("checkout", "-q", "--detach")
    (loop.root / "dvc.lock").unlink()
    run = loop.mlci("doctor", "--offline")
    assert run.returncode == 1
    assert run.stdout.splitlines()[-1].startswith("\N{BALLOT X} people: 1 thing would make the loop fail")
    assert "First: there is no dvc.lock" in run.stdout.splitlines()[-1]
    assert "\x1b" not in run.stdout
    assert loop.mlci("doctor", "--offline", "--format", "markdown").stdout.startswith("**\N{BALLOT X} people: 1 thing")
