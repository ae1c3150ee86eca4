"""Three kinds of start: nothing, code without DVC, and a pipeline of one's own."""

import json

import yaml

from mlci.render.setup import EXAMPLE

WORKFLOWS = {".github/workflows/pr.yml", ".github/workflows/report.yml", ".github/workflows/main.yml"}
OWN_PIPELINE = """\
# how it is made
stages:
    prepare:
        cmd: cp raw.csv people.csv   # nothing else
        deps: [raw.csv]
        outs: [people.csv]

    check:
        cmd: "true"
        deps: [people.csv]

plots:
  - people.csv
"""
OWN_PARAMS = "# settings\r\ntrain: {lr: 0.1}  # rate\r\nseeds:\r\n- 1\r\n- 2\r\n"


def failing(place):
    found = json.loads(place.mlci("doctor", "--offline", "--json").stdout)
    return {check["check"] for check in found["checks"] if check["standing"] == "failure"}


def test_an_empty_folder_becomes_a_project_that_works(place):
    done = place.init("--yes", "--commit")
    assert "ran git init" in done.stderr
    assert "ran dvc init" in done.stderr
    assert place.git("status", "--porcelain") == ""
    assert set(EXAMPLE) | WORKFLOWS | {"dvc.lock", "models/model.onnx"} <= set(place.git("ls-files").split())
    assert failing(place) == set()
    files = place.files()
    again = place.init("--yes")
    assert "nothing to do" in again.stderr
    assert place.files() == files
    judged = place.mlci("ci", "--json")
    assert judged.returncode == 0, judged.stderr
    assert json.loads(judged.stdout)["verdict"]["outcome"] == "pass"


def test_code_and_a_table_get_a_policy_a_check_and_workflows(repository):
    repository.init("--yes", "--label", "bought", "--owner", "@acme/ml")
    assert set(repository.git("ls-files", "--others", "--exclude-standard").split()) | {"params.yaml"} >= WORKFLOWS
    policy = yaml.safe_load(repository.read("params.yaml"))["mlci"]
    assert policy["model"] == {
        "name": "shop",
        "path": "models/model.onnx",
        "task": "binary",
        "label": "bought",
        "id": "person_id",
    }
    assert policy["data"]["people"]["columns"]["bought"]["range"] == [0, 1]
    assert policy["gate"]["test"] == "data/people.csv"
    assert list(yaml.safe_load(repository.read("dvc.yaml"))["stages"]) == ["check"]
    assert "/params.yaml @acme/ml\n/dvc.yaml @acme/ml\n/.github/ @acme/ml\n" in repository.read(".github/CODEOWNERS")
    repository.must("dvc", "repro", "--quiet")
    files = repository.files()
    repository.init("--yes", "--label", "bought", "--owner", "@acme/ml")
    repository.init("--yes")
    assert repository.files() == files


def test_ones_own_pipeline_and_settings_keep_every_byte(place):
    place.git("init", "--quiet", "--initial-branch", "main")
    place.must("dvc", "init", "--quiet")
    place.people("raw.csv")
    place.write("dvc.yaml", OWN_PIPELINE)
    place.write("params.yaml", OWN_PARAMS)
    place.must("dvc", "repro", "--quiet")
    place.commit()
    place.init("--yes", "--test", "people.csv", "--label", "bought")
    kept = place.git("diff", "--numstat", "--", "dvc.yaml", "params.yaml").split()
    assert kept[1::3] == ["0", "0"], kept
    assert place.read("params.yaml").startswith(OWN_PARAMS)
    assert "\n" not in place.read("params.yaml").replace("\r\n", "")
    stages = yaml.safe_load(place.read("dvc.yaml"))["stages"]
    assert list(stages) == ["prepare", "check", "mlci-check"]
    assert stages["mlci-check"]["cmd"] == "mlci data check"
    place.must("dvc", "repro", "--quiet")
    files = place.files()
    place.init("--yes")
    assert place.files() == files
