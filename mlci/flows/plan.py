"""Plan a test set: what today's rows can see, and the rows and labels that every promise needs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from mlci.edges.policy_file import load_policy
from mlci.errors import PolicyError
from mlci.flows.compare import look
from mlci.flows.ledger import budget, open_ledger
from mlci.flows.verdict import project_name
from mlci.judge.plan import needs_of, peer_of, peer_of_condition, risk_of, sharing, supposed
from mlci.nouns.plan import Plan, Wish
from mlci.nouns.policy import Gate
from mlci.nouns.scalars import number

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.flows.compare import Looked
    from mlci.judge.asks import Ask
    from mlci.nouns.finding import Comparison
    from mlci.nouns.ledger import UsedTestSet
    from mlci.nouns.plan import Adaptivity, Need, Peer
    from mlci.nouns.policy import PolicyFile

_DIFFER, _DROP = 0.05, 0.01
_NO_OTHER = "There is no other model to compare with yet"


def plan(root: Path, policy_name: str, asked: Wish, *, say: Callable[[str], None] = lambda _: None) -> Plan:
    """What the gate's promises need, from the predictions at hand or from what is supposed.

    Args:
        root: Folder of the project; it need not hold anything where rows, differences or a drop are supposed.
        policy_name: The policy file inside it.
        asked: What is asked for.
        say: Told what is being done, for a progress line.

    Raises:
        PolicyError: The wish or the policy contradicts itself.
        WorldError: A file, the history or a baseline cannot be read.
    """
    _check(asked)
    if asked.supposes and not (root / policy_name).is_file():
        return _supposed(Gate(), asked, None)
    policy = load_policy(root, policy_name)
    ledger = open_ledger(root)
    known = budget(root, policy, ledger.read()) if ledger is not None else None
    gate = policy.policy.gate
    if gate is None and not asked.supposes:
        raise PolicyError(
            f"{policy.file} has no gate to plan for", "add `mlci.gate`, or suppose a test set: --rows 2000 --differ 5%"
        )
    if gate is None or asked.supposes:
        return _supposed(gate or Gate(), asked, known).model_copy(update={"project": project_name(root, policy)})
    return _measured(root, policy, gate, asked, known, say)


def wish(
    *,
    rows: int | None,
    shares: dict[str, str | None],
    steps: int | None,
    adaptivity: Adaptivity,
    condition: str | None,
    baseline: str | None,
) -> Wish:
    """What somebody asks for, out of what was typed.

    Args:
        rows: Test rows.
        shares: `differ`, `drop` and `confidence`, written `5%`, `1pt` or `0.05`.
        steps: Uses of the test set.
        adaptivity: Whether outcomes steer the next try.
        condition: In ease.ml/ci's language.
        baseline: A revision.

    Raises:
        PolicyError: A share is no number.
    """
    read: dict[str, float | None] = {}
    for name, text in shares.items():
        try:
            read[name] = None if text is None else number(text)
        except ValueError as error:
            raise PolicyError(f"--{name}: {error}", f"write it as a share: --{name} 5%") from error
    return Wish(
        rows=rows,
        differ=read["differ"],
        drop=read["drop"],
        confidence=read["confidence"],
        steps=steps,
        adaptivity=adaptivity,
        condition=condition,
        baseline=baseline,
    )


def _check(asked: Wish) -> None:
    for name, value in (("--differ", asked.differ), ("--drop", asked.drop), ("--confidence", asked.confidence)):
        if value is not None and not 0 < value < 1:
            raise PolicyError(f"{name} lies between 0% and 100%, and {value:g} does not", "write a share such as 5%")
    if asked.differ is not None and asked.drop is not None and asked.drop > asked.differ:
        raise PolicyError(
            f"a drop of {asked.drop:g} needs at least as many rows on which the models differ, not {asked.differ:g}",
            "raise --differ or lower --drop",
        )
    if asked.condition is not None:
        _condition(asked, Gate())


def _supposed(gate: Gate, asked: Wish, known: UsedTestSet | None) -> Plan:
    """A plan for accuracy, without any data."""
    start = _start(gate, asked, known)
    promised = gate.metrics.get("accuracy")
    drop = asked.drop or (promised.change.value if promised is not None and promised.change is not None else _DROP)
    differ = asked.differ or max(_DIFFER, drop)
    needs = tuple(
        supposed(
            asked.rows,
            differ,
            drop,
            alpha=start.alpha,
            risk=risk_of(start.beta, start.steps, asked.adaptivity, critical=critical),
            critical=critical,
        )
        for critical in (False, True)
    )
    note = f"Supposed: the two models differ on {100 * differ:.3g} % of the rows."
    return start.model_copy(update={"needs": needs, "peers": _peers(needs, gate, asked, start), "notes": (note,)})


def _measured(
    root: Path, policy: PolicyFile, gate: Gate, asked: Wish, known: UsedTestSet | None, say: Callable[[str], None]
) -> Plan:
    """A plan from the predictions at hand."""
    start = _start(gate, asked, known).model_copy(update={"project": project_name(root, policy)})
    gate = gate.model_copy(update={"beta": start.beta})
    looked, asks = _look(root, policy, gate, asked, say)
    notes: list[str] = []
    needs = needs_of(asks, gate, start.steps, asked.adaptivity)
    compared = [item.comparison for item in looked.met if item.sample is not None]
    if not compared:
        why = next((item.comparison.reason for item in looked.met if item.comparison.reason), "")
        notes.append(f"{_NO_OTHER}. {why}".strip())
        notes.append(f"Supposed: the two models differ on {100 * _DIFFER:.3g} % of the rows.")
        needs = (*needs, *_first(looked, gate, start, asked))
    else:
        notes.append("How much the models differ was measured against " + _and(compared) + ".")
    tests = sharing(asks, gate.alpha)
    peers = _peers(needs, gate, asked, start)
    return start.model_copy(update={"tests": tests, "needs": needs, "peers": peers, "notes": tuple(notes)})


def _look(
    root: Path, policy: PolicyFile, gate: Gate, asked: Wish, say: Callable[[str], None]
) -> tuple[Looked, list[Ask]]:
    """Both models' answers: against the policy's baselines, else against the newest other version of the model."""
    looked = look(root, _with(policy, gate), baseline=asked.baseline, say=say)
    if asked.baseline is None and not any(item.sample is not None for item in looked.met):
        looked = look(root, _with(policy, gate.model_copy(update={"baseline": ("previous",)})), say=say)
    return looked, looked.asks()


def _with(policy: PolicyFile, gate: Gate) -> PolicyFile:
    return dataclasses.replace(policy, policy=policy.policy.model_copy(update={"gate": gate}))


def _first(looked: Looked, gate: Gate, start: Plan, asked: Wish) -> list[Need]:
    """What the changes of accuracy need before there is a second model."""
    promise = gate.metrics.get("accuracy")
    if promise is None or promise.change is None:
        return []
    drop = promise.change.of(1.0)
    sample = looked.alone.sample
    sizes = [(part.name, int(sample.size if part.rows is None else part.rows.size)) for part in sample.parts]
    return [
        supposed(
            rows,
            max(_DIFFER, drop),
            drop,
            alpha=start.alpha,
            tests=len(sizes),
            risk=risk_of(start.beta, start.steps, asked.adaptivity, critical=promise.critical and name is None),
            critical=promise.critical and name is None,
        ).model_copy(update={"slice": name})
        for name, rows in sizes
        if drop > 0
    ]


def _start(gate: Gate, asked: Wish, known: UsedTestSet | None) -> Plan:
    return Plan(
        alpha=gate.alpha,
        beta=gate.beta if asked.confidence is None else 1 - asked.confidence,
        steps=asked.steps or gate.reuse,
        adaptivity=asked.adaptivity,
        budget=known,
    )


def _peers(needs: tuple[Need, ...], gate: Gate, asked: Wish, start: Plan) -> tuple[Peer, ...]:
    if asked.condition is not None:
        return (_condition(asked, gate),)
    seen: dict[tuple[float, float], Need] = {
        (need.tolerance, need.differ): need
        for need in needs
        if need.metric == "accuracy" and need.slice is None and need.kind == "change" and need.differ
    }
    return tuple(peer_of(drop, differ, start.beta, start.steps, asked.adaptivity) for drop, differ in seen if drop > 0)


def _condition(asked: Wish, gate: Gate) -> Peer:
    risk = gate.beta if asked.confidence is None else 1 - asked.confidence
    try:
        return peer_of_condition(asked.condition or "", risk, asked.steps or gate.reuse, asked.adaptivity)
    except ValueError as error:
        raise PolicyError(f"--condition: {error}", 'an example: --condition "n - o > -0.01 +/- 0.01"') from error


def _and(compared: list[Comparison]) -> str:
    return " and ".join(f"{item.baseline} {item.commit[:10]}".strip() for item in compared)
