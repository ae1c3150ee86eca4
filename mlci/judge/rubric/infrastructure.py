"""The rubric's tests of infrastructure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlci.judge.rubric.asked import DECLARE, Asked
from mlci.judge.rubric.model import GATES
from mlci.nouns.rubric import Evidence

if TYPE_CHECKING:
    from mlci.judge.rubric.case import Case

_PIPELINE_TEST = r"""\bdvc\b.{0,30}\brepro\b|\brepro(duce)?\(|["']mlci["'],\s*["']ci["']|\bmlci ci\b"""
_DEBUG = r"\bshap\b|\blime\b|\beli5\b|\bcaptum\b|\btensorboard\b|\bmlci\s+model\s+explain\b|\btree_explainer\b"
_CANARY = r"\bcanary\b|\bshadow[_-](traffic|deploy\w*|mode)\b|\bblue[_-]?green\b|\bflagger\b|\bargo[_-]?rollouts?\b"
_ROLLBACK = r"\bmlci\s+rollback\b|\bkubectl\s+rollout\s+undo\b|\bhelm\s+rollback\b|\brollback\b"
_VALIDATORS = r"\btfma\b|\btensorflow_model_analysis\b|\bcml\s+comment\b.*metrics|\bassert_metrics?\b"
_VERSION = re.compile(r"(?P<name>[^@#]+)@v\d+\.\d+\.\d+")
_ASSIGNED = re.compile(r"(?P<name>[^@#]+)#(?P<stage>[\w-]+)#(?P<number>\d+)")


def reproducible(case: Case) -> list[Evidence]:
    """Whether training is a locked stage, and something repeats it."""
    stage = case.training
    if stage is None:
        return []
    if not stage.locked:
        return [Evidence(how="partial", says=f"stage `{stage.name}` is not in dvc.lock", place=stage.place)]
    says = f"stage `{stage.name}` is locked with its data, code and parameters"
    run = case.reproduced
    if run is None:
        return [Evidence(how="manual", says=f"{says}; nothing repeats it by itself", place=stage.place)]
    return [Evidence(how="automated", says=f"{says}, repeated by {run.by}", place=run.place)]


def spec_tested(case: Case) -> list[Evidence]:
    """Whether tests name the training code."""
    paths = case.code_of(case.training) if case.training is not None else ()
    places, missing = case.untested(paths)
    if not places or missing:
        return []
    return [case.by_tests(f"tests name {', '.join(paths)}", places[0])]


def integrated(case: Case) -> list[Evidence]:
    """Whether the whole pipeline is run as a test."""
    run = case.reproduced
    if run is not None:
        return [Evidence(how="automated", says=f"the whole pipeline is run by {run.by}", place=run.place)]
    return case.tested(_PIPELINE_TEST, "the pipeline is reproduced")


def validated(case: Case) -> list[Evidence]:
    """Whether a gate with metrics is run before anything is merged."""
    found = case.policy.gate if case.policy is not None else None
    if found is None or case.file is None or not found.metrics:
        return case.ran(_VALIDATORS)
    says, place = f"the gate on {', '.join(found.metrics)}", case.file.place("gate", "metrics")
    runs = case.ran(GATES, code=False)
    if not runs:
        times = case.traces.uses
        by_hand = f"{times} time{'s' if times != 1 else ''} by hand, as the ledger says" if times else "nothing runs it"
        return [Evidence(how="manual", says=f"{says} in the policy; {by_hand}", place=place)]
    return [Evidence(how=runs[0].how, says=f"{says}: {runs[0].says}", place=place)]


def debuggable(case: Case) -> list[Evidence]:
    """A run that explains single predictions."""
    return case.ran(_DEBUG) or case.lies(r"(^|/)(debug|explain)[\w-]*\.(py|md|ipynb)$")


def canaried(case: Case) -> list[Evidence]:
    """A canary in a workflow, or tags that show every version in a lower stage before the last one."""
    return case.ran(_CANARY, code=False) or _staged(case) or case.lies(_CANARY)


def _staged(case: Case) -> list[Evidence]:
    found = [match for tag in case.traces.tags if (match := _ASSIGNED.fullmatch(tag))]
    found.sort(key=lambda match: int(match["number"]))
    stages = list(dict.fromkeys(match["stage"] for match in found))
    if len(stages) < 2:  # noqa: PLR2004 - a lower stage and a higher one
        return []
    says = f"tags show versions in {', '.join(stages)}, one after the other"
    return [Evidence(how="manual", says=says)]


def rollback(case: Case) -> list[Evidence]:
    """A rollback in a workflow, or released versions that it could go back to."""
    found = case.ran(_ROLLBACK, code=False)
    versions = [tag for tag in case.traces.tags if _VERSION.fullmatch(tag)]
    if len(versions) > 1:
        says = f"{len(versions)} released versions to go back to, the newest {versions[-1]}"
        found = [*found, Evidence(how="partial", says=says)]
    return found or case.lies(r"\brollback\b")


TESTS = (
    Asked(
        "Training is reproducible",
        reproducible,
        "make training a stage of dvc.yaml with its data, code, parameters and seed, and commit dvc.lock",
        "reproduce it in a workflow, and fail when outputs differ from the lock: `mlci ci`",
    ),
    Asked(
        "Model specification code is unit tested",
        spec_tested,
        "write tests of the training code under tests/: few rows, few steps, what must come out",
        "run the tests in a workflow on every pull request",
    ),
    Asked(
        "The full ML pipeline is integration tested",
        integrated,
        "reproduce the whole pipeline in a workflow on every pull request: `mlci ci`, or `dvc repro`",
        "run it in a workflow on every pull request: `mlci ci`, or the tests",
    ),
    Asked(
        "Model quality is validated before attempting to serve it",
        validated,
        "promise metrics in `mlci.gate.metrics`, and run `mlci compare` before each merge",
        "run the gate in a workflow on every pull request: `mlci compare`",
    ),
    Asked(
        "The model allows debugging on a single example",
        debuggable,
        f"add a script that shows step by step how one row becomes its prediction, {DECLARE}",
        "run it in a stage, on a few rows that matter",
    ),
    Asked(
        "Models are tested via a canary process before they serve",
        canaried,
        f"promote every version to a lower stage first, and give it a share of the traffic, {DECLARE}",
        "let a workflow promote, after the lower stage held",
    ),
    Asked(
        "Models can be quickly and safely rolled back",
        rollback,
        "keep released versions, write down how to go back to one, try it, and declare that page in `mlci.score`",
        "make the rollback a workflow that is also exercised on a schedule",
    ),
)
