"""Read what GitHub Actions runs: workflows, with the project's own actions and reusable workflows unfolded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlci.edges.yaml_file import Document, read_yaml
from mlci.errors import MlciError
from mlci.nouns.base import Place
from mlci.nouns.workflow import Job, Step, Workflow

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ".github/workflows"
_DEPTH = 4  # as deep as GitHub follows reusable workflows


def read_workflows(top: Path) -> tuple[Workflow, ...]:
    """All workflows of a repository by file name; one that cannot be read says so in `problem`."""
    folder = top / FOLDER
    files = sorted(file for file in folder.glob("*") if file.suffix in {".yml", ".yaml"} and file.is_file())
    return tuple(_workflow(top, f"{FOLDER}/{file.name}") for file in files)


def _workflow(top: Path, file: str) -> Workflow:
    try:
        document = read_yaml(top / file, file)
    except MlciError as error:
        return Workflow(file=file, problem=error.problem)
    content = document.value
    if not isinstance(content, dict) or not isinstance(content.get("jobs"), dict):
        return Workflow(file=file, problem=f"{file} has no `jobs`")
    return Workflow(
        file=file,
        events=_events(content.get("on")),
        jobs=tuple(_job(top, file, document, name, job) for name, job in content["jobs"].items()),
        permissions="permissions" in content,
    )


def _events(on: Any) -> tuple[str, ...]:  # noqa: ANN401 - what YAML holds can be anything
    if isinstance(on, str):
        return (on,)
    return tuple(str(event) for event in on) if isinstance(on, dict | list) else ()


def _job(top: Path, file: str, document: Document, name: object, job: Any) -> Job:  # noqa: ANN401 - any YAML
    key = str(name)
    place = Place(file=file, line=document.lines.get(("jobs", key), 1))
    if not isinstance(job, dict):
        return Job(id=key, name=key, place=place)
    uses = str(job.get("uses") or "")
    steps = _steps(top, file, document, ("jobs", key, "steps"), job.get("steps"), _DEPTH)
    if uses.startswith("./"):
        steps += _called(top, uses.removeprefix("./"), _DEPTH)
    return Job(
        id=key,
        name=str(job.get("name") or key),
        place=place,
        steps=steps,
        uses=uses,
        permissions="permissions" in job,
    )


def _called(top: Path, file: str, depth: int) -> tuple[Step, ...]:
    """The steps of a reusable workflow of the same repository."""
    try:
        document = read_yaml(_inside(top, file), file)
    except MlciError:
        return ()
    jobs = document.value.get("jobs") if isinstance(document.value, dict) else None
    if depth <= 0 or not isinstance(jobs, dict):
        return ()
    found: tuple[Step, ...] = ()
    for name, job in jobs.items():
        if isinstance(job, dict):
            found += _steps(top, file, document, ("jobs", str(name), "steps"), job.get("steps"), depth - 1)
    return found


def _steps(
    top: Path,
    file: str,
    document: Document,
    path: tuple[str, ...],
    steps: Any,  # noqa: ANN401 - what YAML holds can be anything
    depth: int,
) -> tuple[Step, ...]:
    found: list[Step] = []
    for number, step in enumerate(steps if isinstance(steps, list) else ()):
        if not isinstance(step, dict):
            continue
        lines = document.lines
        own = (*path, str(number))
        key = "run" if "run" in step else "uses"
        place = Place(file=file, line=lines.get((*own, key), lines.get(own, 1)))
        uses, given = str(step.get("uses") or ""), step.get("with")
        found.append(
            Step(
                uses=uses,
                run=shell_lines(str(step.get("run") or "")),
                place=place,
                given={str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {},
            )
        )
        if uses.startswith("./") and depth > 0:
            found += _action(top, uses.removeprefix("./").strip("/"), depth - 1)
    return tuple(found)


def _action(top: Path, folder: str, depth: int) -> tuple[Step, ...]:
    """The steps of a composite action of the same repository."""
    for name in ("action.yml", "action.yaml"):
        file = f"{folder}/{name}" if folder else name
        if not _inside(top, file).is_file():
            continue
        try:
            document = read_yaml(_inside(top, file), file)
        except MlciError:
            return ()
        runs = document.value.get("runs") if isinstance(document.value, dict) else None
        steps = runs.get("steps") if isinstance(runs, dict) else None
        return _steps(top, file, document, ("runs", "steps"), steps, depth)
    return ()


def _inside(top: Path, file: str) -> Path:
    """A path of the repository; one that leads out of it is as good as none."""
    path = (top / file).resolve()
    return path if path.is_relative_to(top.resolve()) else top / ".git" / "no such file"


def shell_lines(text: str) -> tuple[str, ...]:
    """The commands of a shell text: one a line, joined where a backslash goes on, without comments and blank lines."""
    joined = text.replace("\\\n", " ")
    lines = (" ".join(line.split()) for line in joined.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
