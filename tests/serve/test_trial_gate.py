"""A shadow and a canary judged by the gate, from the log: pairs of answers, the ones that were made or made again."""

import contextlib
import hashlib
import io
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from unittest import mock

import numpy as np
import pytest
import yaml
from serve_process import Server
from served_models import binary, frame

from mlci.__main__ import main
from mlci.edges.log.address import connector
from mlci.edges.log.database import Work, write
from mlci.edges.log.records import Label, Record
from mlci.edges.onnx.session import OnnxModel

START = datetime.now(UTC) - timedelta(days=3)
GATE = {"metrics": {"accuracy": {"drop": 0.02}}, "slices": {"high": {"where": "fever > 0", "accuracy": {"floor": 0.5}}}}
PEOPLE = frame(900)
TRUTH = PEOPLE.fever.to_numpy() > 0


class Project:
    """A policy, a model beside another one, and a log."""

    def __init__(self, root, log):
        self.root, self.log = root, log
        binary(root / "model.onnx", seed=0)
        binary(root / "near.onnx", seed=1)
        self.policy(serve={"shadow": "near.onnx"})

    def policy(self, **parts):
        model = {"name": "people", "path": "model.onnx", "label": "ill", "id": "person"}
        told = {"model": model, "gate": GATE} | parts
        (self.root / "params.yaml").write_text(yaml.safe_dump({"mlci": told}))

    def fill(self, role, *, wrong=0.0, labels=900, version="", day=0):
        """Rows that the current model answered and another one too, which is wrong on some more of them."""
        rng = np.random.default_rng(7)
        current = OnnxModel.load(self.root / "model.onnx").score(_columns(PEOPLE))
        other = OnnxModel.load(self.root / "near.onnx").score(_columns(PEOPLE))
        said = np.where(rng.random(len(PEOPLE)) < wrong, 1 - other.prediction, other.prediction)
        names = {"current": self.version("model.onnx"), role: version or self.version("near.onnx")}
        records = []
        for at, row in enumerate(PEOPLE.to_dict("records")):
            mine = ("current", int(current.prediction[at]), float(current.score[at, 0]))
            flipped = said[at] != other.prediction[at]
            theirs = (role, int(said[at]), float(1 - other.score[at, 0] if flipped else other.score[at, 0]))
            both = (mine, theirs) if role == "shadow" else ((mine,) if at % 2 else (theirs,))
            for who, prediction, score in both:
                key = f"d{day}r{at:04}"
                records.append(
                    Record(
                        f"{key}.shadow" if who == "shadow" else key,
                        (START + timedelta(days=day, seconds=at)).timestamp(),
                        "people",
                        names[who],
                        "",
                        json.dumps(row),
                        json.dumps(prediction),
                        json.dumps({"score": score}),
                        key,
                        who,
                    )
                )
        truth = [
            Label(f"d{day}r{at:04}", json.dumps(int(TRUTH[at])), START.timestamp() + day * 86400 + 5000)
            for at in range(labels)
        ]
        database = connector(self.log, self.root)()
        write(database, [Work(records=records), Work(labels=truth)])
        database.close()

    def version(self, name):
        return hashlib.sha256((self.root / name).read_bytes()).hexdigest()[:12]

    def compare(self, *args):
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self.root),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "argv", ["mlci", "compare", *args, "--log", self.log]),
            mock.patch.dict(os.environ, {"COLUMNS": "120", "NO_COLOR": "1"}),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        return ended.value.code or 0, out.getvalue(), " ".join(err.getvalue().split())


def _columns(people):
    return {name: people[name].to_numpy() for name in people}


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, f"sqlite:///{tmp_path / 'predictions.db'}")


