"""What is there stays unless somebody says so; what is wrong is told with its mend, and nothing is half-written."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

BIN = Path(sys.executable).parent
PR = ".github/workflows/pr.yml"
SAID = ("--label", "bought")


@pytest.fixture
def begun(repository):
    """With everything written and committed."""
    repository.init("--yes", *SAID)
    repository.commit()
    return repository


def test_a_file_that_differs_is_left_and_told(begun):
    begun.write(PR, begun.read(PR).replace("timeout-minutes: 60", "timeout-minutes: 90"))
    files = begun.files()
    done = begun.init("--yes", code=1)
    assert f"left {PR}, which differs" in done.stderr
    assert begun.files() == files


def test_a_dry_run_shows_the_diff_and_writes_nothing(begun):
    begun.write(PR, begun.read(PR).replace("timeout-minutes: 60", "timeout-minutes: 90"))
    (begun.folder / ".github/workflows/main.yml").unlink()
    files = begun.files()
    done = begun.init("--yes", "--dry-run")
    assert f"--- a/{PR}\n+++ b/{PR}\n" in done.stdout
    assert "-    timeout-minutes: 90\n+    timeout-minutes: 60\n" in done.stdout
    assert "--- /dev/null\n+++ b/.github/workflows/main.yml\n" in done.stdout
    assert begun.files() == files
    assert begun.run("git", "apply", "-", stdin=done.stdout).returncode == 0
    assert "nothing to do" in begun.init("--yes").stderr


def test_force_replaces_what_differs(begun):
    wanted = begun.files()
    begun.write(PR, "name: mlci of mine\n")
    done = begun.init("--yes", "--force")
    assert "-name: mlci of mine" in done.stderr
    assert begun.files() == wanted


def test_a_person_decides_about_each_file_that_differs(begun):
    wanted = begun.files()
    begun.write(PR, "name: mlci of mine\n")
    done = begun.init(stdin="no\nn\n", code=1)
    assert "-name: mlci of mine" in done.stderr
    assert f"Replace {PR}?" in done.stderr
    assert begun.read(PR) == "name: mlci of mine\n"
    begun.init(stdin="-\ny\n")
    assert begun.files() == wanted


def test_a_person_is_asked_for_what_is_not_known(repository):
    answers = ["@acme/ml", "data/people.csv", "person_id", "boght", "bought", "", "", "", "", "buyers"]
    done = repository.init(stdin="\n".join(answers) + "\n")
    assert "'boght' is not one of person_id, age, region, bought" in done.stderr
    assert "What kind of model predicts `bought`? [binary]" in done.stderr
    model = yaml.safe_load(repository.read("params.yaml"))["mlci"]["model"]
    assert (model["name"], model["label"], model["id"], model["task"]) == ("buyers", "bought", "person_id", "binary")
    assert "@acme/ml" in repository.read(".github/CODEOWNERS")


def test_nobody_answers(repository):
    files = repository.files()
    done = repository.init("--owner", "@acme/ml", stdin="", code=2)
    assert "nobody answered" in done.stderr
    assert "--test" in done.stderr
    assert repository.files() == files


def test_a_folder_without_git_is_told(place):
    place.people("people.csv")
    files = place.files()
    done = place.init(*SAID, stdin="n\n", code=3)
    assert "git init" in done.stderr
    assert place.files() == files
    place.init("--yes", *SAID)
    assert (place.folder / ".git").is_dir()


WRONG = {
    "no such column": (("--label", "bougt"), 2, "did you mean `bought`?"),
    "no such id": (("--label", "bought", "--id", "customer"), 2, "has no column `customer`"),
    "label is id": (("--label", "age", "--id", "age"), 2, "both the label and the id"),
    "no label known": ((), 2, "--label"),
    "no such table": (("--test", "data/none.csv", *SAID), 3, "data/none.csv"),
    "no table at all": (("--test", "train.py", *SAID), None, "train.py"),
    "a bad name": (("--name", "My model", *SAID), 2, "`My model` is no name"),
    "outside": (("--test", "../people.csv", *SAID), 2, "outside of"),
    "no such task": (("--task", "ranking"), 2, "ranking"),
    "no such value": (("--positive", "5", *SAID), 2, "never `5`"),
    "a bad owner": (("--owner", "ml team", *SAID), 2, "no owner"),
    "an unpinned action": (("--action", "acme/mlci@main", *SAID), 2, "pin the action"),
}


@pytest.mark.parametrize(("arguments", "code", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_and_nothing_is_written(repository, arguments, code, told):
    files = repository.files()
    done = repository.mlci("init", "--yes", *arguments)
    assert done.returncode in ({code} if code else {2, 3}), done.stderr
    assert told in done.stderr
    assert repository.files() == files
    assert not (repository.folder / ".dvc").exists()


def test_where_one_file_cannot_be_written_none_is(repository):
    repository.write(".github", "in the way\n")
    files = repository.files()
    done = repository.init("--yes", *SAID, code=3)
    assert ".github is a file, no folder" in done.stderr
    assert repository.files() == files
    assert repository.git("status", "--porcelain") == "?? .github"


def test_a_policy_that_says_something_else_stays(begun):
    files = begun.files()
    done = begun.init("--yes", "--label", "age", code=2)
    assert "params.yaml has a policy that says `bought`" in done.stderr
    assert begun.files() == files


def test_a_policy_that_lacks_a_part_gets_it(repository):
    own = "mlci:\n  data:\n    people: {path: data/people.csv, rows: '>= 10'}  # mine\n\nlr: 1\n"
    repository.write("params.yaml", own)
    repository.init("--yes", *SAID)
    policy = yaml.safe_load(repository.read("params.yaml"))
    assert list(policy["mlci"]) == ["data", "model", "gate"]
    assert policy["mlci"]["data"] == {"people": {"path": "data/people.csv", "rows": ">= 10"}}
    assert own.partition("\n\n")[0] in repository.read("params.yaml")


def test_dates_stay_texts_for_dvc(repository):
    repository.write(
        "data/people.csv", "id,day,label\n" + "".join(f"a{i},2024-01-0{i % 9 + 1},{i % 2}\n" for i in range(90))
    )
    repository.init("--yes")
    repository.must("dvc", "repro", "--quiet")


def test_an_ignored_folder_of_reports_opens_for_what_stages_write(repository):
    repository.write(".gitignore", "reports/\n*.json")
    repository.init("--yes", *SAID)
    repository.must("dvc", "repro", "--quiet")
    assert repository.read(".gitignore").startswith("reports/\n*.json\n!/reports/\n")
    assert repository.run("git", "check-ignore", "--quiet", "reports/data.json").returncode == 1
    assert repository.run("git", "check-ignore", "--quiet", "reports/verdict.json").returncode == 0


def test_a_project_in_a_folder_of_a_repository(repository):
    repository.people("models/churn/people.csv")
    repository.commit()
    done = repository.init("--yes", "--owner", "@acme/ml", *SAID, folder="models/churn")
    assert "ran dvc init" in done.stderr
    assert (repository.folder / PR).is_file()
    assert (repository.folder / "models/churn/params.yaml").is_file()
    assert not (repository.folder / "params.yaml").exists()
    assert "/models/churn/params.yaml @acme/ml\n" in repository.read(".github/CODEOWNERS")
    files = repository.files()
    repository.init("--yes", folder="models/churn")
    assert repository.files() == files


def test_what_the_workflows_were_made_with_stays(repository):
    action = f"acme/mlci@{'0123456789' * 4} # v1.0.0"
    chosen = ("--action", action, "--branch", "trunk", "--secret", "AWS_ACCESS_KEY_ID", "--secret", "AWS_SECRET")
    repository.init("--yes", *SAID, *chosen)
    written = repository.read(".github/workflows/main.yml")
    assert f"uses: {action}\n" in written
    assert '- "trunk"\n' in written
    assert "AWS_SECRET: ${{ secrets.AWS_SECRET }}" in written
    files = repository.files()
    assert "nothing to do" in repository.init("--yes").stderr
    assert repository.files() == files


def test_linters_find_nothing_in_what_is_written(begun):
    workflows = sorted((begun.folder / ".github/workflows").glob("*.yml"))
    action = begun.folder / ".github/actions/mlci/action.yml"
    for command in (
        ["zizmor", "--offline", "--persona", "auditor", "--no-progress", *workflows, action],
        ["actionlint", "-shellcheck", BIN / "shellcheck", "-pyflakes", "", *workflows],
    ):
        done = subprocess.run(
            [BIN / command[0], *command[1:]], cwd=begun.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
