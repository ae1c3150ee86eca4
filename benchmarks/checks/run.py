"""Time the suite of 28 checks: mlci beside the floor, the best design by hand, naive SQL and the peers.

    python benchmarks/checks/run.py --rows 1_000_000,10_000_000 --repeat 5 --peers polars,soda

Every contestant is a whole process with the file already in the page cache; contestants take turns, so that a busy
machine is busy for all of them, and ratios are taken within a turn. Before anything is timed, every contestant must
find that the passing table passes and that the violating one breaks each of the 28 checks.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import table
from contestants import HERE, OURS, PEERS, Contestant, command, policy
from suite import MISSING, names

CACHE = HERE.parent.parent / ".cache" / "bench"
DOCS = HERE.parent.parent / "docs" / "benchmarks"
VIOLATING = "mlci, all violating"


@dataclass(frozen=True)
class Run:
    """One process: wall and CPU seconds, peak memory in MB, exit code and what it printed."""

    wall: float
    cpu: float
    memory: float
    code: int
    printed: str


def main() -> None:
    options = _options()
    load = os.getloadavg()[0]
    CACHE.mkdir(parents=True, exist_ok=True)
    sizes = [_size(rows, options.peers, options.repeat) for rows in options.rows]
    result = {"machine": _machine(), "load_before": load, "repeat": options.repeat, "sizes": sizes}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "checks.json").write_text(json.dumps(result, indent=2) + "\n")
    text = table.markdown(result)
    (options.out / "checks.md").write_text(text)
    print(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="1_000_000,10_000_000", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--repeat", default=5, type=int)
    parser.add_argument("--peers", default=",".join(PEERS), type=lambda text: [n for n in text.split(",") if n])
    parser.add_argument("--out", default=DOCS, type=Path, help="folder of checks.json and checks.md")
    options = parser.parse_args()
    if unknown := set(options.peers) - set(PEERS):
        parser.error(f"unknown peers {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    return options


def _size(rows: int, peers: list[str], repeat: int) -> dict:
    """Measure all contestants on tables of so many rows."""
    good, bad = _folder(rows, bad=False), _folder(rows, bad=True)
    skipped: dict[str, str] = {}
    jobs: dict[str, tuple[list[str], Path]] = {}
    for contestant in (*OURS, *(PEERS[name] for name in peers)):
        reason = _admitted(contestant, good, bad, rows)
        if reason:
            skipped[contestant.name] = reason
            print(f"skipped {contestant.name}: {reason}", file=sys.stderr)
        else:
            jobs[contestant.name] = (command(contestant, good, rows), good.parent)
    if OURS[0].name in jobs:
        jobs[VIOLATING] = (command(OURS[0], bad, rows), bad.parent)
    runs: dict[str, list[Run]] = {name: [] for name in jobs}
    for turn in range(repeat):
        for name, (arguments, folder) in jobs.items():
            runs[name].append(_run(arguments, folder))
            print(f"{rows:,} rows, turn {turn + 1}: {name} {runs[name][-1].wall:.2f} s", file=sys.stderr)
    return {
        "rows": rows,
        "skipped": skipped,
        "runs": {
            name: {key: [getattr(run, key) for run in done] for key in ("wall", "cpu", "memory")}
            for name, done in runs.items()
        },
    }


def _folder(rows: int, *, bad: bool) -> Path:
    """A table with mlci's policy beside it."""
    path = CACHE / f"{rows}-{'bad' if bad else 'good'}" / "events.parquet"
    if not path.exists():
        subprocess.run([sys.executable, HERE / "generate.py", path, str(rows), "bad" if bad else "good"], check=True)
    (path.parent / "params.yaml").write_text(policy(path, rows))
    return path


def _admitted(contestant: Contestant, good: Path, bad: Path, rows: int) -> str:
    """Why the contestant may not take part; empty where it gives the right answers."""
    for path in (good, bad):
        _warm(path)
        try:
            done = _run(command(contestant, path, rows), path.parent)
        except subprocess.CalledProcessError as error:
            return f"does not install: {str(error.stderr).strip().splitlines()[-1:]}"
        if reason := _wrong(contestant, done, path.parent, passing=path == good):
            return reason
    return ""


def _warm(path: Path) -> None:
    """Read the file into the page cache, in pieces: a child's peak memory is never below its parent's at the fork."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass


def _wrong(contestant: Contestant, done: Run, folder: Path, *, passing: bool) -> str:
    """Why the answer is wrong; empty where it is right."""
    ours = not contestant.script
    if done.code != (1 if ours and not passing else 0):
        return f"exit code {done.code}: {done.printed[-400:]}"
    if contestant.script == "floor.py":
        return ""
    failed = _failed(folder) if ours else set(json.loads(done.printed.strip().splitlines()[-1]))
    odd = failed ^ (set() if passing else set(names()))
    return f"another answer on {'passing' if passing else 'violating'} data: {', '.join(sorted(odd))}" if odd else ""


def _failed(folder: Path) -> set[str]:
    """The suite's names of the checks that mlci's report says failed."""
    findings = json.loads((folder / "reports" / "data.json").read_text())["verdict"]["findings"]
    words = {"type": "types", "quantiles": "p95", "rules": "rule"}
    failed = set()
    for finding in findings:
        path = finding["check"].split(".")[2:]
        word = next(part for part in path if part not in MISSING)
        named = f"{word} {path[0]}" if word in {"missing", "range", "allowed"} else words.get(word, word)
        failed |= set() if finding["outcome"] == "pass" else {named}
    return failed


def _run(arguments: list[str], folder: Path) -> Run:
    """Run a process to its end, and take its time and memory from the kernel."""
    ours = arguments[1:3] == ["-m", "mlci"]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent if ours else HERE), "NO_COLOR": "1"}
    printed, errors = CACHE / "printed", CACHE / "errors"
    with printed.open("w") as out, errors.open("w") as err:
        begin = time.perf_counter()
        process = subprocess.Popen(arguments, cwd=folder, env=environment, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    scale = 1e6 if sys.platform == "darwin" else 1e3
    text = printed.read_text() if process.returncode == 0 else printed.read_text() + errors.read_text()
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale, process.returncode, text)


def _machine() -> str:
    model = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        model = next((line.split(": ")[1] for line in info.read_text().splitlines() if "model name" in line), model)
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
