"""Write a repository with predictions of two models that are about equally good: `generate.py FOLDER ROWS`.

Rows are made and written a million at a time, so that a hundred million need no more memory than one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from run import COLUMNS, POLICY, VALUES

POSITIVE, THRESHOLD = 0.2, 0.5
PART = 1_000_000
TABLES = ("test.parquet", "predictions.parquet", "new.parquet")


def main() -> None:
    folder, n = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    with ExitStack() as files:
        writers: dict[str, pq.ParquetWriter] = {}
        for start in range(0, n, PART):
            for name, table in zip(TABLES, _part(rng, start, min(start + PART, n)), strict=True):
                if name not in writers:
                    writers[name] = files.enter_context(pq.ParquetWriter(folder / name, table.schema))
                writers[name].write_table(table)
    (folder / "params.yaml").write_text(POLICY)
    (folder / ".gitignore").write_text("reports/\n.cache/\nnew.parquet\n")
    for command in (
        ["init", "-q", "-b", "main"],
        ["config", "core.compression", "0"],
        ["add", "-A"],
        ["-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "A model"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    shutil.move(folder / "new.parquet", folder / "predictions.parquet")


def _part(rng: np.random.Generator, start: int, end: int) -> list[pa.Table]:
    """Some rows of every table."""
    n = end - start
    label = rng.random(n) < POSITIVE
    latent = np.where(label, 1.0, -1.0) + rng.normal(size=n)
    rows = {"id": np.char.add("r", np.char.zfill(np.arange(start, end).astype(str), 8)), "label": label}
    names = np.array([f"v{j}" for j in range(VALUES)])
    columns = {f"c{i}": names[rng.integers(0, VALUES, n)] for i in range(COLUMNS)}
    tables = [pa.table({**rows, **columns})]
    for _ in TABLES[1:]:
        score = 1 / (1 + np.exp(1 - 1.5 * latent - 0.5 * rng.normal(size=n)))
        tables.append(pa.table({**rows, "prediction": score >= THRESHOLD, "score": score}))
    return tables


if __name__ == "__main__":
    main()
