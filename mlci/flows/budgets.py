"""Judge what running the model takes, by what was measured of it; measure where nobody has."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from mlci import __version__
from mlci.edges.files import digest, write_text
from mlci.edges.git import History
from mlci.edges.revisions import Revisions
from mlci.errors import MlciError, PolicyError, WorldError
from mlci.flows.baseline import Finder
from mlci.flows.data_findings import BUDGETS
from mlci.judge.budgets import Seen, judge_budgets, unsettled
from mlci.nouns.software import LOOKS, Artefact, Numbers, Session, Software
from mlci.render.json import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlci.nouns.budgets import BudgetName, Budgets
    from mlci.nouns.finding import Finding
    from mlci.nouns.policy import PolicyFile

KEPT = Path(".cache/mlci/budgets")
_OF_ONE_ROW = frozenset({"latency_p50", "latency_p99"})
_UNDER_LOAD = frozenset({"throughput", "cost_per_million", "memory"})


class _Case(NamedTuple):
    """What is measured, and beside what.

    Attributes:
        root: Folder of the project.
        policy: What is promised.
        budgets: Of it.
        model: The candidate's file.
        base: The previous model's file; None where there is none, or nothing is promised beside it.
        why: Why there is none.
        seen: What is known without measuring.
    """

    root: Path
    policy: PolicyFile
    budgets: Budgets
    model: Path
    base: Path | None
    why: str
    seen: Seen

    @property
    def timed(self) -> frozenset[BudgetName]:
        """The budgets that somebody must measure."""
        names = {name: budget for name, budget in self.budgets.asked().items() if name != "size"}
        if self.beside:
            return frozenset(names)
        return frozenset(name for name, budget in names.items() if budget.limit is not None)

    @property
    def beside(self) -> bool:
        """Whether the previous model is measured too: it is another one, and something is promised beside it."""
        promised = any(budget.change is not None for name, budget in self.budgets.asked().items() if name != "size")
        return promised and self.base is not None and not self.seen.same


def budget_findings(
    root: Path,
    policy: PolicyFile,
    commits: Sequence[str],
    revisions: Revisions,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Finding, ...]:
    """What the policy's budgets say of the candidate.

    What was measured of the same models stands in `reports/budgets.json`, where a stage of the pipeline wrote it, or is
    kept from an earlier call; else it is measured now. So a verdict is told by files, and a model that did not change
    is not measured again.

    Args:
        root: Folder of the project.
        policy: What is promised.
        commits: Of the baselines, the first one first.
        revisions: To get the previous model.
        say: Told what is being done.
    """
    if policy.policy.budgets is None:
        return ()
    case = _case(root, policy, policy.policy.budgets, commits, revisions)
    if case.seen.model is None or not case.timed:
        return judge_budgets(case.budgets, case.seen, policy)
    software = _known(case)
    if software is None:
        try:
            software = _measure(case, say)
        except MlciError as error:
            return judge_budgets(case.budgets, case.seen._replace(why=error.problem), policy)
        write_text(_kept(case), to_json(software))
    return judge_budgets(case.budgets, case.seen._replace(software=software), policy)


def measure_budgets(
    root: Path, policy: PolicyFile, *, baseline: str | None = None, say: Callable[[str], None]
) -> tuple[Software, tuple[Finding, ...]]:
    """Measure the candidate beside the previous model, and write `reports/budgets.json`.

    Args:
        root: Folder of the project.
        policy: What is promised.
        baseline: A revision to take the previous model from instead of the policy's first baseline.
        say: Told what is being done.

    Raises:
        PolicyError: The policy has no budgets.
        WorldError: There is no model, or it can't be measured.
    """
    wanted = policy.policy
    if wanted.budgets is None or wanted.model is None or wanted.gate is None:
        raise PolicyError(
            f"{policy.file} has no budgets",
            "add `budgets: {latency_p99: {rise: 20%}}` under `mlci`; see docs/how-to/budgets.md",
        )
    history = History(root)
    revisions = Revisions(root, history)
    found = Finder(history, revisions, wanted.model, wanted.gate).find(baseline)
    case = _case(root, policy, wanted.budgets, tuple(one.commit for one in found if one.commit), revisions)
    if case.seen.model is None:
        raise WorldError(case.seen.why, "`dvc repro` or `dvc pull` makes it")
    software = _measure(case, say) if case.timed else _nothing(case)
    write_text(root / BUDGETS, to_json(software))
    return software, judge_budgets(case.budgets, case.seen._replace(software=software), policy)


def _case(root: Path, policy: PolicyFile, budgets: Budgets, commits: Sequence[str], revisions: Revisions) -> _Case:
    known = policy.policy.model
    assert known is not None  # noqa: S101 - a policy with budgets has a gate, which has a model
    model = root / known.path
    if not model.is_file():
        return _Case(root, policy, budgets, model, None, "", Seen(None, None, None, f"{known.path} is not there"))
    base, why = _previous(known.path, commits, revisions)
    seen = Seen(_artefact(model), _artefact(base) if base is not None else None, None, why)
    if base is not None and not seen.same and (why := _unusable(base)):
        base, seen = None, seen._replace(base=None, why=f"the previous one can't be run ({why})")
    return _Case(root, policy, budgets, model, base, why, seen)


def _previous(path: str, commits: Sequence[str], revisions: Revisions) -> tuple[Path | None, str]:
    """The first baseline's model; of a release only where the branch has none."""
    why = "this is the first run"
    for commit in commits:
        if not revisions.version(commit, path):
            why = f"commit {commit[:10]} has no {path}"
            continue
        try:
            return revisions.fetch(commit, path), ""
        except WorldError as error:
            why = error.problem
    return None, why


