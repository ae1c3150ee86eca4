"""Shares that were simulated, their Monte-Carlo error, and the file in which the documentation finds them."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from scipy.special import betaincinv

FILE = Path(__file__).parents[2] / "docs/explanation/simulations.json"
HOW = "if this is right, write it into the page: MLCI_UPDATE_DOCS=1 pytest tests/judge tests/docs"
UPDATE = bool(os.environ.get("MLCI_UPDATE_DOCS"))
_PLATFORM = 0.002
"""Seeds are fixed; what may still differ between processors is the last digit of a float, and with it a run or two."""


@dataclass(frozen=True)
class Share:
    """In how many of so many runs something happened."""

    hits: int
    runs: int

    @classmethod
    def of(cls, seen) -> Share:
        """Of a list or array of booleans."""
        return cls(int(sum(map(bool, seen))), len(seen))

    @property
    def rate(self) -> float:
        return self.hits / self.runs

    def between(self, confidence: float = 0.95) -> tuple[float, float]:
        """Clopper and Pearson's interval of the true share: the Monte-Carlo error."""
        tail, missed = (1 - confidence) / 2, self.runs - self.hits
        low = float(betaincinv(self.hits, missed + 1, tail)) if self.hits else 0.0
        high = float(betaincinv(self.hits + 1, missed, 1 - tail)) if missed else 1.0
        return low, high

    def at_most(self, promise: float) -> bool:
        """Whether the promise holds as far as so many runs can tell: the share is not credibly (99 %) above it."""
        return self.between(0.98)[0] <= promise

    def about(self, promise: float) -> bool:
        """Whether the promised share is inside the 99.8 % interval."""
        low, high = self.between(0.998)
        return low <= promise <= high


def keep(table: str, case: str, **measured: Share | float) -> None:
    """Write what came out into the documentation's file, or make sure that it says the same.

    Args:
        table: Table of the page.
        case: Its row.
        **measured: Its cells.
    """
    now = {name: [each.hits, each.runs] if isinstance(each, Share) else each for name, each in measured.items()}
    if UPDATE:
        _write(table, case, now)
        return
    kept = json.loads(FILE.read_text(encoding="utf-8"))[table][case]
    assert set(kept) == set(now), HOW
    for name, value in now.items():
        assert _alike(kept[name], value), f"{table}, {case}, {name}: {value} and not {kept[name]}; {HOW}"


def _alike(kept, now) -> bool:
    if isinstance(now, list):
        return kept[1] == now[1] and abs(kept[0] - now[0]) <= max(1, _PLATFORM * now[1])
    return abs(kept - now) <= 1e-3 * max(1.0, abs(now))


def _write(table: str, case: str, now: dict[str, object]) -> None:
    with FILE.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        known = json.loads(file.read() or "{}")
        known.setdefault(table, {})[case] = now
        file.truncate(0)
        file.write(_text(known))


def _text(known) -> str:
    """JSON with a line for each row, so that a change can be read."""
    tables = []
    for table, cases in sorted(known.items()):
        rows = [f"  {json.dumps(case)}: {json.dumps(row, sort_keys=True)}" for case, row in sorted(cases.items())]
        tables.append(f" {json.dumps(table)}: {{\n" + ",\n".join(rows) + "\n }")
    return "{\n" + ",\n".join(tables) + "\n}\n"
