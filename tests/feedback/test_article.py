"""The article's case: what users report as missed is in the next training set, and the next model finds it."""

import json
import os

import pandas as pd
import pytest
from article import BIN, NOW, Article, patients

from mlci.edges.policy_file import load_policy
from mlci.flows.feedback import Collecting
from mlci.flows.feedback_offer import offer
from mlci.nouns.forge import Patience

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Article(tmp_path_factory.mktemp("article"))


def test_missed_positives_are_in_the_next_training_set_and_the_next_model_finds_them(project):
    missed = project.serve(patients(1_500, 7, "p", slow=True))
    assert missed > 300
    found = json.loads(project.run("mlci", "feedback", "collect", "--until", f"{NOW:%Y-%m-%d}", "--json"))
    assert (found["new"], found["wrong"]["false_negatives"]) == (missed, missed)
    table = pd.read_parquet(project.root / "data/feedback.parquet")
    assert (table["ill"] == 1).all()
    assert (table["pulse"] < -1).mean() > 0.8

    project.run("dvc", "repro", "-q")
    report = json.loads(project.run("mlci", "compare", "--baseline", "HEAD", "--json"))
    whole = next(flips for flips in report["verdict"]["comparisons"][0]["flips"] if flips["slice"] is None)
    slow = next(flips for flips in report["verdict"]["comparisons"][0]["flips"] if flips["slice"] == "slow pulse")
    assert whole["gained"] > 10 * whole["lost"]
    assert slow["gained"] > 0.6 * slow["rows"]
    recall = next(row for row in report["metrics"] if row["metric"] == "recall")
    assert recall["new"] > next(iter(recall["old"].values())) + 0.2


def test_the_pull_request_brings_the_rows_and_the_model_that_finds_them(tmp_path, github, monkeypatch):
    project = Article(tmp_path)
    missed = project.serve(patients(1_500, 7, "p", slow=True))
    monkeypatch.setenv("PATH", f"{BIN}:{os.environ['PATH']}")
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    may = {"contents": "write", "pull-requests": "write", "issues": "write"}
    env = {
        "GITHUB_API_URL": github.url,
        "GITHUB_REPOSITORY": github.repository,
        "GITHUB_TOKEN": github.token(permissions=may),
    }
    found = offer(
        Collecting(project.root, load_policy(project.root), NOW), env, patience=Patience(tries=2, longest=0.1)
    )
    assert (found.action, found.new) == ("opened", missed)
    body = github.pulls()[0]["body"]
    assert f"missed {missed} of the new rows" in body
    assert "Reproduced with these rows: `train`, `export`, `predict`" in body
    changed = project.git("--git-dir", str(project.origin), "diff", "--name-only", "main", "feedback/people").split()
    assert {"data/feedback.parquet.dvc", "dvc.lock", "models/model.onnx"} <= set(changed)
    assert project.git("status", "--porcelain") == ""
    project.git("fetch", "-q", "origin")
    project.git("checkout", "-q", "-b", "review", "origin/feedback/people")
    project.run("dvc", "pull", "-q")
    report = json.loads(project.run("mlci", "compare", "--baseline", "main", "--json"))
    whole = next(flips for flips in report["verdict"]["comparisons"][0]["flips"] if flips["slice"] is None)
    assert whole["gained"] > 10 * whole["lost"]
