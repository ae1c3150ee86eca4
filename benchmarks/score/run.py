"""Time `mlci score` beside the estimator itself and ONNX Runtime, both with the whole table in memory.

    python benchmarks/score/run.py --rows 1_000_000,10_000_000 --repeat 5

Whole processes in turns: from the start to the predictions on disk. All must give the same scores to 1e-5.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.common import CACHE, DOCS, OURS, Job, about, in_turns, machine, ours, rows_of, run, write

HERE = Path(__file__).parent
LIMIT = 512
CLOSE = 1e-5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="1_000_000", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--repeat", default=5, type=int)
    parser.add_argument("--out", default=DOCS, type=Path, help="folder of score.json, score.md and score.svg")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    sizes = [{"rows": rows, "runs": in_turns(_jobs(rows), options.repeat)} for rows in options.rows]
    result = {"machine": machine(), "load_before": load, "repeat": options.repeat, "sizes": sizes}
    bars = {f"{size['rows']:,} rows": size["runs"] for size in sizes}
    write("score", result, _page(result), bars, options.out)


def _jobs(rows: int) -> list[Job]:
    folder = CACHE / f"score-{rows}"
    if not (folder / "model.onnx").exists():
        subprocess.run([sys.executable, HERE / "generate.py", folder, str(rows)], check=True)
        export = ours("model", "export", "model.pkl", "--data", "train.parquet", "--out", "model.onnx", "--trust")
        run(Job("exporting the model", export, folder))
    script = HERE / "contestants"
    forget = ("rm", "-rf", ".cache", "mlci.parquet")
    one = ours("score", "model.onnx", "table.parquet", "--out", "mlci.parquet")
    jobs = [
        Job(OURS, one, folder, before=forget),
        Job("mlci, one worker", [*one, "--workers", "1"], folder, before=forget),
        Job("ONNX Runtime by hand", [sys.executable, str(script / "runtime.py"), "runtime.parquet"], folder),
        Job("scikit-learn by hand", [sys.executable, str(script / "estimator.py"), "estimator.parquet"], folder),
    ]
    for job in jobs:
        run(job)
    scores = [_scores(folder / f"{name}.parquet") for name in ("mlci", "runtime", "estimator")]
    for other in scores[1:]:
        if not np.allclose(scores[0], other, rtol=0, atol=CLOSE):
            sys.exit(f"{folder}: the scores differ by up to {np.abs(scores[0] - other).max()}")
    return jobs


def _scores(path: Path) -> np.ndarray:
    table = pq.read_table(path, columns=["id", "score"])
    return table.column("score").to_numpy()[np.argsort(table.column("id").to_numpy(), kind="stable")]


def _page(result: dict) -> str:
    lines = [
        "# Scoring a table: speed and memory",
        "",
        "Made by `benchmarks/score/run.py`: a logistic regression on 12 numbers and 2 categories, from the start of",
        "the process to the predictions on disk, in turns; all gave the same scores. A ratio is the median over the",
        "turns of a time divided by mlci's in the same turn (smallest to largest in brackets).",
        "",
        about(result["machine"], result["load_before"], result["repeat"]),
        "",
        "![Seconds of each contestant](score.svg)",
    ]
    for size in result["sizes"]:
        memory = max(size["runs"][OURS]["memory"])
        held = "held" if memory <= LIMIT else "**missed**"
        lines += ["", f"## {size['rows']:,} rows", "", *rows_of(size["runs"]), ""]
        lines += [f"- {held}: peak memory of mlci in MB: {memory:,.0f}, target at most {LIMIT}"]
    lines += [
        "",
        "mlci reads and writes in batches: its memory does not grow with the table, that of the others does. It",
        "refuses ids that come twice, and goes on where an interrupted run was.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
