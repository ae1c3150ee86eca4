"""The rubric's tests of features and data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlci.judge.rubric.asked import DECLARE, Asked
from mlci.nouns.rubric import Evidence

if TYPE_CHECKING:
    from mlci.judge.rubric.case import Case
    from mlci.nouns.data_policy import Column

CHECKERS = (
    r"\bgreat_expectations\b|\bgx\s+checkpoint|\bsoda\s+scan|\bpandera\b|\bdeepchecks\b|\bpointblank\b"
    r"|\btensorflow_data_validation\b"
)
_CHECK = re.compile(r"\bmlci\s+data\s+check\b([^;&|]*)")
_FEATURES = (
    r"\bpermutation_importance\b|\bablat\w*|\bfeature[_-]selection\b|\bBoruta\w*|\bRFECV?\b|\bSequentialFeatureSelector\b"
    r"|\bleave[_-]one[_-](feature|column)[_-]out\b|\bloco\b"
)
_COST = r"\bfeature[_-]?costs?\b|\bcosts?[_-]of[_-](the[_-])?features?\b"
_META = (
    r"def test_\w*(leak|forbid|forbidden|not_allowed|known_(at|before|afterwards)|afterwards|from_the_future|lookahead|"
    r"deprecated_features?|allowed_(features?|columns?))"
)
_PRIVACY = (
    r"\bpresidio\w*|\b(pseudo|an)onymi[sz]\w*|\bscrub_?(pii|data)\b|\bpii\b|\bopendp\b|\bdiffprivlib\b|\bk_?anonymity\b"
    r"|\bredact\w*"
)


def schema(case: Case) -> list[Evidence]:
    """Columns of the policy with a type, range, set or pattern, and a run that checks them."""
    found = [each for name in (case.policy.data if case.policy else ()) for each in _table(case, name)]
    return found or case.ran(CHECKERS)


def _table(case: Case, name: str) -> list[Evidence]:
    if case.policy is None or case.file is None:
        return []
    described = [key for key, column in case.policy.data[name].columns.items() if key != "*" and _expects(column)]
    if not described:
        return []
    says = f"{len(described)} column{'s' if len(described) != 1 else ''} of `{name}` with a type, range, set or shape"
    place = case.file.place("data", name, "columns")
    run = next((run for run in case.runs if name in _checked(case, run.command)), None)
    if run is None:
        return [Evidence(how="manual", says=f"{says}; nothing runs `mlci data check`", place=place)]
    if not run.repeated:
        return [Evidence(how="manual", says=f"{says}, checked by {run.by}, when somebody starts it", place=place)]
    return [Evidence(how="automated", says=f"{says}, checked by {run.by}", place=place)]


def _expects(column: Column) -> bool:
    """Whether the promise says what values are like, and not only how many may be missing."""
    shapes = (column.type, column.range, column.allowed, column.pattern, column.length, column.mean, column.median)
    return any(each is not None for each in shapes) or bool(column.quantiles or column.share)


def _checked(case: Case, command: str) -> set[str]:
    """The tables that a command checks: those it names, or all."""
    names = set(case.policy.data) if case.policy is not None else set()
    found: set[str] = set()
    for match in _CHECK.finditer(command):
        own = names & set(match[1].split())
        found |= own or names
    return found


def useful(case: Case) -> list[Evidence]:
    """A run that measures what each feature adds."""
    return case.ran(_FEATURES) or case.lies(_FEATURES)


def cost(case: Case) -> list[Evidence]:
    """A run that measures what each feature costs."""
    return case.ran(_COST, code=False) or case.lies(_COST)


def meta(case: Case) -> list[Evidence]:
    """A test that forbids features, such as those known only afterwards."""
    return case.tested(_META, "features that must not be used are tested for")


def privacy(case: Case) -> list[Evidence]:
    """A run that removes or protects personal data."""
    return case.ran(_PRIVACY) or case.lies(_PRIVACY)


def quick(case: Case) -> list[Evidence]:
    """Whether a new feature is one change that the pipeline carries to a tested model by itself."""
    stage = case.training
    if stage is None or not case.features:
        return []
    names = ", ".join(f"`{each.name}`" for each in case.features)
    says = f"one change to {names} is carried through {len(case.traces.stages)} stages to the model"
    run = case.reproduced
    if run is None:
        return [Evidence(how="manual", says=f"{says} by `dvc repro`", place=stage.place)]
    return [Evidence(how="automated", says=f"{says} by {run.by}", place=run.place)]


def feature_code(case: Case) -> list[Evidence]:
    """Whether tests name every script that makes features."""
    stages = case.features or ((case.training,) if case.training is not None else ())
    paths = tuple(dict.fromkeys(path for stage in stages for path in case.code_of(stage)))
    places, missing = case.untested(paths)
    if not places:
        return []
    if missing:
        return [Evidence(how="partial", says=f"tests name {len(places)} of {len(paths)}, but not {', '.join(missing)}")]
    return [case.by_tests(f"tests name {', '.join(paths)}", places[0])]


TESTS = (
    Asked(
        "Feature expectations are captured in a schema",
        schema,
        "write what columns hold into `mlci.data` (`mlci data infer TABLE` proposes it), and check it in a stage",
        "add a stage with `mlci data check` to dvc.yaml, on which training depends",
    ),
    Asked(
        "All features are beneficial",
        useful,
        f"add a stage that leaves each feature out once and writes what it loses to reports/, {DECLARE}",
        "run that script in a stage of dvc.yaml",
    ),
    Asked(
        "No feature's cost is too much",
        cost,
        f"write down what each feature costs (latency, storage, upstream work) beside what it adds, {DECLARE}",
        "measure it in a stage or a workflow that fails above a limit",
    ),
    Asked(
        "Features adhere to meta-level requirements",
        meta,
        "write a test that no feature is forbidden, deprecated or known only afterwards, and run it in a workflow",
        "run the tests in a workflow on every pull request",
    ),
    Asked(
        "The data pipeline has appropriate privacy controls",
        privacy,
        f"remove or mask personal data in a stage of its own, {DECLARE} (who may read what, and for how long)",
        "run the control in a stage of dvc.yaml",
    ),
    Asked(
        "New features can be added quickly",
        quick,
        "make features in a stage of dvc.yaml that training depends on, so that one change is carried through",
        "let a workflow reproduce the pipeline on every pull request: `mlci ci`, or `dvc repro`",
    ),
    Asked(
        "All input feature code is tested",
        feature_code,
        "write tests for every script that makes features, under tests/",
        "run the tests in a workflow on every pull request",
    ),
)
