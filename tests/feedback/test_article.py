"""The article's case: what users report as missed is in the next training set, and the next model finds it."""

import json

import pandas as pd
import pytest
from article import NOW, Article, patients

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
    assert recall["new"] > recall["old"] + 0.2
