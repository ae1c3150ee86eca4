"""Which label counts: agreement, corrections, and contradictions that the policy or a person decides."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mlci.nouns.feedback import Conflict, Outcome, Settled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mlci.nouns.feedback import Answer, Kept, Rule, Said
    from mlci.nouns.feedback_policy import FeedbackPolicy


def settle(
    said: Mapping[str, Sequence[Said]],
    policy: FeedbackPolicy,
    decisions: Mapping[str, Answer],
    kept: Mapping[str, Kept],
    now: datetime,
) -> Outcome:
    """Decide for every prediction which label counts.

    A source that says something else later corrects itself. Sources that contradict each other are a conflict, which
    the policy's way decides, or a person; what a person decided stands until a label comes that the person can't have
    known and that says otherwise.

    Args:
        said: Labels by prediction, of any order.
        policy: Who decides.
        decisions: What people decided, by prediction.
        kept: What the table holds already.
        now: The moment.
    """
    settled: list[Settled] = []
    conflicts: list[Conflict] = []
    waiting = 0
    for name in sorted(said):
        every = tuple(sorted(said[name], key=lambda each: (each.at, each.source, str(each.label))))
        if not every:
            continue
        if policy.settle and now - every[-1].at < policy.settle:
            waiting += 1
            continue
        last = _last_by_source(every)
        if len({_key(each.label) for each in last}) == 1:
            corrected = len({_key(each.label) for each in every}) > 1
            rule: Rule = "corrected" if corrected else "agreed" if len(every) > 1 else "said"
            settled.append(_settled(name, last, every, rule))
            continue
        found = _decided(name, last, every, policy, decisions, kept)
        conflicts.append(Conflict(id=name, said=every, settled=found))
        if found is not None:
            settled.append(found)
    return Outcome(settled=tuple(settled), conflicts=tuple(conflicts), waiting=waiting)


def _decided(
    name: str,
    last: Sequence[Said],
    every: Sequence[Said],
    policy: FeedbackPolicy,
    decisions: Mapping[str, Answer],
    kept: Mapping[str, Kept],
) -> Settled | None:
    if name in decisions:
        known = kept.get(name)
        late = known is not None and known.rule == "hand" and every[-1].at > known.at
        if not (late and _key(every[-1].label) != _key(decisions[name])):
            agree = [each for each in last if _key(each.label) == _key(decisions[name])]
            found = _settled(name, agree or last, every, "hand")
            return found.model_copy(update={"label": decisions[name], "at": every[-1].at})
    match policy.conflicts:
        case "hand":
            return None
        case "newest":
            newest = [each for each in last if each.at == last[-1].at]
            return _settled(name, newest, every, "newest") if _agree(newest) else None
        case "majority":
            votes = Counter(_key(each.label) for each in last).most_common()
            if len(votes) > 1 and votes[0][1] == votes[1][1]:
                return None
            return _settled(name, [each for each in last if _key(each.label) == votes[0][0]], every, "majority")
        case "sources":
            rank = {source: place for place, source in enumerate(policy.sources)}
            best = min(rank.get(each.source, len(rank)) for each in last)
            trusted = [each for each in last if rank.get(each.source, len(rank)) == best]
            return _settled(name, trusted, every, "sources") if _agree(trusted) else None


def _agree(said: Sequence[Said]) -> bool:
    return len({_key(each.label) for each in said}) == 1


def _last_by_source(every: Sequence[Said]) -> list[Said]:
    """The last word of each source, in the order of time; where nobody is named, everybody is the same source."""
    last = {each.source: each for each in every}
    return sorted(last.values(), key=lambda each: each.at)


def _settled(name: str, chosen: Sequence[Said], every: Sequence[Said], rule: Rule) -> Settled:
    newest = chosen[-1]
    return Settled(
        id=name,
        label=newest.label,
        source=", ".join(sorted({each.source for each in chosen if each.source})),
        at=newest.at,
        rule=rule,
        origin=newest.origin,
        sayings=len(every),
    )


def _key(label: Answer) -> tuple[str, str]:
    """True and 1 are equal in Python, and no label for each other."""
    return type(label).__name__, repr(label)


def changes(settled: Sequence[Settled], kept: Mapping[str, Kept]) -> tuple[tuple[Settled, ...], tuple[Settled, ...]]:
    """What is new to the table, and what it holds with another label.

    A label that came before what the table holds was known when that was decided, unless a person has decided since.
    """
    new = tuple(each for each in settled if each.id not in kept)
    changed = tuple(
        each
        for each in settled
        if (known := kept.get(each.id)) is not None
        and _key(known.label) != _key(each.label)
        and (each.at >= known.at or each.rule == "hand")
    )
    return new, changed