@pytest.mark.parametrize(("wrong", "code", "outcome"), [(0.0, 0, "pass"), (0.15, 1, "fail")])
def test_a_shadow_is_judged_by_pairs(tmp_path, log_url, wrong, code, outcome):
    project = Project(tmp_path, log_url)
    project.fill("shadow", wrong=wrong)
    ended, out, err = project.compare("--trial", "shadow", "--json")
    assert ended == code, err
    verdict = json.loads(out)["verdict"]
    assert verdict["outcome"] == outcome
    (comparison,) = verdict["comparisons"]
    assert (comparison["baseline"], comparison["rows"]) == ("current", 900)
    assert project.version("near.onnx") in comparison["reason"]
    assert {each["check"] for each in verdict["findings"]} == {
        "gate.accuracy.drop",
        "gate.slices.high.accuracy.floor",
        "gate.slices.high.accuracy.drop",
    }
    assert json.loads((tmp_path / "reports" / "trial.json").read_text())["verdict"] == verdict
    # The evidence of the commit is another verdict.
    assert not (tmp_path / "reports" / "verdict.json").exists()


@pytest.mark.parametrize(("wrong", "code"), [(0.0, 0), (0.3, 1)])
def test_a_canary_is_judged_on_all_rows_since_it_began(project, wrong, code):
    """What the other one answered, each is asked again: with flips in the log, only its own answers are wrong."""
    project.policy(serve={"canary": {"model": "near.onnx", "share": "50%"}})
    project.fill("canary", wrong=wrong)
    ended, out, err = project.compare("--trial", "canary")
    assert ended == code, err
    assert "900 rows" in out
    assert "Each was asked again what the other one answered" in " ".join(out.split())


def test_rows_without_a_label_and_of_earlier_versions_are_left_out(project):
    project.fill("shadow", wrong=0.4, version="older")
    project.fill("shadow", labels=600, day=1)
    ended, out, _ = project.compare("--trial", "shadow", "--json")
    (comparison,) = json.loads(out)["verdict"]["comparisons"]
    assert ended == 0
    assert comparison["rows"] == 600
    assert "It answered 900 rows" in comparison["reason"]
    ended, _, err = project.compare("--trial", "shadow", "--since", "1d")
    assert ended == 3
    assert "the log has no answer of a shadow in that time" in err


def test_what_the_log_does_not_know_is_told(project):
    gate = GATE | {"slices": {"over 50s": {"where": "age > 50"}, "by": ["region"], "bins": {"fever": 2}}}
    project.policy(gate=gate)
    project.fill("shadow")
    ended, out, _ = project.compare("--trial", "shadow", "--look", "2")
    said = " ".join(out.split())
    assert ended == 0
    assert "The log can't tell: over 50s, region." in said
    assert "2nd look of this trial" in said
    project.policy(gate=GATE | {"group": "household"})
    ended, _, err = project.compare("--trial", "shadow")
    assert ended == 2
    assert "the log has no column `household`" in err


@pytest.mark.parametrize(
    ("role", "labels", "serve", "words"),
    [
        ("shadow", 0, {}, "of the 900 rows that the shadow"),
        ("canary", 0, {}, "of the 450 rows that the canary"),
        ("canary", 900, {"private": ["pulse"]}, "the log doesn't hold pulse"),
        ("canary", 900, {}, "is not at hand"),
    ],
)
def test_what_cannot_be_judged_says_why(project, role, labels, serve, words):
    project.policy(serve=serve)
    project.fill(role, labels=labels)
    code, _, err = project.compare("--trial", role)
    assert code == 3
    assert words in err


def test_options_of_a_trial_need_one(project):
    assert project.compare()[0] == 2
    code, _, err = project.compare("--trial", "shadow", "--since", "soon")
    assert code == 2
    assert "--since: a duration such as 45d" in err
    assert project.compare("--trial", "shadow", "--baseline", "HEAD")[0] == 2


@pytest.mark.slow
def test_what_a_server_logs_is_judged(project):
    server = Server(project.root, "--log", project.log, model=project.root / "model.onnx")
    told = server.ask("/predict", PEOPLE.to_dict("records"))[1]["predictions"]
    labels = [{"id": each["id"], "label": int(TRUTH[at])} for at, each in enumerate(told)]
    assert server.ask("/feedback", labels)[0] == 200
    assert server.stop()[0] == 0
    code, out, err = project.compare("--trial", "shadow")
    assert code == 0, err
    assert "900 rows" in out
