"""The rubric's tests of monitoring: what only a schedule can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.judge.rubric.asked import DECLARE, Asked
from mlci.judge.rubric.data import CHECKERS
from mlci.judge.rubric.model import GATES
from mlci.nouns.base import Place
from mlci.nouns.rubric import Evidence

if TYPE_CHECKING:
    from mlci.judge.rubric.case import Case

_UPDATERS = (
    ".github/dependabot.yml",
    ".github/dependabot.yaml",
    "renovate.json",
    ".github/renovate.json",
    ".renovaterc",
)
_AUDIT = r"\bpip-audit\b|\bsafety\s+(check|scan)\b|\bosv-scanner\b|\buv\s+(pip\s+compile|lock)\b.*--upgrade"
_WATCH = rf"\bmlci\s+monitor\b|\bmlci\s+data\s+check\b|{CHECKERS}|\bevidently\b|\bwhylogs\b|\bnannyml\b"
_SKEW = r"\bmlci\s+monitor\b|\bevidently\b|\bnannyml\b|\bwhylogs\b|\balibi_detect\b|\bskew\b"
_RETRAIN = r"\bmlci\s+retrain\b|\bdvc\s+repro\b|\bdvc\s+exp\s+run\b|\bretrain\w*"
_STABLE = r"\bmlci\s+(model\s+test|compare|ci)\b"
_NAN = r"\bisfinite\b|\bcheck_numerics\b|\bdetect_anomaly\b|\bassert_all_finite\b"
_SPEED = r"\bpytest\b.*--benchmark|\basv\s+run\b|\blocust\b|\bk6\s+run\b|\b(latency|throughput|load[_-]?test\w*)\b"
_QUALITY = r"\bmlci\s+monitor\b|\bnannyml\b|\bevidently\b|\blive[_-]performance\b"


def dependencies(case: Case) -> list[Evidence]:
    """Whether somebody is told when what the project stands on changes."""
    for name in _UPDATERS:
        if name in case.traces.files:
            return [Evidence(how="automated", says="a bot opens a pull request on each change", place=Place(file=name))]
    return case.ran(_AUDIT, scheduled=True)


def inputs(case: Case) -> list[Evidence]:
    """A scheduled check of what is asked of the model."""
    return case.ran(_WATCH, scheduled=True) or _promised(case, "monitor")


def skew(case: Case) -> list[Evidence]:
    """A scheduled comparison of what is served with what was trained on."""
    found = case.ran(_SKEW, scheduled=True) or _promised(case, "monitor")
    parity = case.ran(r"\bmlci\s+model\s+export\b", code=False)
    one = "the exported model answers as the trained one does; what is served is not watched"
    return [*found, *(Evidence(how="partial", says=one, place=each.place) for each in parity[:1])]


def age(case: Case) -> list[Evidence]:
    """A scheduled retraining, or a promise of how old data may be."""
    found = case.ran(_RETRAIN, scheduled=True, code=False) or _promised(case, "retrain")
    for name, table in (case.policy.data if case.policy is not None else {}).items():
        if table.fresh is not None and case.file is not None:
            says = f"`{name}` may be {table.fresh.within} old at most; no schedule looks"
            found.append(Evidence(how="partial", says=says, place=case.file.place("data", name, "fresh")))
    return found


def stable(case: Case) -> list[Evidence]:
    """Whether predictions that are no numbers are refused wherever they are read."""
    runs = case.ran(_STABLE, code=False)
    if runs and case.policy is not None and case.policy.gate is not None:
        says = f"missing and infinite predictions are refused: {runs[0].says}"
        return [Evidence(how=runs[0].how, says=says, place=runs[0].place)]
    return case.ran(_NAN)


def speed(case: Case) -> list[Evidence]:
    """Budgets of time and memory, or a run that measures them."""
    place = case.promised("budgets")
    if place is not None:
        runs = case.ran(rf"\bmlci\s+budgets?\b|{GATES}", code=False)
        if runs and runs[0].how == "automated":
            return [Evidence(how="automated", says=f"budgets: {runs[0].says}", place=place)]
        return [Evidence(how="manual", says="budgets in the policy; nothing measures them", place=place)]
    return case.ran(_SPEED, forge=True, code=False) or case.lies(r"\b(latency|throughput|load[_-]?test)")


def quality(case: Case) -> list[Evidence]:
    """A scheduled measurement of predictions that were served."""
    return case.ran(_QUALITY, scheduled=True) or _promised(case, "monitor")


def _promised(case: Case, key: str) -> list[Evidence]:
    """A part of the policy that no schedule runs."""
    place = case.promised(key)
    if place is None:
        return []
    return [Evidence(how="manual", says=f"`mlci.{key}` in the policy; no schedule runs it", place=place)]


TESTS = (
    Asked(
        "Dependency changes result in notification",
        dependencies,
        f"let a bot watch the dependencies (.github/dependabot.yml) and agree with whoever makes the data, {DECLARE}",
        "let it run on a schedule",
    ),
    Asked(
        "Data invariants hold in training and serving inputs",
        inputs,
        "check what the model is asked, not only what it was trained on, in a scheduled workflow: `mlci data check`",
        "give the workflow a `schedule`",
    ),
    Asked(
        "Training and serving features compute the same values",
        skew,
        f"log what is served, and compare a sample with the training features on a schedule, {DECLARE}",
        "give the workflow a `schedule`",
    ),
    Asked(
        "Models are not too stale",
        age,
        f"retrain on a schedule (a workflow with `dvc repro`), or alert when the model grows too old, {DECLARE}",
        "give the workflow a `schedule`",
    ),
    Asked(
        "The model is numerically stable",
        stable,
        "let the gate read the predictions (`mlci model test`): it refuses missing and infinite ones",
        "run `mlci model test` in a stage, or `mlci compare` in a workflow",
    ),
    Asked(
        "Computing performance has not regressed",
        speed,
        f"measure latency, memory and training time against the previous model in a workflow, {DECLARE}",
        "measure it in a workflow on every pull request",
    ),
    Asked(
        "Prediction quality has not regressed on served data",
        quality,
        f"join predictions with labels as they come in, and measure them on a schedule, {DECLARE}",
        "give the workflow a `schedule`",
    ),
)
