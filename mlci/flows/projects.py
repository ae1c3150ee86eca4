"""The projects of a repository: find them, run each, and collect their reports for one artefact."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.edges.files import copy_tree, write_text
from mlci.edges.git import History
from mlci.edges.pipeline_files import load_yaml
from mlci.errors import MlciError, PolicyError
from mlci.flows.ci import Asked, ci, what_changed
from mlci.flows.data_findings import REPORT, REPORTS, VERDICT, load_report
from mlci.nouns.report import Result
from mlci.render.json import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_COLLECTED = (
    REPORT,
    VERDICT,
    *(f"{REPORTS}/{name}" for name in ("report.html", "report.md", "junit.xml", "results.sarif", "charts")),
)
INDEX = "index.json"


def ci_all(
    folders: Sequence[Path], asked: Asked, out: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> tuple[Result, ...]:
    """Run what a pull request runs in every project; one that goes wrong does not keep the others from running.

    Args:
        folders: Of the projects; none finds them.
        asked: What is wanted.
        out: Folder to copy the reports to, a folder a project, with an `index.json` that names them.
        say: Told what is being done.

    Raises:
        PolicyError: There is no project.
    """
    chosen = list(folders) or find_projects(Path(), asked.policy)
    results = []
    for folder in chosen:
        name = _name(folder)
        results.append(_one(folder, name, asked, _named(say, name) if len(chosen) > 1 else say))
    if out is not None:
        collect([(result.project, folder) for result, folder in zip(results, chosen, strict=True)], out)
    return tuple(results)


def what_changed_in_all(folders: Sequence[Path], asked: Asked) -> tuple[str, ...]:
    """What of the projects' pipelines changed, a phrase each, without running anything.

    Args:
        folders: Of the projects; none finds them.
        asked: What is wanted.

    Raises:
        PolicyError: There is no project, or a policy or the base is wrong.
        WorldError: The history is not as it must be.
    """
    chosen = list(folders) or find_projects(Path(), asked.policy)
    named = [(f"{_name(folder)}: " if len(chosen) > 1 else "", what_changed(folder, asked)) for folder in chosen]
    return tuple(f"{name}{phrase}" for name, phrases in named for phrase in phrases)


def find_projects(here: Path, policy: str = "params.yaml") -> list[Path]:
    """The folder itself if it has a policy, else all tracked ones below it that have.

    Raises:
        PolicyError: There is none.
    """
    if (here / policy).is_file():
        return [here]
    history = History(here)
    tracked = history.tracked(f":(glob)**/{policy}") if history.repo is not None else ()
    top = history.top or here
    found = [top / path for path in tracked if _has_policy(top / path)]
    inside = sorted(path.parent for path in found if path.is_relative_to(here.resolve()))
    if not inside:
        raise PolicyError(
            f"there is no {policy} with a key `mlci` here or in a folder below",
            "run it in the folder of a project, or name that with --project DIR",
        )
    return inside


def _has_policy(file: Path) -> bool:
    loaded = load_yaml(file.read_bytes()) if file.is_file() else None
    return isinstance(loaded, dict) and "mlci" in loaded


def _named(say: Callable[[str], None], name: str) -> Callable[[str], None]:
    return lambda text: say(f"{name}: {text}")


def _one(folder: Path, name: str, asked: Asked, say: Callable[[str], None]) -> Result:
    try:
        report = ci(folder, asked, say)
    except MlciError as error:
        return Result(project=name, report=load_report(folder, REPORT), error=str(error), exit_code=error.exit_code)
    return Result(project=name, report=report, exit_code=1 if report.verdict.blocked else 0)


def _name(folder: Path) -> str:
    top = History(folder).top
    return folder.resolve().relative_to(top).as_posix() if top is not None else folder.resolve().name


def slugs(projects: Sequence[str]) -> dict[str, str]:
    """A name for each project that is good for a folder and a URL, and that no two share.

    >>> slugs([".", "models/churn", "models-churn"])
    {'root': '.', 'models-churn': 'models/churn', 'models-churn-2': 'models-churn'}
    """
    found: dict[str, str] = {}
    for project in projects:
        plain = re.sub(r"[^a-z0-9]+", "-", project.lower()).strip("-") or "root"
        slug, count = plain, 1
        while slug in found:
            count += 1
            slug = f"{plain}-{count}"
        found[slug] = project
    return found


def collect(projects: Sequence[tuple[str, Path]], out: Path) -> None:
    """Copy every project's report to `OUT/SLUG/`, and write which is whose to `OUT/index.json`."""
    named = slugs([name for name, _ in projects])
    for slug, (_, folder) in zip(named, projects, strict=True):
        for file in _COLLECTED:
            copy_tree(folder / file, out / slug / Path(file).name)
    write_text(out / INDEX, dumps(named))
