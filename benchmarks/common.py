"""What every suite shares: whole processes run in turns, environments of the peers, the machine, tables and plots."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
DOCS = ROOT / "docs" / "benchmarks"
OURS = "mlci"
_MEGABYTE = 1e6 if sys.platform == "darwin" else 1e3
_OURS_COLOUR, _OTHER_COLOUR = "#1f6feb", "#8c959f"


@dataclass(frozen=True)
class Run:
    """One process: wall and CPU seconds, peak memory in MB, exit code and what it printed."""

    wall: float
    cpu: float
    memory: float
    code: int = 0
    printed: str = ""


@dataclass(frozen=True)
class Job:
    """A whole process to be timed.

    Attributes:
        name: As the tables show it.
        command: What is run.
        folder: Where.
        environment: What it finds in its environment besides this one's.
        codes: Exit codes that are fine.
        before: Run before each turn, and not timed.
    """

    name: str
    command: list[str]
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    codes: tuple[int, ...] = (0,)
    before: tuple[str, ...] = ()


def ours(*arguments: str) -> list[str]:
    """mlci's own command, out of this clone."""
    return [sys.executable, "-m", "mlci", *arguments]


def run(job: Job) -> Run:
    """Run a process to its end, and take its time and memory from the kernel.

    Raises:
        SystemExit: Its exit code is none of the fine ones.
    """
    if job.before:
        subprocess.run(job.before, cwd=job.folder, check=True, capture_output=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    printed, errors = (CACHE / f"{name}-{os.getpid()}" for name in ("printed", "errors"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "DVC_NO_ANALYTICS": "1", **job.environment}
    # Nobody's modules are compiled anew by each process: the first one, which is not timed, keeps them.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with printed.open("w") as out, errors.open("w") as err:
        begin = time.perf_counter()
        process = subprocess.Popen(job.command, cwd=job.folder, env=environment, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    text, told = printed.read_text(), errors.read_text()
    printed.unlink()
    errors.unlink()
    if process.returncode not in job.codes:
        sys.exit(f"{job.name} ended with {process.returncode}: {text[-1000:]}{told[-2000:]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _MEGABYTE, process.returncode, text)


def in_turns(jobs: list[Job], repeat: int) -> dict[str, dict[str, list[float]]]:
    """Run all jobs in turns, so that a busy machine is busy for all of them: figures by job, one a turn."""
    runs: dict[str, list[Run]] = {job.name: [] for job in jobs}
    for turn in range(repeat):
        for job in jobs:
            runs[job.name].append(run(job))
            print(f"turn {turn + 1}: {job.name} {runs[job.name][-1].wall:.2f} s", file=sys.stderr)
    return {
        name: {key: [asdict(one)[key] for one in done] for key in ("wall", "cpu", "memory")}
        for name, done in runs.items()
    }


def ratios(runs: dict, name: str, of: str = OURS, clock: str = "wall") -> list[float]:
    """Time of `name` divided by that of `of`, turn by turn; by the clock on the wall, or in CPU seconds."""
    return [mine / theirs for mine, theirs in zip(runs[name][clock], runs[of][clock], strict=True)]


def rows_of(runs: dict, of: str = OURS) -> list[str]:
    """A table: medians over the turns, ratios within them, smallest to largest in brackets."""
    lines = [
        "| contestant | seconds | CPU seconds | peak MB | times mlci's | times mlci's CPU |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in sorted(runs, key=lambda name: median(runs[name]["wall"])):
        one = runs[name]
        shown = f"**{name}**" if name == of else name
        compared = name != of and of in runs
        times = [spread(ratios(runs, name, of, clock)) if compared else "" for clock in ("wall", "cpu")]
        cells = [shown, spread(one["wall"]), f"{median(one['cpu']):.2f}", f"{max(one['memory']):,.0f}", *times]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def spread(values: list[float]) -> str:
    """The median, with the smallest and the largest."""
    return f"{median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def machine() -> str:
    """What this ran on."""
    model = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        model = next((line.split(": ")[1] for line in info.read_text().splitlines() if "model name" in line), model)
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def about(where: str, load: float, repeat: int) -> str:
    """The line that every page has."""
    busy = f"; other work kept {load:.1f} processes busy before it began" if load > 1 else f"; load before: {load:.1f}"
    return f"Machine: {where}{busy}; turns: {repeat}."


def write(name: str, result: dict, text: str, bars: dict[str, dict], out: Path = DOCS) -> None:
    """Keep a suite's numbers, page and plot: `NAME.json`, `NAME.md` and `NAME.svg`.

    Args:
        name: Of the suite.
        result: All numbers.
        text: The page.
        bars: Runs by contestant, by the title of their plot.
        out: Folder.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    (out / f"{name}.svg").write_text(_svg(bars))
    (out / f"{name}.md").write_text(text)
    print(text)


def _svg(bars: dict[str, dict]) -> str:
    """One row of bars a contestant: median seconds on a log scale, a line from the quickest to the slowest turn."""
    from mlci.edges.vega import render_svgs  # noqa: PLC0415 - starts a drawing engine, after all is timed

    charts = []
    for title, runs in bars.items():
        values = [
            {
                "name": name,
                "seconds": round(median(one["wall"]), 3),
                "least": round(min(one["wall"]), 3),
                "most": round(max(one["wall"]), 3),
                "ours": name.startswith(OURS),
            }
            for name, one in runs.items()
        ]
        charts.append(_chart(title, values))
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white",
        "vconcat": charts,
        "resolve": {"scale": {"x": "independent", "y": "independent"}},
    }
    return render_svgs({"bench": json.dumps(spec)})["bench"]


def _chart(title: str, values: list[dict]) -> dict:
    across = {"type": "quantitative", "scale": {"type": "log"}, "title": "seconds, log scale"}
    up = {"field": "name", "type": "nominal", "sort": {"field": "seconds"}, "title": None, "axis": {"labelLimit": 260}}
    colour = {"condition": {"test": "datum.ours", "value": _OURS_COLOUR}, "value": _OTHER_COLOUR}
    return {
        "title": title,
        "width": 420,
        "height": {"step": 20},
        "data": {"values": values},
        "encoding": {"y": up},
        "layer": [
            {"mark": "rule", "encoding": {"x": {"field": "least", **across}, "x2": {"field": "most"}}},
            {
                "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                "encoding": {"x": {"field": "seconds", **across}, "color": colour},
            },
        ],
    }
