"""What GitHub enforces and no local runner does: triggers, permissions, pins, and that nothing untrusted is run."""

import fnmatch
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from rendered_files import OURS, REPOSITORY, THEIRS, regenerate, rendered
from runner import STAND_INS, stand_ins

from mlci.flows.workflows import render_workflows

BIN = Path(sys.executable).parent
ACTION = re.compile(r"^\s*(?:- )?uses: (\S+)(.*)$", re.MULTILINE)
SETS = ["ours", *THEIRS]


@pytest.fixture(scope="module", params=SETS)
def folder(request, tmp_path_factory):
    """This repository's workflow files, or those of somebody else's, in a repository of its own."""
    if request.param == "ours":
        return REPOSITORY
    made = rendered(THEIRS[request.param], tmp_path_factory.mktemp(request.param))
    subprocess.run(["git", "init", "--quiet", made], check=True)
    return made


def workflow_files(folder):
    return sorted((folder / ".github/workflows").glob("*.yml"))


def action_files(folder):
    found = [folder / "action.yml", *(folder / ".github").rglob("action.yml")]
    return [file for file in found if file.is_file()]


def read(file):
    # GitHub reads YAML 1.2, where `on` is a word and no truth.
    return yaml.load(file.read_text(), Loader=yaml.BaseLoader)  # noqa: S506 - strings only


def jobs(folder):
    return [(file.stem, name, job) for file in workflow_files(folder) for name, job in read(file)["jobs"].items()]


def steps(folder):
    for file, name, job in jobs(folder):
        yield from ((f"{file}/{name}", step) for step in job["steps"])
    for file in action_files(folder):
        yield from ((file.name, step) for step in read(file)["runs"]["steps"])


def test_this_repositorys_files_are_what_the_templates_give():
    for path, text in render_workflows(OURS).items():
        if regenerate():
            (REPOSITORY / path).write_text(text)
        assert (REPOSITORY / path).read_text() == text, f"{path}: MLCI_REGEN=1 pytest tests/workflows"


def check(*command, cwd):
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing(folder):
    files = [*workflow_files(folder), *action_files(folder)]
    check("zizmor", "--offline", "--persona", "auditor", "--no-progress", *files, cwd=folder)


def test_actionlint_and_shellcheck_find_nothing(folder):
    check("actionlint", "-shellcheck", BIN / "shellcheck", "-pyflakes", "", *workflow_files(folder), cwd=folder)


def test_shellcheck_finds_nothing_in_the_action(tmp_path):
    scripts = []
    for number, step in enumerate(read(REPOSITORY / "action.yml")["runs"]["steps"]):
        if "run" in step:
            scripts.append(tmp_path / f"{number}.sh")
            scripts[-1].write_text(f"#!/bin/bash\nset -eo pipefail\n{step['run']}")
    assert scripts
    check("shellcheck", *scripts, cwd=tmp_path)


