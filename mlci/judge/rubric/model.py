"""The rubric's tests of model development."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from mlci.judge.rubric.asked import DECLARE, Asked
from mlci.nouns.base import Place
from mlci.nouns.rubric import Evidence

if TYPE_CHECKING:
    from mlci.judge.rubric.case import Case

GATES = r"\bmlci\s+(compare|ci|model\s+test)\b"
_ONLINE = (
    r"\b(online|live)[_-](metrics?|offline)\b|\boffline[_-](vs[_-])?online\b|\bab[_-]?tests?\b|\binterleav(ed|ing)\b"
)
_TUNING = (
    r"\boptuna\b|\b(Halving)?(Grid|Random(ized)?)SearchCV\b|\bhyperopt\b|\bray\.tune\b|\bkeras_tuner\b|\bskopt\b"
    r"|\bdvc\s+exp\s+run\b.*(-S|--set-param|--queue)\b|\bwandb\s+(sweep|agent)\b|\bkatib\b|\bhyperparam\w*|\btune_\w+"
)
_STALE = r"\bstale(ness)?\b|\bbacktest\w*|\breplay\w*|\bmodel[_-]age\b"
_SIMPLE = r"\bDummy(Classifier|Regressor)\b|\bmajority[_-]class\b|\bsimple[_-]baseline\b"
_INCLUSION = (
    r"\bfairlearn\b|\baif360\b|\baequitas\b|\bfairness[_-]indicators\b|\bequalized_odds\w*|\bdemographic_parity\w*"
)
_MOST = 10


def reviewed(case: Case) -> list[Evidence]:
    """Whether what defines the model is in Git and changes only by review."""
    stage = case.training
    spec = case.code_of(stage) if stage is not None else ()
    if not spec:
        return []
    owned = next((line for line in case.traces.owned.items() if any(_owns(line[0], path) for path in spec)), None)
    if owned is not None:
        place = Place(file=case.traces.owners_file, line=owned[1])
        return [
            Evidence(
                how="automated",
                says=f"{', '.join(spec)} in Git, with owners whom the forge asks for a review",
                place=place,
            )
        ]
    changes = case.traces.spec_changes[:_MOST]
    count = sum(change.reviewed for change in changes)
    place = Place(file=spec[0])
    if changes and count == len(changes):
        says = f"the last {count} changes of the specification came by pull request" if count > 1 else ""
        says = says or "the only change of the specification came by pull request"
        return [Evidence(how="automated", says=says, place=place)]
    says = f"{count} of the last {len(changes)} changes of the specification came by pull request or name a reviewer"
    return [Evidence(how="manual" if count else "partial", says=says, place=place)]


def _owns(pattern: str, path: str) -> bool:
    """Whether a line of CODEOWNERS speaks of a path."""
    bare = pattern.strip("/")
    if pattern == "*" or bare == path:
        return True
    anchored = "/" in pattern.rstrip("/")
    return any(
        fnmatch.fnmatchcase(path, each) for each in ((bare, f"{bare}/*") if anchored else (f"*{bare}", f"*{bare}/*"))
    )


def online(case: Case) -> list[Evidence]:
    """A run that sets offline metrics beside what happens live."""
    return case.ran(_ONLINE, scheduled=True, code=False) or case.lies(_ONLINE)


def tuned(case: Case) -> list[Evidence]:
    """A run that searches hyperparameters."""
    return case.ran(_TUNING) or _notebook(case, _TUNING) or case.lies(_TUNING)


def stale(case: Case) -> list[Evidence]:
    """A run that measures how a model ages."""
    return case.ran(_STALE, code=False) or _notebook(case, _STALE) or case.lies(_STALE)


def _notebook(case: Case, pattern: str) -> list[Evidence]:
    """A notebook that does it: by hand, with its results kept beside the code."""
    wanted = re.compile(pattern, re.IGNORECASE)
    for path, text in case.traces.texts.items():
        if path.endswith(".ipynb") and '"output_type"' in text and (place := case.line_of(path, wanted)):
            return [Evidence(how="manual", says=f"the notebook {path}, with its outputs", place=place)]
    return []


def simpler(case: Case) -> list[Evidence]:
    """Whether the gate demands that a simpler model is not as good."""
    return gate(case, "simpler models are compared", "gate", "beats") or case.ran(_SIMPLE)


def slices(case: Case) -> list[Evidence]:
    """Whether the gate has slices."""
    found = case.policy.gate if case.policy is not None else None
    if found is None or not (found.slices.named or found.slices.by or found.slices.bins):
        return []
    parts = [f"`{name}`" for name in found.slices.named]
    parts += [f"every {' by '.join((by,) if isinstance(by, str) else by)}" for by in found.slices.by]
    parts += [f"bins of {name}" for name in found.slices.bins]
    return gate(case, f"slices {', '.join(parts)}", "gate", "slices")


def inclusion(case: Case) -> list[Evidence]:
    """Whether rates of groups are set side by side."""
    return gate(case, "rates of groups are set side by side", "gate", "fairness") or case.ran(_INCLUSION)


def gate(case: Case, says: str, *path: str) -> list[Evidence]:
    """A part of the gate's policy: automated where something runs the gate."""
    place = case.promised(*path)
    if place is None:
        return []
    runs = case.ran(GATES, code=False)
    if not runs:
        return [Evidence(how="manual", says=f"{says} in the policy; nothing runs the gate", place=place)]
    return [Evidence(how=runs[0].how, says=f"{says}: {runs[0].says}", place=place)]


TESTS = (
    Asked(
        "Every model specification is reviewed and checked in",
        reviewed,
        "keep the training code in Git as a dependency of its stage, and name its owners in .github/CODEOWNERS",
        "name owners of the training code and params.yaml in .github/CODEOWNERS, and require their review",
    ),
    Asked(
        "Offline proxy metrics correlate with online impact metrics",
        online,
        f"set the gate's metric beside what the business measures, for several released models, {DECLARE}",
        "do so on a schedule, as labels come in",
    ),
    Asked(
        "All hyperparameters have been tuned",
        tuned,
        f"search them (`dvc exp run --queue -S train.…`, Optuna) in a stage of its own, {DECLARE}",
        "make the search a stage of dvc.yaml",
    ),
    Asked(
        "The impact of model staleness is known",
        stale,
        f"test the model of each past month on the months after it, in a stage of its own, {DECLARE}",
        "make it a stage or a scheduled workflow",
    ),
    Asked(
        "A simpler model is not better",
        simpler,
        "let the gate compare with simpler models (the majority class, a linear model) on the same rows",
        "run the gate in a workflow on every pull request: `mlci compare`",
    ),
    Asked(
        "Model quality is sufficient on all important data slices",
        slices,
        "name the slices that matter in `mlci.gate.slices`",
        "run the gate in a workflow on every pull request: `mlci compare`",
    ),
    Asked(
        "The model has been tested for considerations of inclusion",
        inclusion,
        "name the columns of groups in `mlci.gate.fairness`",
        "run the gate in a workflow on every pull request: `mlci compare`",
    ),
)
