"""Write a repository with predictions of two models that are about equally good: `generate.py FOLDER ROWS`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from run import COLUMNS, POLICY, VALUES

POSITIVE, THRESHOLD = 0.2, 0.5


def main() -> None:
    folder, n = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    label = rng.random(n) < POSITIVE
    latent = np.where(label, 1.0, -1.0) + rng.normal(size=n)
    rows = {"id": np.char.add("r", np.char.zfill(np.arange(n).astype(str), 8)), "label": label}
    names = np.array([f"v{j}" for j in range(VALUES)])
    columns = {f"c{i}": names[rng.integers(0, VALUES, n)] for i in range(COLUMNS)}
    pq.write_table(pa.table({**rows, **columns}), folder / "test.parquet")
    (folder / "params.yaml").write_text(POLICY)
    (folder / ".gitignore").write_text("reports/\n.cache/\nnew.parquet\n")
    for name in ("predictions.parquet", "new.parquet"):
        score = 1 / (1 + np.exp(1 - 1.5 * latent - 0.5 * rng.normal(size=n)))
        pq.write_table(pa.table({**rows, "prediction": score >= THRESHOLD, "score": score}), folder / name)
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "A model"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    (folder / "predictions.parquet").write_bytes((folder / "new.parquet").read_bytes())


if __name__ == "__main__":
    main()
