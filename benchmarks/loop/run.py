"""Time what the loop itself adds to a pull request: `mlci ci` beside `dvc repro` alone, on the same change.

    python benchmarks/loop/run.py --repeat 5

The project is the small one of `mlci init`, whose training takes hardly any time: what is left is what the tools
take. Both start from the same copy of a repository whose last commit changed a parameter of the training. A second
pair starts from a change of the documentation, which touches nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.common import CACHE, DOCS, OURS, Job, about, in_turns, machine, ours, rows_of, run, spread, write

HERE = Path(__file__).parent
FOLDER = CACHE / "loop"
ALONE = "dvc repro"
IDLE = "mlci ci, nothing changed"
IDLE_ALONE = "dvc repro, nothing changed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", default=5, type=int)
    parser.add_argument("--out", default=DOCS, type=Path, help="folder of loop.json, loop.md and loop.svg")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    _prepare()
    jobs = [
        _job(OURS, "change", ours("ci", "--base", "main")),
        _job(ALONE, "change", [sys.executable, "-m", "dvc", "repro"]),
        _job(IDLE, "idle", ours("ci", "--base", "main")),
        _job(IDLE_ALONE, "idle", [sys.executable, "-m", "dvc", "repro"]),
    ]
    for job in jobs:
        run(job)
    steps = _steps()
    runs = in_turns(jobs, options.repeat)
    result = {"machine": machine(), "load_before": load, "repeat": options.repeat, "steps": steps, "runs": runs}
    write("loop", result, _page(result), {"one change": runs}, options.out)


def _prepare() -> None:
    """Two repositories to start from: a parameter changed, and the documentation changed."""
    template = FOLDER / "template"
    if not (template / "ready").exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        template.mkdir(parents=True)
        _git(template, "init", "-q", "-b", "main")
        run(_job("mlci init", "template", ours("init", "--yes", "--commit")))
        (template / "ready").touch()
    for name, file, old, new in (("change", "params.yaml", "C: 1.0", "C: 0.5"), ("idle", "README.md", "\n", "\n\n")):
        source = FOLDER / f"{name}-source"
        shutil.rmtree(source, ignore_errors=True)
        shutil.copytree(template, source, symlinks=True)
        _git(source, "switch", "-qc", "a-change")
        path = source / file
        path.write_text(path.read_text().replace(old, new, 1))
        _git(source, "commit", "-qam", "Change it")


def _job(name: str, folder: str, command: list[str]) -> Job:
    """Before each turn the repository is a fresh copy, so that nothing was run there before."""
    place = FOLDER / folder
    before = (sys.executable, str(HERE / "fresh.py"), str(place)) if folder != "template" else ()
    place.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _WHO.items()}
    # A gate may say no: that takes as long.
    return Job(name, command, place, {"PATH": path, **who}, (0, 1), before)


_WHO = {"NAME": "bench", "EMAIL": "bench@example.org"}


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def _steps() -> list[dict]:
    """What mlci itself says its run was made of."""
    job = _job(OURS, "change", ours("ci", "--base", "main"))
    run(job)
    timing = json.loads((job.folder / "reports" / "report.json").read_text())["timing"]
    return [{"what": step["what"], "seconds": step["seconds"]} for step in (*timing["steps"], *timing["stages"])]


def _page(result: dict) -> str:
    runs = result["runs"]
    added = {
        key: [mine - alone for mine, alone in zip(runs[OURS][key], runs[ALONE][key], strict=True)]
        for key in ("wall", "cpu")
    }
    saved = median(runs[IDLE_ALONE]["cpu"]) - median(runs[IDLE]["cpu"])
    idle = "less" if saved > 0 else "more"
    lines = [
        "# What the loop adds to a pull request",
        "",
        "Made by `benchmarks/loop/run.py`: the project that `mlci init` writes, whose training takes hardly any time.",
        "**mlci** is `mlci ci`, which runs the stages that changed, compares with the base and writes every report;",
        "beside it `dvc repro` alone, from the same copy of the same repository, in turns.",
        "",
        about(result["machine"], result["load_before"], result["repeat"]),
        "",
        "![Seconds of each command](loop.svg)",
        "",
        *rows_of(runs),
        "",
        f"On a changed parameter the loop adds {spread(added['wall'])} s, {spread(added['cpu'])} s of them on the CPU.",
        f"Where nothing of the pipeline changed, it takes {abs(saved):.2f} CPU seconds {idle} than `dvc repro`: it",
        "looks at what the change touches before it loads DVC.",
        "",
        "One run, as its report tells it:",
        "",
        "| step | seconds |",
        "|---|---:|",
        *(f"| {step['what']} | {step['seconds']:.2f} |" for step in result["steps"]),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
