"""What stands in the place of a verdict where a run did not come to one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from mlci import __version__
from mlci.edges.git import History
from mlci.edges.policy_file import load_policy
from mlci.errors import MlciError
from mlci.flows.data_findings import CRASHED, REPORT, VERDICT
from mlci.flows.report import save
from mlci.flows.verdict import project_name
from mlci.judge.headline import headline, overall
from mlci.nouns.finding import Finding, Verdict
from mlci.nouns.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPEAT = ("mlci ci",)
INTERRUPTED = "the run was interrupted before it ended"
OWN_ERROR = "this is an error of mlci's own"


@contextlib.contextmanager
def outdating(root: Path, repeat: str) -> Iterator[None]:
    """Let no earlier verdict be taken for that of a run which comes to none, whatever ends it.

    Where there was no verdict, none is written: the folder may be no project at all.

    Args:
        root: Folder of the project.
        repeat: How to run it again.
    """
    if not any((root / file).is_file() for file in (VERDICT, REPORT)):
        yield
        return
    again = (repeat,)
    save(root, crashed(root, INTERRUPTED, repeat=again))
    try:
        yield
    except MlciError as error:
        save(root, crashed(root, error.problem, error.mend, repeat=again))
        raise
    except Exception as error:
        save(root, crashed(root, f"{type(error).__name__}: {error}", OWN_ERROR, repeat=again))
        raise


def crashed(root: Path, problem: str, mend: str = "", *, repeat: tuple[str, ...] = REPEAT) -> Report:
    """The verdict of a run that did not come to one: it blocks."""
    finding = Finding(
        check=CRASHED,
        title="the run did not come to a verdict",
        area="pipeline",
        outcome="not_measured",
        message=f"{' '.join(problem.split())[:2000].rstrip('.')}.",
        mend=mend,
    )
    try:
        name, commit = project_name(root, load_policy(root)), History(root).head
    except MlciError:
        name, commit = root.resolve().name, ""
    return Report(verdict=bare_verdict(name, commit, finding), repeat=repeat)


def bare_verdict(project: str, commit: str, finding: Finding) -> Verdict:
    """A verdict of one finding."""
    return Verdict(
        project=project,
        outcome=overall((finding,)),
        headline=headline((finding,)),
        findings=(finding,),
        tool=f"mlci {__version__}",
        commit=commit,
    )
