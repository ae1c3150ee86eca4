"""Add up the rubric: 28 tests, four sections, and the weakest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.judge.rubric import data, infrastructure, model, monitoring
from mlci.judge.rubric.case import Case
from mlci.nouns.rubric import WORTH, Evidence, Marked, Section, SectionScore, TestScore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlci.judge.rubric.asked import Asked
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.traces import Traces

SECTIONS: dict[Section, tuple[Asked, ...]] = {
    "data": data.TESTS,
    "model": model.TESTS,
    "infrastructure": infrastructure.TESTS,
    "monitoring": monitoring.TESTS,
}


def score(
    project: str, traces: Traces, policy: PolicyFile | None, declared: Mapping[str, Evidence] | None = None
) -> TestScore:
    """The ML Test Score of a repository.

    Args:
        project: Its name.
        traces: What it shows.
        policy: What it promises; None where it has no policy.
        declared: What the team declares of single tests, such as `data 3`.
    """
    case = Case(traces, policy)
    return TestScore(
        project=project,
        sections=tuple(
            SectionScore(
                section=section,
                tests=tuple(
                    _marked(f"{section} {number}", asked, case, (declared or {}).get(f"{section} {number}"))
                    for number, asked in enumerate(tests, 1)
                ),
            )
            for section, tests in SECTIONS.items()
        ),
    )


def _marked(name: str, asked: Asked, case: Case, declared: Evidence | None) -> Marked:
    found = [*asked.look(case), *([declared] if declared is not None else [])]
    found.sort(key=lambda each: -WORTH[each.how])
    best = WORTH[found[0].how] if found else 0.0
    step = asked.start if best == 0 else asked.automate if best < 1 else ""
    return Marked(test=name, title=asked.title, evidence=tuple(found), next=step)
