"""The part of a pull request's run that touches data: reproduce the pipeline, and judge what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.dvc_repro import reproduce
from mlci.edges.pipeline_files import in_conflict
from mlci.flows.ci_data import check_the_rest, data_report, wanted_files
from mlci.flows.data_findings import CRASHED, REPORT, load_report
from mlci.flows.verdict import assemble
from mlci.nouns.base import Place
from mlci.nouns.pipeline import Reproduced
from mlci.nouns.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from mlci.edges.base import Change
    from mlci.edges.git import History
    from mlci.nouns.finding import Finding
    from mlci.nouns.policy import PolicyFile

_FILES = ("dvc.lock", "dvc.yaml")


class Case(NamedTuple):
    """What is judged, and who is told of it."""

    root: Path
    policy: PolicyFile
    history: History
    change: Change
    say: Callable[[str], None]


def reproduced(case: Case) -> Reproduced:
    """What came of the pipeline's stages; nothing runs where a merge left its markers. Raises as `reproduce` does."""
    root = case.root
    marked = [(name, in_conflict((root / name).read_bytes())) for name in _FILES if (root / name).is_file()]
    if conflicts := tuple(Place(file=name, line=line) for name, line in marked if line):
        return Reproduced(status="conflict", conflicts=conflicts)
    if not _has_pipeline(case):
        return Reproduced()
    case.say("loading DVC")
    wanted = wanted_files(root, case.policy, case.history, case.change.merge_base)
    return reproduce(root, wanted, case.say, _load if case.policy.policy.gate is not None else lambda: None)


def _load() -> None:
    """Load what judges and what writes the report: it takes a second, in which this process waits for a stage."""
    import mlci.flows.record  # noqa: PLC0415
    import mlci.render.html  # noqa: PLC0415
    import mlci.render.terminal  # noqa: PLC0415, F401


def _has_pipeline(case: Case) -> bool:
    """Whether DVC keeps anything of the project: stages, or a file that was added to it."""
    folder = case.root.resolve()
    if not any((above / ".dvc").is_dir() for above in (folder, *folder.parents)):
        return False
    added = (*case.history.tracked(case.history.path("*.dvc")), *case.change.files)
    return (folder / "dvc.yaml").is_file() or any(path.endswith(".dvc") for path in added)


def judged(case: Case, extra: tuple[Finding, ...], change: str, now: datetime | None) -> Report:
    """The verdict on data and model, behind what was found of the pipeline.

    Args:
        case: What is judged.
        extra: Findings of the pipeline.
        change: The pull request.
        now: The moment, where the use of the test set is to be recorded.

    Raises:
        PolicyError: As `compare`.
        WorldError: As `compare`; or the ledger cannot be read or written.
    """
    root, policy, history = case.root, case.policy, case.history
    check_the_rest(root, policy, case.say)
    base = case.change.merge_base or None
    if policy.policy.gate is None:
        return data_report(root, policy, history, base, extra)
    # A project that promises nothing of a model is judged without what compares models.
    from mlci.flows.record import compare_and_save  # noqa: PLC0415

    return compare_and_save(root, policy, base=base, extra=extra, now=now, change=change, say=case.say)


def failed(case: Case, extra: tuple[Finding, ...], repeat: tuple[str, ...]) -> Report:
    """A stage failed. Where it is one of ours, its own verdict says more than its exit code."""
    before = load_report(case.root, REPORT)
    own = before.verdict.findings if all(item.check != CRASHED for item in before.verdict.findings) else ()
    told = tuple(item for item in extra if not (own and item.check.startswith("pipeline.stage.")))
    verdict = assemble(case.root, case.policy, case.history, findings=(*told, *own))
    return (
        before.model_copy(update={"verdict": verdict, "repeat": repeat})
        if own
        else Report(verdict=verdict, repeat=repeat)
    )
