"""The same gate on DuckDB and on Spark gives the same verdict of a comparison, byte for byte, and the same errors."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from mlci.edges.policy_file import load_policy
from mlci.edges.predictions import PredictionFiles
from mlci.errors import MlciError
from mlci.flows.compare import compare
from mlci.flows.report import save
from mlci.flows.report_data import check_and_report

# Answers come to Python through sockets that pyspark leaves to the garbage collector.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("spark"),
]
ROWS = 400
IDS = {
    "texts": [f"ü-{at}'日本" for at in range(ROWS)],
    "big integers": [2**53 + at for at in range(ROWS)],
    "decimals": [Decimal(10**20 + at) / 1000 for at in range(ROWS)],
    "tiny decimals": [Decimal(at + 1).scaleb(-9) for at in range(ROWS)],
    "floats": [at / 7 for at in range(ROWS)],
    "dates": np.datetime64("1800-01-01") + np.arange(ROWS),
    "moments": pa.array([10**15 * (at - 200) + at for at in range(ROWS)], pa.timestamp("us", "UTC")),
}
SLICES = {
    "far": {"where": "Distance > 1500 AND place <> 'JFK'"},
    "early": {"where": "regexp_matches(place, '^L') OR epoch(moment) < 0"},
    "by": ["place", ["place", "flag"], "empty", "price", "zoned", "moment"],
    "bins": {"distance": 4, "price": [0, 1, 2.5]},
}


def git(root, *words):
    identity = ["-c", "user.name=A Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


def columns_of_test():
    """Values that engines write or compare in different ways."""
    rng = np.random.default_rng(1)
    distance = rng.integers(0, 3000, ROWS).astype(float)
    distance[:20], distance[20:25], distance[25:27] = np.nan, np.inf, [0.0, -0.0]
    places = ["JFK", "LGA", None, "São Paulo", "it's", ""]
    moments = [None, -(10**14), 0, 1_362_882_600_000_000, 1_362_882_600_500_000]
    return {
        "distance": pa.array(distance),
        "place": pa.array([places[at % 6] for at in range(ROWS)]),
        "flag": pa.array([[True, False, None][at % 3] for at in range(ROWS)]),
        "empty": pa.nulls(ROWS, pa.string()),
        "price": pa.array([None if at % 5 == 0 else Decimal(at % 7) / 2 for at in range(ROWS)], pa.decimal128(12, 3)),
        "zoned": pa.array([moments[at % 5] for at in range(ROWS)], pa.timestamp("us", "America/New_York")),
        "moment": pa.array([moments[at % 5] for at in range(ROWS)], pa.timestamp("us")),
        "unasked": pa.array([[at] for at in range(ROWS)]),
    }


def answers(task, seed):
    """Label, and what a model says of it."""
    rng = np.random.default_rng(7)
    kind = {"binary": 2, "multiclass": 3}.get(task)
    label = rng.normal(size=ROWS) if kind is None else rng.integers(0, kind, ROWS)
    other = np.random.default_rng(seed)
    if task == "regression":
        return label, {"prediction": label + other.normal(size=ROWS)}
    noise = other.random((ROWS, kind)) + np.eye(kind)[label]
    scores = noise / noise.sum(axis=1, keepdims=True)
    if task == "binary":
        return label.astype(bool), {"score": np.round(scores[:, 1], 2)}
    names = np.array(["AA", "é", "日"])
    said = {f"score_{name}": scores[:, at] for at, name in enumerate(names)}
    return names[label], {"prediction": names[scores.argmax(axis=1)], **said}


def write(file, ids, **columns):
    order = np.random.default_rng(len(columns)).permutation(len(ids))
    pq.write_table(pa.table({"id": pa.array(ids), **columns}).take(pa.array(order)), file)


METRICS = {
    "binary": {"accuracy": {"drop": 0.1}, "roc_auc": {"drop": 0.1}, "log_loss": {"rise": 0.5}},
    "multiclass": {"accuracy": {"drop": 0.1}, "macro_f1": {"drop": 0.2}},
    "regression": {"rmse": {"rise": "50%"}},
}


def project(root, task="binary", ids=None):
    """A test table, and two models: the first committed, the second not."""
    ids = IDS["texts"] if ids is None else ids
    git(root, "init", "-q", "-b", "main")
    gate = {"test": "test.parquet", "predictions": "answers.parquet", "metrics": METRICS[task], "slices": SLICES}
    policy = {"model": {"name": "m", "label": "label", "id": "id", "task": task}, "gate": gate}
    (root / "params.yaml").write_text(yaml.safe_dump({"mlci": policy}, sort_keys=False))
    (root / ".gitignore").write_text("reports/\n.cache/\n")
    label, first = answers(task, 1)
    write(root / "test.parquet", ids, label=label, **columns_of_test())
    write(root / "answers.parquet", ids, label=label, **first)
    git(root, "add", "--all")
    git(root, "commit", "-qm", "A model")
    write(root / "answers.parquet", ids, label=label, **answers(task, 2)[1])
    return root


def spoken(policy, engine):
    """The policy with another engine; its file stays as it is."""
    other = policy.policy.engine.model_copy(update={"name": engine})
    return dataclasses.replace(policy, policy=policy.policy.model_copy(update={"engine": other}))


def verdict(root, engine):
    """The bytes of the verdict."""
    report = compare(root, spoken(load_policy(root, "params.yaml"), engine))
    save(root, report)
    return (root / "reports" / "verdict.json").read_bytes(), report


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_task_has_the_same_verdict(tmp_path, task):
    project(tmp_path, task)
    duck, report = verdict(tmp_path, "duckdb")
    spark, other = verdict(tmp_path, "spark")
    assert len(report.verdict.findings) > 30
    assert spark == duck
    assert other == report
    assert json.loads(duck)["comparisons"][0]["status"] == "compared"


def loaded(root, engine, old=None):
    """What the judge is given, or the error."""
    try:
        found = PredictionFiles(root, spoken(load_policy(root, "params.yaml"), engine)).load(old)
    except MlciError as error:
        return type(error), error.problem, error.mend
    sample = found.sample
    told = {part.name: None if part.rows is None else part.rows.tolist() for part in sample.parts}
    old_scores = sample.old.score.tolist() if sample.old is not None else None
    counts = (found.unlabelled, found.unmatched, found.changed)
    return list(sample.ids), sample.label.tolist(), sample.new.score.tolist(), old_scores, told, counts


@pytest.mark.parametrize("kind", list(IDS)[1:])
def test_ids_of_every_kind_find_each_other(tmp_path, kind):
    project(tmp_path, ids=IDS[kind])
    old = tmp_path / "old.parquet"
    write(old, IDS[kind][: ROWS - 5], label=answers("binary", 1)[0][: ROWS - 5], score=np.full(ROWS - 5, 0.25))
    found = loaded(tmp_path, "spark", old)
    assert found == loaded(tmp_path, "duckdb", old)
    assert len(found[0]) == ROWS - 5
    assert found[-1][1] == 5


def _defects():
    """Tables that can't be judged, and a word of what is said of each."""
    ids, (label, said) = np.array(IDS["texts"], dtype=object), answers("binary", 2)
    score = said["score"]
    good = {"id": ids, "label": label, "score": score}
    broken = score.copy()
    broken[3:5] = [np.nan, 1.5]
    missing = [None, *score[1:].tolist()]
    twice = np.array([*ids[:-2], ids[0], ids[0]], dtype=object)
    nobody = np.array([None, None, *ids[2:]], dtype=object)
    none = {name: values[:0] for name, values in good.items()}
    return {
        "duplicates": ({"answers": {**good, "id": twice}}, "comes twice"),
        "no id": ({"answers": {**good, "id": nobody}}, "rows have no `id`"),
        "NaN": ({"answers": {**good, "score": broken}}, "missing, NaN or outside"),
        "null scores": ({"answers": {**good, "score": missing}}, "missing, NaN or outside"),
        "missing rows": ({"answers": {name: values[9:] for name, values in good.items()}}, "no prediction for 9"),
        "foreign ids": ({"answers": {**good, "id": np.array([*ids[:-1], "x"], dtype=object)}}, "no prediction for 1"),
        "own labels": ({"answers": {**good, "label": ~label}}, "are not those of"),
        "empty": ({"answers": {**none, "id": pa.array([], pa.string())}}, "has no rows"),
        "no column": ({"answers": {"label": label, "score": score}}, "has no column `id`"),
        "no score": ({"answers": {"id": ids, "label": label}}, "no column `prediction`"),
        "odd labels": ({"answers": {**good, "label": np.where(label, 2, 0)}}, "neither true/false nor 0/1"),
        "test twice": ({"test": {"id": twice}}, "the ids are not unique"),
        "test without ids": ({"test": {"id": None}}, "has no column `id`"),
        "nothing known": ({"answers": {**good, "label": pa.nulls(ROWS, pa.bool_())}}, "can be judged"),
        "old twice": ({"old": {**good, "id": twice}}, "the baseline's predictions: 400 rows have only"),
    }


