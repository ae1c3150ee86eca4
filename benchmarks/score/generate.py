"""Write a table and a model that was trained on such rows: `generate.py FOLDER ROWS`."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMBERS, TEXTS = tuple(f"n{i}" for i in range(12)), ("origin", "carrier")
TRAINED_ON = 50_000
POLICY = "mlci:\n  model: {name: big, label: label, id: id, threshold: 0.3}\n"


def rows(n: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    columns = {name: rng.normal(size=n) for name in NUMBERS}
    columns |= {name: np.array([f"v{i}" for i in range(20)])[rng.integers(0, 20, n)] for name in TEXTS}
    label = columns["n0"] + 0.5 * columns["n1"] + (columns["origin"] == "v3") + rng.normal(size=n) > 1
    return pa.table({"id": np.arange(n) + seed, **columns, "label": label})


def main() -> None:
    folder, n = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    train = rows(TRAINED_ON, 1)
    pq.write_table(train, folder / "train.parquet")
    columns = ColumnTransformer(
        [("numbers", StandardScaler(), list(NUMBERS)), ("texts", OneHotEncoder(handle_unknown="ignore"), list(TEXTS))]
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=200))
    model.fit(train.select([*NUMBERS, *TEXTS]).to_pandas(), train.column("label").to_numpy())
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    step = 1_000_000
    with pq.ParquetWriter(folder / "table.parquet", train.schema) as writer:
        for start in range(0, n, step):
            writer.write_table(rows(min(step, n - start), 2 + start))
    (folder / "params.yaml").write_text(POLICY)


if __name__ == "__main__":
    main()
