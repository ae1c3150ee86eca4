"""What can go wrong, by whose fault: one exit code a class.

Exit codes: 0 held, 1 a gate failed, 2 the policy or the call is wrong, 3 the world is wrong.
"""

from __future__ import annotations


class MlciError(Exception):
    """A foreseen problem: what and where it is, and how to mend it.

    Args:
        problem: One sentence with what went wrong and where (file:line where there is one).
        mend: What the reader can do about it; empty where nothing is known to help.
    """

    exit_code = 3

    def __init__(self, problem: str, mend: str = "") -> None:
        super().__init__(problem, mend)
        self.problem = problem
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.problem}\n  mend: {self.mend}" if self.mend else self.problem


class GateError(MlciError):
    """A gate that blocks did not hold, and there is no verdict to say it in."""

    exit_code = 1


class PolicyError(MlciError):
    """The policy or the command is wrong: a typo, a contradiction, an unknown key."""

    exit_code = 2


class WorldError(MlciError):
    """A file, a repository, a remote or a forge is not as it must be."""

    exit_code = 3


class MemoryLimitError(WorldError):
    """The engine's memory limit does not suffice, whatever is spilled."""


class ClockError(WorldError):
    """A clock went backwards: what came is older than what is already settled."""
