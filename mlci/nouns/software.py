"""What running a model was measured to take: `reports/budgets.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mlci.nouns.base import Noun

if TYPE_CHECKING:
    from mlci.nouns.budgets import BudgetName

LOOKS = (6, 12, 24)
"""Sessions after which it is looked whether the measurement says enough."""


class Numbers(Noun):
    """One model in one session; None where it was not asked for.

    Attributes:
        latency_p50: Seconds that the median prediction of one row took.
        latency_p99: Seconds of the 99th percentile.
        throughput: Requests of one row that the server answered per second.
        cold_start: Seconds from starting the server to its first answer.
        memory: Peak of the server's resident memory, in bytes.
        cpu: CPU seconds of the server per request.
        cpu_latency: CPU seconds per prediction of one row, without the server.
        cpu_start: CPU seconds of the server up to its first answer.
    """

    latency_p50: float | None = None
    latency_p99: float | None = None
    throughput: float | None = None
    cold_start: float | None = None
    memory: float | None = None
    cpu: float | None = None
    cpu_latency: float | None = None
    cpu_start: float | None = None

    def told(self) -> dict[str, float]:
        """What was measured, by name."""
        return self.model_dump(exclude_none=True)


class Session(Noun):
    """Both models in processes that were started for it, in turns.

    Attributes:
        share: Share of a core that a process got that wanted all of it: less than 1 on a busy machine.
        new: The candidate.
        old: The previous model; None where only the candidate was measured.
    """

    share: float
    new: Numbers
    old: Numbers | None = None


class Artefact(Noun):
    """A model's file."""

    sha256: str
    size: int


class Software(Noun):
    """What running the candidate takes, beside the previous model.

    Attributes:
        schema_version: Of this noun; a reader refuses one that it does not know.
        tool: Name and version of the tool that measured.
        model: The candidate.
        base: The previous model; None where there was none, or nobody asked for it.
        machine: Where it was measured, in words.
        concurrency: Requests under way at once.
        sessions: One for each repetition.
    """

    schema_version: Literal[1] = 1
    tool: str
    model: Artefact
    base: Artefact | None = None
    machine: str
    concurrency: int
    sessions: tuple[Session, ...] = ()

    def covers(self, names: frozenset[BudgetName], *, beside: bool) -> bool:
        """Whether it says something of all these budgets, beside the previous model where that is asked for."""
        if not names:
            return True
        if len(self.sessions) not in LOOKS:
            return False
        sides = [one for each in self.sessions for one in ((each.new, each.old) if beside else (each.new,))]
        wanted = {"cpu" if name == "cost_per_million" else name for name in names}
        return all(side is not None and all(getattr(side, name) is not None for name in wanted) for side in sides)
