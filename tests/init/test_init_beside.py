"""What is written beside what a repository has already: other workflows, another branch, other projects."""

import json

import pytest
import yaml

WORKFLOWS = ".github/workflows"
THEIRS = """\
name: Release the shop
on: {push: {branches: [develop]}}
jobs: {shop: {runs-on: ubuntu-latest, steps: [{run: make, env: {NPM: "${{ secrets.NPM }}"}}]}}
"""


@pytest.fixture
def busy(place):
    """A repository with workflows of its own, whose names are ours, and a branch of another name."""
    place.git("init", "--quiet", "--initial-branch", "trunk")
    for name in ("main", "release"):
        place.write(f"{WORKFLOWS}/{name}.yml", THEIRS)
    place.write(".python-version", "3.13\n")
    place.commit()
    return place


def test_workflows_of_somebody_else_stay_and_ours_stand_beside_them(busy):
    told = json.loads(busy.init("--yes", "--json").stdout)
    assert told["left"] == []
    assert f"{WORKFLOWS}/mlci-release.yml" in told["written"]
    assert [busy.read(f"{WORKFLOWS}/{name}.yml") for name in ("main", "release")] == [THEIRS, THEIRS]
    ours = busy.read(f"{WORKFLOWS}/mlci-main.yml")
    assert yaml.load(ours, Loader=yaml.BaseLoader)["on"]["push"]["branches"] == ["trunk"]  # noqa: S506 - strings only
    assert 'python-version: "3.13"' in ours
    assert "NPM" not in ours
    assert yaml.safe_load(busy.read("params.yaml"))["mlci"]["gate"]["branch"] == "trunk"
    again = json.loads(busy.init("--yes", "--json").stdout)
    assert (again["written"], again["left"], again["next"]) == ([], [], ["mlci doctor"])


def test_several_projects_share_the_workflows(repository):
    for folder in ("models/churn", "models/price"):
        repository.write(f"{folder}/README.md", "# A model\n")
        done = repository.init("--yes", "--project", folder)
        assert f"next:\n  cd {folder}\n" in done.stdout
        assert "git add . :/.github\n" in done.stdout
        file = f"{folder}/params.yaml"
        asked = "  monitor: {log: predictions.db}\n  retrain: {data: {parameter: data.seed}}\n"
        repository.write(file, f"{repository.read(file)}{asked}")
    repository.init("--yes", "--force", "--project", "models/churn")
    files = repository.files()
    assert "nothing to do" in repository.init("--yes", "--project", "models/price").stderr
    assert repository.files() == files
    for name in ("monitor", "retrain"):
        assert '"models/churn\\nmodels/price"' in repository.read(f"{WORKFLOWS}/{name}.yml")


def test_training_that_waits_for_the_check_is_not_asked_to(place):
    assert "let training depend" not in place.init("--yes").stderr
    text = place.read("dvc.yaml")
    assert "      - reports/data.json\n    params:" in text
    place.write("dvc.yaml", text.replace("      - reports/data.json\n    params:", "    params:"))
    assert "let training depend on reports/data.json" in place.init("--yes").stderr
