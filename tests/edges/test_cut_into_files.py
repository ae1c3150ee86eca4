"""How tables are cut into files and row groups, and in which order rows and columns come, changes no verdict."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.edges.predictions import PredictionFiles
from mlci.judge.asks import ask_changes, ask_values
from mlci.judge.gate import settle
from mlci.nouns.policy import Cost, Gate, Model, Policy, PolicyFile

N = 360
METRICS = {
    "binary": ("accuracy", "roc_auc", "f1", "balanced_accuracy", "log_loss", "brier", "cost"),
    "multiclass": ("accuracy", "macro_f1", "recall_a", "top_2_accuracy", "log_loss"),
    "regression": ("mae", "rmse", "r2", "mape", "pinball_90"),
}
WORSE_IS_MORE = {"log_loss", "brier", "cost", "mae", "rmse", "mape", "pinball_90"}


@dataclass(frozen=True)
class Layout:
    """How one table is written: the order of its rows and columns, its files, and what is in one."""

    seed: int
    files: int
    row_group: int
    chunks: int
    reversed_columns: bool

    def write(self, folder: Path, columns: dict[str, np.ndarray]) -> None:
        rng = np.random.default_rng(self.seed)
        names = list(columns)[:: -1 if self.reversed_columns else 1]
        order = rng.permutation(N) if self.seed else np.arange(N)
        folder.mkdir()
        for number, rows in enumerate(np.array_split(order, self.files)):
            pieces = [pa.table({name: columns[name][some] for name in names}) for some in _pieces(rows, self.chunks)]
            pq.write_table(pa.concat_tables(pieces), folder / f"{number}.parquet", row_group_size=self.row_group)


def _pieces(rows, count):
    return [piece for piece in np.array_split(rows, count) if piece.size]


PLAIN = Layout(0, 1, N, 1, reversed_columns=False)
LAYOUTS = st.builds(
    Layout,
    seed=st.integers(0, 1_000),
    files=st.integers(1, 5),
    row_group=st.integers(7, N),
    chunks=st.integers(1, 4),
    reversed_columns=st.booleans(),
)


def answers(task: str, seed: int) -> tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
    """A test table, and the columns of two models' predictions."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"r{number}" for number in rng.permutation(N)])
    test = {"id": ids, "part": np.array(["x", "y", "z"])[rng.integers(0, 3, N)], "user": rng.integers(0, 90, N)}
    if task == "regression":
        label = 5 + rng.random(N)
        said = [{"prediction": label + rng.normal(size=N) * spread} for spread in (0.5, 0.6)]
    elif task == "binary":
        label = rng.random(N) < 0.5
        scores = [np.clip(0.5 + (label - 0.5) * 0.6 + rng.normal(size=N) * 0.25, 0.01, 0.99) for _ in range(2)]
        said = [{"prediction": score >= 0.5, "score": score} for score in scores]
    else:
        names = np.array(["a", "b", "c"])
        label = names[rng.integers(0, 3, N)]
        shares = [rng.dirichlet([1, 1, 1], N) + 1.5 * (label[:, None] == names) for _ in range(2)]
        shares = [share / share.sum(axis=1, keepdims=True) for share in shares]
        said = [
            {"prediction": names[share.argmax(axis=1)]} | {f"score_{name}": share[:, i] for i, name in enumerate(names)}
            for share in shares
        ]
    return test | {"label": label}, [{"id": ids, "label": label} | each for each in said]


def judged(task: str, group: str | None, seed: int, layouts: tuple[Layout, Layout, Layout]):
    """All findings, from three tables on a disk."""
    promises = {name: {"rise" if name in WORSE_IS_MORE else "drop": 0.02} for name in METRICS[task]}
    gate = Gate.model_validate(
        {
            "test": "test/*.parquet",
            "predictions": "new/*.parquet",
            "metrics": promises,
            "slices": {"by": ["part"]},
            "group": group,
        }
    )
    model = Model(name="m", task=task, label="label", id="id", cost=Cost(false_negative=3))
    policy = PolicyFile(Policy(model=model, gate=gate))
    test, (old, new) = answers(task, seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder, columns, layout in zip(("test", "old", "new"), (test, old, new), layouts, strict=True):
            layout.write(root / folder, columns)
        sample = PredictionFiles(root, policy).load(root / "old" / "*.parquet").sample
    asks = [*ask_values(sample, gate, model), *ask_changes(sample, gate, model, "merge-base")]
    return settle(asks, gate, policy)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1_000), st.tuples(LAYOUTS, LAYOUTS, LAYOUTS))
@pytest.mark.parametrize("group", [None, "user"])
@pytest.mark.parametrize("task", METRICS)
def test_the_layout_of_the_tables_changes_no_byte_of_the_findings(task, group, seed, layouts):
    told = judged(task, group, seed, layouts)
    assert [each.model_dump_json() for each in told] == [
        each.model_dump_json() for each in judged(task, group, seed, (PLAIN, PLAIN, PLAIN))
    ]
    assert any(each.gate.p_value is not None for each in told)
