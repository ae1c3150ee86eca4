"""Read what GitHub Actions runs: workflows, with the project's own actions and reusable workflows unfolded."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeGuard

from mlci.edges.yaml_file import Document, read_yaml
from mlci.errors import MlciError
from mlci.nouns.automation import Job, Step, Workflow
from mlci.nouns.base import Place

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ".github/workflows"
_SECRET = re.compile(r"\bsecrets\.(\w+)")
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
        filtered=_filtered(content.get("on")),
        jobs=tuple(_job(top, file, document, name, job) for name, job in content["jobs"].items()),
        permissions="permissions" in content,
        secrets=tuple(dict.fromkeys(_SECRET.findall(json.dumps(content, default=str)))),
    )


def _events(on: Any) -> tuple[str, ...]:  # noqa: ANN401 - what YAML holds can be anything
    if isinstance(on, str):
        return (on,)
    return tuple(str(event) for event in on) if isinstance(on, dict | list) else ()


_FILTERS = {"paths", "paths-ignore", "branches", "branches-ignore"}


def _filtered(on: Any) -> tuple[str, ...]:  # noqa: ANN401 - what YAML holds can be anything
    if not isinstance(on, dict):
        return ()
    return tuple(str(event) for event, given in on.items() if isinstance(given, dict) and _FILTERS & set(given))


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
        writes=_writes(job.get("permissions", document.value.get("permissions"))),
        runner=str(job.get("runs-on") or ""),
    )


def _writes(given: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - what YAML holds can be anything
    """What `permissions:` lets a token write; None for everything, or where it says nothing."""
    if _is(given):
        return tuple(str(scope) for scope, level in given.items() if level == "write")
    return () if given == "read-all" else None


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
        if not isinstance(step, dict) or not step:
            continue
        lines = document.lines
        own = (*path, str(number))
        key = "run" if "run" in step else "uses"
        place = Place(file=file, line=lines.get((*own, key), lines.get(own, 1)))
        uses, given = str(step.get("uses") or ""), _texts(step.get("with"))
        found.append(
            Step(
                uses=uses,
                run=shell_lines(str(step.get("run") or "")),
                place=place,
                given=given,
            )
        )
        if uses.startswith("./") and depth > 0:
            found += _action(top, uses.removeprefix("./").strip("/"), given, depth - 1)
    return tuple(found)


def _action(top: Path, folder: str, given: dict[str, str], depth: int) -> tuple[Step, ...]:
    """The steps of a composite action of the same repository that these inputs let run."""
    for name in ("action.yml", "action.yaml"):
        file = f"{folder}/{name}" if folder else name
        if not _inside(top, file).is_file():
            continue
        try:
            document = read_yaml(_inside(top, file), file)
        except MlciError:
            return ()
        content = document.value if isinstance(document.value, dict) else {}
        runs, known = content.get("runs"), content.get("inputs")
        inputs = {name: _texts(each).get("default", "") for name, each in known.items()} if _is(known) else {}
        steps = runs.get("steps") if _is(runs) else None
        # What doesn't run is emptied, not left out: places are told by the steps' numbers.
        kept = [step if _runs(step, inputs | given) else {} for step in steps] if isinstance(steps, list) else ()
        return _steps(top, file, document, ("runs", "steps"), kept, depth)
    return ()


_INPUT = re.compile(r"\s*\(?\s*inputs\.([\w-]+)\s*([!=]=)\s*'([^']*)'\s*\)?\s*")


def _is(value: Any) -> TypeGuard[dict[Any, Any]]:  # noqa: ANN401 - what YAML holds can be anything
    return isinstance(value, dict)


def _runs(step: Any, inputs: dict[str, str]) -> bool:  # noqa: ANN401 - what YAML holds can be anything
    """Whether a step may run with these inputs; a condition that is not about inputs alone may always hold."""
    condition = str(step.get("if") or "") if _is(step) else ""
    if "||" in condition:
        return True
    for part in condition.split("&&"):
        match = _INPUT.fullmatch(part)
        value = inputs.get(match[1], "") if match else ""
        if match and "${{" not in value and (value == match[3]) != (match[2] == "=="):
            return False
    return True


def _texts(given: Any) -> dict[str, str]:  # noqa: ANN401 - what YAML holds can be anything
    """A mapping as the runner hands it on: all values are texts."""
    if not _is(given):
        return {}
    return {str(key): str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()}


def _inside(top: Path, file: str) -> Path:
    """A path of the repository; one that leads out of it is as good as none."""
    path = (top / file).resolve()
    return path if path.is_relative_to(top.resolve()) else top / ".git" / "no such file"


def shell_lines(text: str) -> tuple[str, ...]:
    """The commands of a shell text: one a line, joined where a backslash goes on, without comments and blank lines."""
    joined = text.replace("\\\n", " ")
    lines = (" ".join(line.split()) for line in joined.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
