"""The memory limit of a policy holds: what a check of a large table takes over one of a small table."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pytest
import yaml

LIMIT = 100_000_000
POLICY = {
    "columns": {
        "k": {"unique": True, "missing": "0%"},
        "i": {"unique": True},
        "x": {"median": [0, 0.1], "std": [0, 0.1]},
    },
    "unique": [["k", "i"]],
    "conflicts": {"label": "s", "features": ["k", "i"]},
}
MEASURE = """
import resource, subprocess, sys
command = [sys.executable, "-m", "mlci", "data", "check", "-C", sys.argv[1]]
done = subprocess.run(command, capture_output=True, text=True)
assert done.returncode == 1, done.stderr
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def taken(root, rows):
    """The most memory that a check of so many rows has, in bytes; every promise is broken."""
    root.mkdir()
    with duckdb.connect(config={"memory_limit": "1GB", "threads": 2}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            f"COPY (SELECT 'a rather long key, number ' || (range * 7919) % {rows - 100} AS k, range % {rows - 7} AS i,"
            f" random() AS x, 'c' || range % 50 AS s FROM range({rows})) TO '{root / 't.parquet'}'"
        )
    policy = {"data": {"t": {"path": "t.parquet", **POLICY}}, "engine": {"memory": LIMIT, "threads": 2}}
    (root / "params.yaml").write_text(yaml.safe_dump({"mlci": policy}))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(root)], capture_output=True, text=True, check=True, cwd=root
    )
    return int(done.stdout)


@pytest.mark.slow
def test_a_large_table_takes_little_more_than_the_limit(tmp_path):
    small, large = taken(tmp_path / "small", 1_000), taken(tmp_path / "large", 3_000_000)
    # Without a limit it is 420 MB. On top of the limit comes half of it for keys sorted outside the engine, and
    # what allocators keep.
    assert large - small < 3 * LIMIT