@pytest.mark.parametrize("defect", _defects())
def test_what_cannot_be_judged_is_told_in_the_same_words(tmp_path, defect):
    project(tmp_path)
    tables, word = _defects()[defect]
    if "test" in tables or defect == "nothing known":
        test = {"id": pa.array(IDS["texts"]), **columns_of_test(), **tables.get("test", {})}
        pq.write_table(
            pa.table({name: values for name, values in test.items() if values is not None}), tmp_path / "test.parquet"
        )
    for name in {"answers", "old"} & tables.keys():
        pq.write_table(pa.table(tables[name]), tmp_path / f"{name}.parquet")
    old = tmp_path / "old.parquet" if "old" in tables else None
    found = loaded(tmp_path, "spark", old)
    assert found == loaded(tmp_path, "duckdb", old)
    assert issubclass(found[0], MlciError)
    assert word in found[1]


@pytest.mark.parametrize("ending", ["csv.gz", "jsonl"])
def test_text_files_are_read_with_the_same_types(tmp_path, ending):
    project(tmp_path, ids=[f"{at:06}" for at in range(ROWS)])
    text, odd = tmp_path / f"answers.{ending}", tmp_path / f"odd.{ending}"
    form = "csv, HEADER" if "csv" in ending else "json"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM '{tmp_path}/answers.parquet') TO '{text}' (FORMAT {form})")
        rows = "CASE WHEN i < 50000 THEN i::VARCHAR ELSE 'x' END AS widened"
        cells = (
            "'00' || i AS code, TIMESTAMP '2013-01-01' + INTERVAL (i) HOUR AS moment, i / 7 AS number, i % 2 = 0 AS b"
        )
        connection.execute(f"COPY (SELECT {rows}, {cells} FROM range(60000) AS t(i)) TO '{odd}' (FORMAT {form})")
    params = yaml.safe_load((tmp_path / "params.yaml").read_text())
    params["mlci"]["gate"]["predictions"] = text.name
    columns = {
        "widened": {"type": "string"},
        "code": {"type": "string", "pattern": "00[0-4]+"},
        "moment": {"type": "timestamp", "range": ["2014-01-01", "2015-01-01"]},
        "number": {"mean": [0, 1]},
        "b": {"type": "boolean", "allowed": [True]},
    }
    params["mlci"]["data"] = {"odd": {"path": odd.name, "columns": columns}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert loaded(tmp_path, "spark") == loaded(tmp_path, "duckdb")
    found = []
    for engine in ("duckdb", "spark"):
        report, _ = check_and_report(tmp_path, spoken(load_policy(tmp_path, "params.yaml"), engine))
        found.append(report)
    assert found[0] == found[1]
    assert {finding.outcome for finding in found[0].verdict.findings} == {"pass", "fail"}


def test_ids_of_odd_types_that_differ_are_refused_by_name(tmp_path):
    project(tmp_path, ids=IDS["floats"])
    label, said = answers("binary", 2)
    write(tmp_path / "answers.parquet", [str(each) for each in IDS["floats"]], label=label, **said)
    kind, problem, _ = loaded(tmp_path, "spark")
    assert issubclass(kind, MlciError)
    assert "ids of different types" in problem
    assert "double in test.parquet" in problem


def test_the_flights_have_the_same_verdict_of_a_comparison(flights):
    import pandas as pd  # noqa: PLC0415 - slow to load

    params = yaml.safe_load((flights / "params.yaml").read_text())
    gate = params["mlci"]["gate"]
    gate["slices"] |= {"by": ["origin", ["origin", "carrier"]], "bins": {"distance": 4, "temp": [32, 60]}}
    gate |= {"group": "tailnum" if "tailnum" in pq.read_schema(flights / "data/test.parquet").names else "dest"}
    gate |= {"weak": {"features": ["dest", "humid"]}, "beats": ["majority"]}
    del params["mlci"]["train"]
    (flights / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    (flights / ".gitignore").write_text("reports/\n.cache/\n")
    test = pd.read_parquet(flights / "data/test.parquet")
    for seed, commit in ((1, True), (2, False)):
        noise = np.random.default_rng(seed).random(len(test))
        score = np.round(0.7 * noise + 0.3 * test["disrupted"].to_numpy(), 6)
        answers = pd.DataFrame({"flight_id": test["flight_id"], "disrupted": test["disrupted"], "score": score})
        answers.to_parquet(flights / "models/predictions.parquet")
        if commit:
            git(flights, "init", "-q", "-b", "main")
            git(flights, "add", "--all")
            git(flights, "commit", "-qm", "A model")
    found = {}
    for engine in ("duckdb", "spark"):
        check_and_report(flights, spoken(load_policy(flights, "params.yaml"), engine))
        found[engine] = verdict(flights, engine)
    report = found["duckdb"][1]
    assert found["spark"][0] == found["duckdb"][0]
    assert found["spark"][1] == report
    assert {"data", "gate"} <= {finding.area for finding in report.verdict.findings}
    assert len(report.verdict.findings) > 150


def test_executors_of_their_own_give_the_same_verdict(tmp_path):
    """Two workers beside the driver: what they are sent must be sendable, and they start Python on their own."""
    import pyspark  # noqa: PLC0415 - not everybody has it

    project(tmp_path)
    expected, _ = verdict(tmp_path, "duckdb")
    params = yaml.safe_load((tmp_path / "params.yaml").read_text())
    params["mlci"]["engine"] = {"name": "spark", "master": "local-cluster[2,1,512]"}
    params["mlci"]["engine"]["config"] = {"spark.executor.memory": "512m"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    # Workers write into Spark's folder, which is not the tests' own.
    home = tmp_path / "spark"
    home.mkdir()
    for part in ("bin", "jars"):
        (home / part).symlink_to(Path(pyspark.__file__).parent / part)
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_DIRS": str(tmp_path / "local")}
    command = [sys.executable, "-m", "mlci", "compare"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "reports/verdict.json").read_bytes() == expected
