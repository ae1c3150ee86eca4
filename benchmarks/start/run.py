"""Time how long a command takes to start: mlci beside the peers' imports and DVC's command.

python benchmarks/start/run.py --repeat 11
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.common import CACHE, DOCS, OURS, Job, about, in_turns, machine, ours, rows_of, run, write
from benchmarks.environments import interpreter

PEERS = {
    "import soda_core.contracts.contract_verification": ("soda", ("soda-duckdb==4.28.0", "duckdb==2.0.0")),
    "import pandera.polars": ("pandera_polars", ("pandera[polars]==0.35.0", "polars==2.1.0")),
    "import great_expectations": (
        "great_expectations_duckdb",
        ("great-expectations==1.24.1", "duckdb-engine==0.17.0", "sqlalchemy<2.1", "duckdb<2"),
    ),
    "import evidently": ("evidently_pandas", ("evidently==0.7.23", "pandas<3", "pyarrow")),
}
POLICY = "mlci:\n  data:\n    small: {path: small.csv, columns: {a: {type: integer, missing: 0%}}}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", default=11, type=int)
    parser.add_argument("--out", default=DOCS, type=Path, help="folder of start.json, start.md and start.svg")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    folder = CACHE / "start"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(POLICY)
    (folder / "small.csv").write_text("a,b\n1,x\n2,y\n")
    jobs = [
        Job("python -c pass", [sys.executable, "-c", "pass"], folder),
        Job(OURS, ours("--help"), folder),
        Job("mlci --version", ours("--version"), folder),
        Job("mlci data check, two rows", ours("data", "check"), folder),
        Job("dvc --version", [sys.executable, "-m", "dvc", "--version"], folder),
    ]
    skipped = {}
    for code, (name, packages) in PEERS.items():
        try:
            jobs.append(Job(code, [str(interpreter(name, packages)), "-c", code], folder, {"PYTHONPATH": ""}))
        except subprocess.CalledProcessError as error:
            skipped[code] = f"does not install: {str(error.stderr).strip().splitlines()[-1:]}"
    for job in jobs:
        run(job)
    runs = in_turns(jobs, options.repeat)
    result = {
        "machine": machine(),
        "load_before": load,
        "repeat": options.repeat,
        "skipped": skipped,
        "runs": runs,
    }
    write("start", result, _page(result), {"from the start to the end": runs}, options.out)


def _page(result: dict) -> str:
    lines = [
        "# Starting a command",
        "",
        "Made by `benchmarks/start/run.py`: whole processes, file caches warm, in turns. **mlci** is `mlci --help`.",
        "",
        about(result["machine"], result["load_before"], result["repeat"]),
        "",
        "![Seconds of each contestant](start.svg)",
        "",
        *rows_of(result["runs"]),
    ]
    lines += [f"- skipped {name}: {reason}" for name, reason in result["skipped"].items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