def _unusable(model: Path) -> str:
    from mlci.edges.onnx.session import OnnxModel  # noqa: PLC0415 - the runtime is heavy and not always needed

    try:
        OnnxModel.load(model)
    except MlciError as error:
        return error.problem
    return ""


def _artefact(path: Path) -> Artefact:
    return Artefact(sha256=digest(path), size=path.stat().st_size)


def _known(case: _Case) -> Software | None:
    """What was measured of the same models, as far as it says all that is asked."""
    for file in (case.root / BUDGETS, _kept(case)):
        try:
            found = Software.model_validate_json(file.read_bytes())
        except (OSError, ValidationError):
            continue
        same_base = not case.beside or found.base == case.seen.base
        under = not case.timed & _UNDER_LOAD or found.concurrency == case.budgets.concurrency
        if found.model == case.seen.model and same_base and under and found.covers(case.timed, beside=case.beside):
            return found
    return None


def _kept(case: _Case) -> Path:
    """Where this machine keeps what it measured of these models for these budgets."""
    from mlci.edges.software.machine import machine  # noqa: PLC0415 - as above

    seen = case.seen
    told = {
        "models": [seen.model.sha256 if seen.model else "", seen.base.sha256 if case.beside and seen.base else ""],
        "asked": sorted(case.timed),
        "concurrency": case.budgets.concurrency,
        "machine": machine(),
        "tool": __version__,
    }
    return case.root / KEPT / f"{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]}.json"


def _nothing(case: _Case) -> Software:
    """Only what files say by themselves."""
    from mlci.edges.software.machine import machine  # noqa: PLC0415 - as above

    assert case.seen.model is not None  # noqa: S101 - the caller saw it
    return Software(
        tool=f"mlci {__version__}",
        model=case.seen.model,
        base=case.seen.base if case.beside else None,
        machine=machine(),
        concurrency=case.budgets.concurrency,
    )


def _measure(case: _Case, say: Callable[[str], None]) -> Software:
    """Session by session, until the budgets can be told or the last look is over."""
    from mlci.edges.software.rows import rows_for  # noqa: PLC0415 - as above

    gate = case.policy.policy.gate
    assert gate is not None  # noqa: S101 - the policy sees to it
    models = [case.model, *([case.base] if case.beside and case.base is not None else [])]
    rows = [rows_for(model, case.root / gate.test) for model in models]
    software = _nothing(case)
    for look in LOOKS:
        for at in range(len(software.sessions), look):
            say(f"measuring the budgets: session {at + 1} of {look}")
            session = _session(case, models, rows, turned=at % 2 == 1)
            software = software.model_copy(update={"sessions": (*software.sessions, session)})
        if not unsettled(judge_budgets(case.budgets, case.seen._replace(software=software), case.policy)):
            break
    # As it will be read: what is written has fewer digits.
    return Software.model_validate_json(to_json(software))


def _session(case: _Case, models: list[Path], rows: list[list[dict[str, object]]], *, turned: bool) -> Session:
    from mlci.edges.software.latency import latency_of  # noqa: PLC0415 - as above
    from mlci.edges.software.machine import free_share  # noqa: PLC0415
    from mlci.edges.software.serving import serving_of  # noqa: PLC0415

    share = free_share()
    order = list(reversed(range(len(models)))) if turned else list(range(len(models)))
    files, asked = [models[at] for at in order], [rows[at] for at in order]
    parts: list[list[Numbers]] = []
    if case.timed & _OF_ONE_ROW:
        parts.append(latency_of(files, asked))
    if case.timed - _OF_ONE_ROW:
        parts.append(serving_of(files, asked, case.budgets.concurrency))
    told = [
        Numbers.model_validate({key: value for part in parts for key, value in part[order.index(at)].told().items()})
        for at in range(len(models))
    ]
    return Session(share=share, new=told[0], old=told[1] if len(told) > 1 else None)
