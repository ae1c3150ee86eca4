"""A table scored on Spark has the predictions that this machine gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from mlci.errors import PolicyError, WorldError
from mlci.flows.export import prove_export
from mlci.flows.score import score_file
from mlci.nouns.policy import Policy, PolicyFile

# Answers come to Python through sockets that pyspark leaves to the garbage collector.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A model and a table in a folder."""
    folder = tmp_path_factory.mktemp("score")
    draw = np.random.default_rng(1)
    frame = pd.DataFrame({"a": draw.normal(size=500), "b": draw.normal(size=500)})
    truth = frame.a + draw.normal(size=500) > 0
    known = HistGradientBoostingClassifier(max_iter=5).fit(frame, truth)
    found = prove_export(known, pa.Table.from_pandas(frame, preserve_index=False), name="m", task="binary")
    (folder / "model.onnx").write_bytes(found[0])
    frame.insert(0, "id", [f"r{at}" for at in range(500)])
    frame["late"] = truth
    frame.to_parquet(folder / "t.parquet", row_group_size=50)
    pd.concat([frame, frame[:2]]).to_parquet(folder / "twins.parquet")
    frame.drop(columns="b").to_parquet(folder / "narrow.parquet")
    return folder


def score(root, table, out, engine):
    model = {"name": "m", "label": "late", "id": "id", "threshold": 0.3}
    policy = PolicyFile(Policy.model_validate({"model": model, "engine": engine}))
    return score_file(
        policy, root / "model.onnx", str(root / table), root / out, project=root, workers=1, say=lambda _: None
    )


@pytest.mark.usefixtures("spark")
def test_partitions_answer_as_this_machine_does(root):
    score(root, "t.parquet", "here.parquet", "duckdb")
    done = score(root, "t.parquet", "there", "spark")
    here, there = pq.read_table(root / "here.parquet"), pq.read_table(root / "there")
    assert (done.rows, done.columns) == (500, ("id", "label", "prediction", "score"))
    assert there.schema.names == here.schema.names
    assert there.sort_by("id").equals(here.sort_by("id"))


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(
    ("table", "out", "said"),
    [
        ("twins.parquet", "twins", "2 values of `id` come more than once: 'r0', 'r1'"),
        ("narrow.parquet", "narrow", "column `b` .* is missing"),
        ("none.parquet", "none", "does not exist"),
        ("t.parquet", "t-again.parquet", "Spark writes a folder"),
    ],
)
def test_what_can_not_be_scored_is_told_by_name(root, table, out, said):
    with pytest.raises((WorldError, PolicyError), match=said):
        score(root, table, out, "spark")
    assert not (root / out).exists()
