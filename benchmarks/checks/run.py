"""Time the suite of 28 checks: mlci beside the floor, the best design by hand, naive SQL and the peers.

    python benchmarks/checks/run.py --rows 100_000,1_000_000 --formats parquet,csv --repeat 5 --peers polars,soda

Every contestant is a whole process with the file already in the page cache; contestants take turns, so that a busy
machine is busy for all of them, and ratios are taken within a turn. Before anything is timed, every contestant must
find that the passing table passes and that the violating one breaks each of the 28 checks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import table
from contestants import HERE, OURS, PEERS, Contestant, command, policy
from suite import MISSING, names

from benchmarks.common import CACHE, DOCS, Job, Run, in_turns, machine, run, write

VIOLATING = "mlci, all violating"
MOST = {"parquet": 10**12, "csv": 10_000_000}
"""Rows of the largest table of a kind."""


def main() -> None:
    options = _options()
    kinds = [(rows, kind) for kind in options.formats for rows in options.rows if rows <= MOST[kind]]
    sizes = [_size(rows, kind, options.peers, options.repeat) for rows, kind in kinds]
    if options.keep and (kept := options.out / "checks.json").exists():
        earlier = json.loads(kept.read_text())["sizes"]
        sizes += [size for size in earlier if (size["rows"], size["format"]) not in kinds]
    sizes.sort(key=lambda size: (size["format"] == "csv", size["rows"]))
    result = {"sizes": sizes}
    bars = {f"{size['rows']:,} rows, {size['format']}": size["runs"] for size in sizes}
    write("checks", result, table.markdown(result), bars, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = "100_000,1_000_000,10_000_000,100_000_000"
    parser.add_argument("--rows", default=sizes, type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--formats", default="parquet,csv", type=lambda text: text.split(","))
    parser.add_argument("--repeat", default=5, type=int)
    parser.add_argument("--peers", default=",".join(PEERS), type=lambda text: [n for n in text.split(",") if n])
    parser.add_argument("--keep", action="store_true", help="keep earlier sizes that are not run now")
    parser.add_argument("--out", default=DOCS, type=Path, help="folder of checks.json, checks.md and checks.svg")
    options = parser.parse_args()
    if unknown := set(options.peers) - set(PEERS):
        parser.error(f"unknown peers {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    if unknown := set(options.formats) - {"parquet", "csv"}:
        parser.error(f"unknown formats {', '.join(sorted(unknown))}; there are parquet and csv")
    return options


def _size(rows: int, kind: str, peers: list[str], repeat: int) -> dict:
    """Measure all contestants on tables of so many rows."""
    load = os.getloadavg()[0]
    good, bad = _folder(rows, kind, bad=False), _folder(rows, kind, bad=True)
    skipped: dict[str, str] = {}
    jobs: list[Job] = []
    for contestant in (*OURS, *(PEERS[name] for name in peers)):
        reason = _admitted(contestant, good, bad, rows)
        if reason:
            skipped[contestant.name] = reason
            print(f"skipped {contestant.name}: {reason}", file=sys.stderr)
        else:
            jobs.append(_job(contestant, good, rows))
    if OURS[0].name not in skipped:
        jobs.append(_job(OURS[0], bad, rows, VIOLATING))
    return {
        "rows": rows,
        "format": kind,
        "machine": machine(),
        "load_before": load,
        "repeat": repeat,
        "skipped": skipped,
        "runs": in_turns(jobs, repeat),
    }


def _job(contestant: Contestant, table: Path, rows: int, name: str = "") -> Job:
    codes = (0, 1) if not contestant.script else (0,)
    arguments = command(contestant, table, rows)
    paths = {} if not contestant.script else {"PYTHONPATH": str(HERE)}
    return Job(name or contestant.name, arguments, table.parent, paths, codes)


def _folder(rows: int, kind: str, *, bad: bool) -> Path:
    """A table with mlci's policy beside it."""
    path = CACHE / f"{rows}-{kind}-{'bad' if bad else 'good'}" / f"events.{kind}"
    if not path.exists():
        subprocess.run([sys.executable, HERE / "generate.py", path, str(rows), "bad" if bad else "good"], check=True)
    (path.parent / "params.yaml").write_text(policy(path, rows))
    return path


def _admitted(contestant: Contestant, good: Path, bad: Path, rows: int) -> str:
    """Why the contestant may not take part; empty where it gives the right answers."""
    if reason := contestant.too_large(rows, good.suffix[1:]):
        return reason
    for path in (good, bad):
        _warm(path)
        try:
            done = run(_job(contestant, path, rows))
        except subprocess.CalledProcessError as error:
            return f"does not install: {str(error.stderr).strip().splitlines()[-1:]}"
        except SystemExit as error:
            return str(error.code)
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


if __name__ == "__main__":
    main()
