"""What a pull request runs: find the base, reproduce what must be, compare, report; and always leave a verdict."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.base import Change, find_change
from mlci.edges.git import History
from mlci.edges.policy_file import load_policy
from mlci.errors import MlciError
from mlci.flows.carry import carried
from mlci.flows.ci_change import touched
from mlci.flows.ci_environment import PHRASE
from mlci.flows.crashed import INTERRUPTED, OWN_ERROR, REPEAT, bare_verdict, crashed
from mlci.flows.report import FORMATS, save, write
from mlci.flows.verdict import project_name
from mlci.judge.pipeline import environment_findings, pipeline_findings
from mlci.nouns.comment import Spent
from mlci.nouns.finding import Finding
from mlci.nouns.pipeline import Reproduced
from mlci.nouns.report import Report, Timing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from mlci.nouns.policy import PolicyFile

UNCHANGED = "pipeline.unchanged"


class Asked(NamedTuple):
    """What somebody wants of a run.

    Attributes:
        base: Revision to start from; None finds it.
        change: The pull request.
        now: The moment, where the use of the test set is to be recorded; None records nothing.
        policy: Name of the policy file inside each project.
    """

    base: str | None = None
    change: str = ""
    now: datetime | None = None
    policy: str = "params.yaml"


def ci(root: Path, asked: Asked, say: Callable[[str], None] = lambda _: None) -> Report:
    """Run what a pull request runs in one project, and leave its report in every format in `reports/`.

    Whatever happens, `reports/report.json` speaks of this run in the end: an earlier verdict is overwritten first.

    Args:
        root: Folder of the project.
        asked: What is wanted.
        say: Told what is being done.

    Raises:
        PolicyError: The policy, the base or the pipeline is wrong.
        WorldError: A file, the history or a remote is not as it must be.
    """
    clock = _Clock()
    save(root, crashed(root, INTERRUPTED))
    try:
        report = _run(root, asked, say, clock)
    except MlciError as error:
        _leave(root, crashed(root, error.problem, error.mend), clock)
        raise
    except Exception as error:
        _leave(root, crashed(root, f"{type(error).__name__}: {error}", OWN_ERROR), clock)
        raise
    return _leave(root, report, clock)


class _Clock:
    """Takes the time of every step."""

    def __init__(self) -> None:
        self.start = self.last = time.monotonic()
        self.steps: list[Spent] = []
        self.done = Reproduced()

    def lap(self, what: str) -> None:
        now = time.monotonic()
        self.steps.append(Spent(what=what, seconds=round(now - self.last, 3)))
        self.last = now

    def timing(self) -> Timing:
        return Timing(
            seconds=round(time.monotonic() - self.start, 3),
            steps=tuple(self.steps),
            stages=tuple(Spent(what=run.stage, seconds=round(run.seconds, 3)) for run in self.done.runs),
            pulled=self.done.pulled,
            pulled_bytes=self.done.pulled_bytes,
        )


def _leave(root: Path, report: Report, clock: _Clock) -> Report:
    told = report.model_copy(update={"timing": clock.timing()})
    save(root, told)
    write(root, told, FORMATS)
    return told


def _run(root: Path, asked: Asked, say: Callable[[str], None], clock: _Clock) -> Report:
    policy = load_policy(root, asked.policy)
    history = History(root)
    change = changed_files(history, policy, asked.base)
    why = touched(policy, history, change)
    clock.lap("finding what changed")
    if not why:
        return _unchanged(root, policy, history, change)
    say(f"changed since {change.base[:10] or 'the beginning'}: {', '.join(why[:5])}{' …' if why[5:] else ''}")
    # Engines and what compares models take a second to load, which most pull requests do not need.
    from mlci.flows.ci_judge import Case, failed, judged, reproduced  # noqa: PLC0415

    case = Case(root, policy, history, change, say)
    clock.done = reproduced(case)
    clock.lap("reproducing the pipeline")
    environment = [each.removeprefix(PHRASE) for each in why if each.startswith(PHRASE)]
    extra = (*pipeline_findings(clock.done), *environment_findings(environment))
    if clock.done.status in {"failed", "conflict"}:
        return failed(case, extra, REPEAT)
    report = judged(case, extra, asked.change, asked.now)
    clock.lap("judging")
    return report


def changed_files(history: History, policy: PolicyFile, base: str | None) -> Change:
    """Where a change starts, and what differs since then. Raises MlciError as `find_change` does."""
    gate = policy.policy.gate
    return find_change(history, base, gate.branch if gate is not None else None)


def what_changed(root: Path, asked: Asked) -> tuple[str, ...]:
    """What of one project's pipeline changed, a phrase each; nothing is run. Raises MlciError as `ci` does."""
    policy, history = load_policy(root, asked.policy), History(root)
    return touched(policy, history, changed_files(history, policy, asked.base))


def _unchanged(root: Path, policy: PolicyFile, history: History, change: Change) -> Report:
    count = len(change.files)
    names = ", ".join(f"`{path}`" for path in change.files[:3])
    what = f"{count} file{'s' if count != 1 else ''} ({names}{', …' if count > 3 else ''})" if count else "no file"  # noqa: PLR2004 - as above
    finding = Finding(
        check=UNCHANGED,
        title="nothing of the pipeline changed",
        area="pipeline",
        outcome="pass",
        message=f"Since {change.base[:10]} {what} changed: no dependency, parameter, stage, lock, policy, workflow, "
        "environment or test data is among them.",
    )
    earlier = carried(root, history, change.base, policy.file)
    still = f"; the verdict of {earlier.commit[:10]} stands: {earlier.headline or earlier.outcome}" if earlier else ""
    line = f"Nothing of the pipeline changed since {change.base[:10]}{still}"
    # It speaks of no file: nothing was read.
    verdict = bare_verdict(project_name(root, policy), history.head, finding).model_copy(update={"headline": line})
    return Report(verdict=verdict, carried=earlier, repeat=REPEAT)
