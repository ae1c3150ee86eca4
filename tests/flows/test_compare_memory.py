"""The memory limit of a policy holds for a comparison: what many predictions take over a few."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import pytest

LIMIT = 100_000_000
ROWS = 3_000_000
POLICY = f"""\
mlci:
  engine: {{memory: {LIMIT}, threads: 2}}
  model: {{name: m, label: label, id: id}}
  gate:
    test: test.parquet
    predictions: predictions.parquet
    metrics:
      accuracy: {{drop: 0.01}}
      roc_auc: {{drop: 0.01}}
      f1: {{drop: 0.02}}
      log_loss: {{rise: 0.01}}
    slices: {{by: [c]}}
    weak: {{features: [c]}}
"""
MEASURE = """
import resource, subprocess, sys
command = [sys.executable, "-m", "mlci", "compare", "-C", sys.argv[1]]
done = subprocess.run(command, capture_output=True, text=True)
assert done.returncode in {0, 1}, done.stderr
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def taken(root, rows):
    """The most memory that a comparison of so many rows has, in bytes, and its verdict."""
    root.mkdir()
    (root / "params.yaml").write_text(POLICY)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.compression=0"]
    for seed in (0.1, 0.2):
        with duckdb.connect(config={"memory_limit": "1GB", "threads": 2}) as connection:
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"SELECT setseed({seed})")
            known = f"SELECT 'key number ' || (range * 7919) % {rows} AS id, range % 5 = 0 AS label FROM range({rows})"
            for name, more in (
                ("test", "'v' || hash(id) % 4 AS c"),
                ("predictions", "CASE WHEN label THEN 1 - 0.7 * random() ELSE 0.7 * random() END AS score"),
            ):
                connection.execute(f"COPY (SELECT *, {more} FROM ({known})) TO '{root / name}.parquet'")
        if seed == 0.1:
            for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "A model"]):
                subprocess.run(["git", *identity, *command], cwd=root, check=True)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(root)], capture_output=True, text=True, check=True, cwd=root
    )
    return int(done.stdout), json.loads((root / "reports" / "verdict.json").read_text())


@pytest.mark.slow
def test_many_predictions_take_little_more_than_the_limit(tmp_path):
    (small, _), (large, verdict) = taken(tmp_path / "small", 2_000), taken(tmp_path / "large", ROWS)
    assert verdict["comparisons"][0]["rows"] == ROWS
    assert sum(finding["area"] == "gate" for finding in verdict["findings"]) == 4 * 5
    # The engine's limit and what its allocator keeps, what is summed up of a block, and 60 bytes a row of arrays that
    # are in memory up to 32 MB each, and in files beyond.
    assert large - small < 6 * LIMIT