def test_files_fit_githubs_schemas(folder):
    check("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflow_files(folder), cwd=folder)
    if actions := action_files(folder):
        check("check-jsonschema", "--builtin-schema", "vendor.github-actions", *actions, cwd=folder)


# Who starts what


def starts(file, event, branch="main", action="opened"):
    """Whether an event starts a workflow, by its filters of branches and types; a filter unknown here is an error."""
    on = read(file)["on"]
    if isinstance(on, str | list):
        return event in ([on] if isinstance(on, str) else on)
    if event not in on:
        return False
    filters = dict(on[event] or {})
    types = filters.pop("types", ["opened", "synchronize", "reopened"] if event == "pull_request" else None)
    branches = filters.pop("branches", None)
    filters.pop("workflows", None)
    if filters.pop("tags", None):
        # A push that is filtered by tags alone is none of a branch.
        return False
    assert not filters, f"{file.name}: this test does not know {list(filters)}"
    if types is not None and action not in types:
        return False
    return branches is None or any(fnmatch.fnmatchcase(branch, pattern) for pattern in branches)


@pytest.mark.parametrize("branch", ["main", "trunk", "release/1.x", "a/deep/branch"])
@pytest.mark.parametrize("action", ["opened", "synchronize", "reopened"])
def test_every_pull_request_starts_the_required_check(folder, branch, action):
    assert starts(folder / ".github/workflows/pr.yml", "pull_request", branch, action)
    assert starts(folder / ".github/workflows/pr.yml", "merge_group", branch, "checks_requested")


def test_only_a_push_to_the_default_branch_starts_main(folder):
    file = folder / ".github/workflows/main.yml"
    default = read(file)["on"]["push"]["branches"]
    assert len(default) == 1
    assert starts(file, "push", default[0])
    assert not starts(file, "push", "feature")
    assert not starts(file, "pull_request", default[0])


def matches(patterns, tag):
    """Whether GitHub's filter takes a tag: the last pattern that fits decides, and `**` is anything."""
    taken = False
    for pattern in patterns:
        expression = re.escape(pattern.removeprefix("!")).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        if re.fullmatch(expression, tag):
            taken = not pattern.startswith("!")
    return taken


@pytest.mark.parametrize(
    ("tag", "started"),
    [
        ("flights@v1.2.0", "release"),
        ("services/eta=flights@v1.2.0-rc.1", "release"),
        ("flights#prod#3", "promote"),
        ("services/eta=flights#prod!#4", "promote"),
        ("flights@v1.2.0!", ""),
        ("flights@deprecated", ""),
        ("v1.2.0", ""),
    ],
)
def test_a_tag_releases_or_promotes(folder, tag, started):
    filters = {file.stem: read(file)["on"] for file in workflow_files(folder) if file.stem in {"release", "promote"}}
    found = [name for name, on in filters.items() if list(on) == ["push"] and matches(on["push"]["tags"], tag)]
    assert found == ([started] if started else [])


def test_the_report_follows_the_workflow_of_the_pull_request(folder):
    file = folder / ".github/workflows/report.yml"
    assert read(file)["on"]["workflow_run"]["workflows"] == [read(folder / ".github/workflows/pr.yml")["name"]]
    assert starts(file, "workflow_run", action="completed")
    assert not starts(file, "workflow_run", action="requested")
    assert [job["if"] for job in read(file)["jobs"].values()] == ["github.event.workflow_run.event == 'pull_request'"]


def test_the_required_check_has_no_condition(folder):
    job = read(folder / ".github/workflows/pr.yml")["jobs"]["mlci"]
    assert job["name"] == "mlci"
    assert not {"if", "needs", "strategy", "continue-on-error"} & set(job)


def test_nothing_runs_a_pull_request_with_rights(folder):
    for file in workflow_files(folder):
        assert not {"pull_request_target", "issue_comment"} & set(read(file)["on"])


# What they may do

PERMISSIONS = {
    "ci/ci": {"contents": "read"},
    "main/main": {"contents": "write"},
    "monitor/monitor": {"contents": "write", "issues": "write"},
    "pr/mlci": {"contents": "read"},
    "promote/deploy": {"contents": "read", "deployments": "write"},
    "retrain/offer": {
        "checks": "write",
        "contents": "write",
        "issues": "write",
        "pull-requests": "write",
        "statuses": "write",
    },
    # What trains can write nothing.
    "retrain/train": {"contents": "read", "issues": "read", "pull-requests": "read"},
    "release/build": {"attestations": "write", "contents": "read", "id-token": "write"},
    "release/publish": {"contents": "write"},
    "report/report": {
        "actions": "read",
        "checks": "write",
        "contents": "write",
        "pull-requests": "write",
        "statuses": "write",
    },
}


def test_each_job_may_do_what_its_commands_need_and_no_more(folder):
    for file in workflow_files(folder):
        assert read(file)["permissions"] == {}
    for file, name, job in jobs(folder):
        assert job["permissions"] == PERMISSIONS[f"{file}/{name}"]


def test_each_job_ends_in_time_and_waits_its_turn(folder):
    for file, _, job in jobs(folder):
        assert 0 < int(job["timeout-minutes"]) <= 360
        assert "concurrency" in read(folder / f".github/workflows/{file}.yml")


def test_a_newer_push_ends_the_run_of_an_older_one_but_never_on_main(folder):
    stop = {file.stem: read(file)["concurrency"]["cancel-in-progress"] for file in workflow_files(folder)}
    assert stop.pop("ci", None) in {None, "${{ github.event_name == 'pull_request' }}"}
    assert stop == {"pr": "true", "report": "false", "main": "false", "release": "false", "promote": "false"} | (
        {name: "false" for name in ("monitor", "retrain") if name in stop}
    )
    assert "github.event.pull_request.number" in read(folder / ".github/workflows/pr.yml")["concurrency"]["group"]


# What they run


def test_every_action_is_pinned_with_its_version_beside_it(folder):
    for file in [*workflow_files(folder), *action_files(folder)]:
        for uses, comment in ACTION.findall(file.read_text()):
            if not uses.startswith("./"):
                assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", uses), uses
                assert re.fullmatch(r" # v\d+(\.\d+)*", comment), f"{uses}{comment}"


def test_every_action_of_others_has_a_stand_in(folder):
    for where, step in steps(folder):
        uses = step.get("uses", "./")
        if uses.startswith(("./", "acme/mlci@")):
            continue
        path, commit = uses.split("@")
        owner, name, *inner = path.split("/")
        assert f"{owner}/{name}@{commit}" in stand_ins(), where
        stand_in = read(STAND_INS.joinpath(owner, name, *inner, "action.yml"))
        assert set(step.get("with", {})) <= set(stand_in["inputs"]), where


def test_nothing_is_written_into_a_script_by_an_expression(folder):
    for where, step in steps(folder):
        assert "${{" not in step.get("run", ""), where


def test_no_token_is_left_in_a_work_tree(folder):
    for where, step in steps(folder):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false", where


def test_the_trusted_half_checks_out_and_runs_nothing_of_the_pull_request(folder):
    (job,) = read(folder / ".github/workflows/report.yml")["jobs"].values()
    checkouts = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert [(given["ref"], given.get("repository")) for given in checkouts] == [("${{ github.sha }}", None)]
    (run,) = (step["run"] for step in job["steps"] if "run" in step)
    commands = [line.strip() for line in run.splitlines() if "mlci" in line]
    assert commands == ['"$RUNNER_TEMP/mlci/bin/mlci" publish --from "$RUNNER_TEMP/mlci-report" --record || code=$?']
    assert "head_sha" not in json.dumps(job)
    (setup,) = (step["with"] for step in job["steps"] if "command" in step.get("with", {}))
    assert (setup["command"], setup["cache"]) == ("mlci", "false")


@pytest.mark.parametrize("text", ["${{ github.event.issue.title }}", "a\x1bb"])
def test_options_hold_no_expression_and_no_control_character(text):
    with pytest.raises(ValueError, match="not allowed"):
        type(OURS)(install=text)


@pytest.mark.parametrize("action", ["acme/mlci@main", "acme/mlci@v1", "acme/mlci", "docker://x", "./a\nb", "/etc"])
def test_an_action_that_is_not_pinned_is_refused(action):
    with pytest.raises(ValueError, match="pattern"):
        type(OURS)(action=action)


@pytest.mark.parametrize("options", THEIRS.values(), ids=THEIRS)
def test_a_text_reaches_the_file_as_it_is(options, tmp_path):
    given = read(rendered(options, tmp_path) / ".github/workflows/pr.yml")["jobs"]["mlci"]["steps"][1]["with"]
    assert given.get("install", "") == options.install
    assert given.get("project", "") == "\n".join(options.projects)
    assert given["python-version"] == options.python
