"""Time the drift of 12 columns against a reference, beside the tools that users would take instead.

    python benchmarks/drift/run.py --rows 1_000_000 --repeat 5

Whole processes in turns. mlci's usual way is a reference whose statistics were stored once; the first run, which
computes them, is timed too. Everybody must find the two columns that moved, and no other, before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from generate import MOVED, NUMBERS, TEXTS

from benchmarks.common import CACHE, DOCS, OURS, Job, about, in_turns, machine, ours, rows_of, run, write
from benchmarks.environments import interpreter

HERE = Path(__file__).parent
FIRST = "mlci, reference computed too"
PEERS = {
    "by hand": ("NumPy by hand", "by_hand.py", ()),
    "evidently": ("Evidently", "evidently_psi.py", ("evidently==0.7.23", "pandas<3", "pyarrow")),
    "nannyml": ("NannyML", "nannyml_univariate.py", ("nannyml==0.13.1", "statsmodels", "setuptools<81")),
    "frouros": ("Frouros", "frouros_ks.py", ("frouros==0.9.0", "pyarrow")),
}
POLICY = """\
mlci:
  engine: {threads: 2}
  data:
    current:
      path: current.parquet
      drift: {reference: REFERENCE, ks: 0.1, psi: 0.1}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=1_000_000, type=lambda text: int(text.replace("_", "")))
    parser.add_argument("--repeat", default=5, type=int)
    parser.add_argument("--peers", default=",".join(PEERS), type=lambda text: [n for n in text.split(",") if n])
    parser.add_argument("--out", default=DOCS, type=Path, help="folder of drift.json, drift.md and drift.svg")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    folder = CACHE / f"drift-{options.rows}"
    jobs, skipped = [*_ours(folder, options.rows)], {}
    for key in options.peers:
        name, script, packages = PEERS[key]
        try:
            # Evidently's environment is that of the checks.
            python = interpreter("evidently_pandas" if key == "evidently" else script.removesuffix(".py"), packages)
            columns = (",".join(NUMBERS), ",".join(TEXTS))
            command = [
                str(python),
                str(HERE / "contestants" / script),
                "reference.parquet",
                "current.parquet",
                *columns,
            ]
            job = Job(name, command, folder, {"PYTHONPATH": str(HERE)})
            told = sorted(json.loads(run(job).printed.strip().splitlines()[-1]))
        except subprocess.CalledProcessError as error:
            skipped[name] = f"does not install: {str(error.stderr).strip().splitlines()[-1:]}"
            continue
        except SystemExit as error:
            skipped[name] = str(error.code)[-300:]
            continue
        if told != sorted(MOVED):
            skipped[name] = f"found {', '.join(told)} moved instead of {', '.join(sorted(MOVED))}"
            continue
        jobs.append(job)
    runs = in_turns(jobs, options.repeat)
    result = {
        "machine": machine(),
        "load_before": load,
        "repeat": options.repeat,
        "rows": options.rows,
        "skipped": skipped,
        "runs": runs,
    }
    write("drift", result, _page(result), {f"{options.rows:,} against {options.rows:,} rows": runs}, options.out)


def _ours(folder: Path, rows: int) -> list[Job]:
    if not (folder / "current.parquet").exists():
        subprocess.run([sys.executable, HERE / "generate.py", folder, str(rows)], check=True)
    jobs = []
    for name, reference in ((OURS, "reference.json"), (FIRST, "reference.parquet")):
        project = folder / name.replace(", ", "-").replace(" ", "-")
        project.mkdir(exist_ok=True)
        for table in ("current.parquet", "reference.parquet"):
            (project / table).unlink(missing_ok=True)
            (project / table).hardlink_to(folder / table)
        (project / "params.yaml").write_text(POLICY.replace("REFERENCE", reference))
        before = ("rm", "-rf", ".cache") if name == FIRST else ()
        jobs.append(Job(name, ours("data", "check"), project, codes=(1,), before=before))
    stored = ours("data", "infer", "reference.parquet", "--reference", "reference.json")
    run(Job("storing the reference", stored, jobs[0].folder))
    for job in jobs:
        run(job)
        findings = json.loads((job.folder / "reports" / "data.json").read_text())["verdict"]["findings"]
        moved = sorted(finding["check"].split(".")[-1] for finding in findings if finding["outcome"] == "fail")
        if moved != sorted(MOVED):
            sys.exit(f"{job.name} found {moved} moved")
    return jobs


def _page(result: dict) -> str:
    lines = [
        "# Drift of 12 columns against a reference",
        "",
        "Made by `benchmarks/drift/run.py`: eight columns of numbers, four of categories; whole processes, in turns.",
        f"Each found that {' and '.join(f'`{name}`' for name in MOVED)} moved and no other column did. A ratio is the",
        "median over the turns of a time divided by mlci's in the same turn (smallest to largest in brackets).",
        "",
        about(result["machine"], result["load_before"], result["repeat"]),
        "",
        "![Seconds of each contestant](drift.svg)",
        "",
        f"{result['rows']:,} rows against {result['rows']:,}:",
        "",
        *rows_of(result["runs"]),
        "",
        "mlci reads statistics of the reference that were stored once, and judges a 95 % lower bound of each effect.",
        "The others read the reference each time and judge a plain distance.",
    ]
    if absent := [name for name, *_ in PEERS.values() if name not in (*result["runs"], *result["skipped"])]:
        lines += ["", f"Not asked in this run: {', '.join(absent)}."]
    lines += [f"- skipped {name}: {reason}" for name, reason in result["skipped"].items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
