"""Time `mlci compare` on a million predictions, 50 slices and 6 metrics, beside the naive way.

    python benchmarks/compare/run.py --rows 1_000_000 --slices 3

The naive way is what people write by hand: pandas `groupby`, scikit-learn's metrics, and `scipy.stats.bootstrap` for
the intervals, with 999 resamples. It is too slow to be run whole: it is timed for the points of all rows and slices,
and for the intervals of some slices; the intervals of the other slices, and of all rows, are extrapolated in proportion
to their rows. That favours the naive way, whose time grows a little faster than the rows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CACHE = ROOT / ".cache" / "bench" / "compare"
DOCS = ROOT / "docs" / "benchmarks"
COLUMNS, VALUES = 5, 10
POLICY = """\
mlci:
  model: {name: big, label: label, id: id, cost: {false_negative: 4, false_positive: 1}}
  gate:
    test: test.parquet
    predictions: predictions.parquet
    metrics:
      accuracy: {drop: 0.01}
      roc_auc: {drop: 0.01}
      f1: {drop: 0.01}
      log_loss: {rise: 0.01}
      brier: {rise: 0.01}
      cost: {rise: 0.02}
    slices: {by: [c0, c1, c2, c3, c4]}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=1_000_000, type=lambda text: int(text.replace("_", "")))
    parser.add_argument("--slices", default=2, type=int, help="of how many slices the naive way's intervals are run")
    parser.add_argument("--resamples", default=99, type=int, help="run of the naive 999; the rest is extrapolated")
    parser.add_argument("--f1-resamples", default=60, type=int, help="the same of the naive 10,000 of F1 alone")
    parser.add_argument("--repeat", default=3, type=int, help="runs of mlci; the median counts")
    parser.add_argument("--out", default=DOCS, type=Path, help="folder of compare.json and compare.md")
    options = parser.parse_args()
    folder = CACHE / str(options.rows)
    _generate(folder, options.rows)
    ours = sorted((_ours(folder) for _ in range(options.repeat)), key=lambda run: run["wall"])[options.repeat // 2]
    naive = _script("naive.py", folder, options.slices, options.resamples)
    f1 = _script("f1.py", folder, options.f1_resamples)
    result = {"machine": _machine(), "rows": options.rows, "mlci": ours, "naive": naive, "f1": f1}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "compare.json").write_text(json.dumps(result, indent=2) + "\n")
    text = _markdown(result)
    (options.out / "compare.md").write_text(text)
    print(text)


def _generate(folder: Path, rows: int) -> None:
    """A repository whose last commit holds the old predictions, with the new ones beside it."""
    if not (folder / "new.parquet").exists():
        # In a process of its own: a child's peak memory is never below its parent's at the fork.
        subprocess.run([sys.executable, HERE / "generate.py", folder, str(rows)], check=True)


def _ours(folder: Path) -> dict[str, float]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlci", "compare"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    findings = json.loads((folder / "reports" / "verdict.json").read_text())["findings"]
    checks = sum(finding["area"] == "gate" for finding in findings)
    if process.returncode != 0 or checks != 6 * (1 + COLUMNS * VALUES):
        sys.exit(f"mlci ended with {process.returncode} and {checks} checks")
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / scale, "checks": checks}


def _script(name: str, *arguments: object) -> dict[str, float]:
    """What a script beside this one says, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, HERE / name, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def _markdown(result: dict) -> str:
    ours, naive = result["mlci"], result["naive"]
    points, whole = naive["points"], naive["extrapolated"]
    f1 = result["f1"]
    told, other = ([f"{100 * end:+.3f}" for end in f1[name]] for name in ("interval", "naive_interval"))
    return f"""\
# Comparing two models: speed and memory

{result["rows"]:,} predictions, 50 slices, 6 metrics: {ours["checks"]} checks, each with its test, its interval and the
correction for all. {result["machine"]}.

| what | seconds | times mlci | peak memory |
|---|---|---|---|
| `mlci compare`, whole process with report | {ours["wall"]:.1f} | 1 | {ours["memory"]:,.0f} MB |
| naive: points only, no interval | {points:.1f} | {points / ours["wall"]:.1f} | {naive["memory"]:,.0f} MB |
| naive with intervals (extrapolated) | {whole:,.0f} | {whole / ours["wall"]:,.0f} | |

Naive is pandas `groupby`, scikit-learn and `scipy.stats.bootstrap` (999 resamples, percentile, paired). Its points were
timed whole. Its intervals were timed on {naive["timed_slices"]} of 50 slices with {naive["timed_resamples"]} resamples
({naive["timed"]:.1f} s for {naive["timed_rows"]:,} rows) and extrapolated in proportion to rows and resamples. It
corrects for nothing, joins nothing and checks nothing.

## One change of F1

The paired bootstrap of a change of F1 on {f1["rows"]:,} rows, {
        f1["resamples"]:,} resamples, rows already in memory. mlci counts the
eight cells (label, old, new) once and draws from their multinomial; that is the same as drawing rows.

| what | CPU seconds | times mlci | change of F1, points, 90 % |
|---|---|---|---|
| mlci | {f1["ours"]:.3f} | 1 | {told[0]} to {told[1]} |
| `scipy.stats.bootstrap` of scikit-learn's `f1_score` (extrapolated) | {f1["extrapolated"]:,.0f} | {
        f1["extrapolated"] / f1["ours"]:,.0f} | {other[0]} to {other[1]} |

The latter was timed on {f1["timed_resamples"]} resamples ({f1["timed"]:.1f} s), on which its interval rests too.
CPU seconds, because the machine had other work: {f1["load"]:.1f} processes a core.
"""


def _machine() -> str:
    model = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        model = next((line.split(": ")[1] for line in info.read_text().splitlines() if "model name" in line), model)
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
