"""How labels join their predictions: which are new, which repeat, which contradict."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.log.records import Joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlci.edges.log.records import Label


class Made(NamedTuple):
    """A prediction that is in the log."""

    at: float
    model: str
    version: str
    commit: str


class Said(NamedTuple):
    """A label that is in the log; of one id, the one with the largest place counts."""

    id: str
    place: int
    label: str
    source: str


class New(NamedTuple):
    """A label to add."""

    id: str
    place: int
    label: str
    source: str
    at: float


class Repeat(NamedTuple):
    """A label that was said once more, in the order in which SQL takes it."""

    at: float
    id: str
    place: int


class Join:
    """Joins labels one after the other, those of one transaction among them.

    Args:
        made: Predictions by id.
        said: Labels that are in the log, of any order.
    """

    def __init__(self, made: Mapping[str, Made], said: Sequence[Said]) -> None:
        self._made = made
        self._said: dict[str, list[Said]] = {}
        for each in sorted(said):
            self._said.setdefault(each.id, []).append(each)
        self.new: list[New] = []
        self.repeats: list[Repeat] = []

    def add(self, labels: Sequence[Label]) -> list[Joined]:
        """Join the labels of one request: all of them, or none where a prediction is unknown."""
        if any(label.id not in self._made for label in labels):
            return [Joined(known=label.id in self._made) for label in labels]
        return [self._one(label) for label in labels]

    def _one(self, label: Label) -> Joined:
        made = self._made[label.id]
        said = self._said.setdefault(label.id, [])
        known = Joined(known=True, after=max(label.at - made.at, 0.0), made_by=made[1:])
        before = next((each for each in reversed(said) if each.source == label.source), None)
        if before is not None and before.label == label.label:
            self.repeats.append(Repeat(label.at, label.id, before.place))
            return known._replace(duplicate=True)
        counted = said[-1] if said else None
        place = counted.place + 1 if counted is not None else 1
        said.append(Said(label.id, place, label.label, label.source))
        self.new.append(New(label.id, place, label.label, label.source, label.at))
        differs = counted is not None and counted.label != label.label
        return known._replace(contradicts=counted.label if counted is not None and differs else None)
