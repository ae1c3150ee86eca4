"""What a report tells and does not judge, in sentences: weak slices, and rates by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.render.view import baseline_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.report import GroupRate, WeakSlice

WEAK_INTRO = (
    "Nobody named these slices; they were looked for. Each is credibly worse (95 %), after allowing for how many were "
    "looked at. They are told, and judged by no check: to have one judged, name it in `mlci.gate.slices`."
)
GROUPS_INTRO = (
    "How the model decides in each group, beside all other groups together, with 95 % intervals. They are told, and "
    "judged by no check."
)
KINDS = {
    "selection rate": "share of rows that the model decides positive",
    "true positive rate": "share of positives that the model finds",
    "false positive rate": "share of negatives that the model takes for positive",
}
"""What each rate is."""


def weak_groups(items: Sequence[WeakSlice]) -> tuple[tuple[WeakSlice, ...], ...]:
    """Weak slices by what they are worse than."""
    keys = dict.fromkeys((item.than, item.baseline, item.measure) for item in items)
    return tuple(tuple(item for item in items if (item.than, item.baseline, item.measure) == key) for key in keys)


def weak_words(item: WeakSlice) -> str:
    """One sentence on a weak slice."""
    on, span = f"on {units.rows(item.rows)}", f"({_size(item, item.low)} to {_size(item, item.high)})"
    if item.than == "before":
        before = f"than with {baseline_name(item.baseline)}" if item.baseline else "than before"
        return (
            f"The {_name(item)} is {_sized(item, item.measured)} higher {before} {on}; credibly {_sized(item)} {span}."
        )
    value = f"{100 * item.measured:.1f} %" if _is_share(item) else units.measured(item.measured)
    return f"The {_name(item)} is {value} {on}; credibly {_sized(item)} higher than on all rows {span}."


def weak_than(item: WeakSlice) -> str:
    """What a weak slice is worse than: `all rows`, `the merge base`."""
    return "all rows" if item.baseline is None else baseline_name(item.baseline)


def weak_line(items: Sequence[WeakSlice]) -> str:
    """The worst one in a line, and how many more there are."""
    worst = items[0]
    more = f"; and {len(items) - 1} more" if len(items) > 1 else ""
    return (
        f"{worst.slice} ({units.rows(worst.rows)}): {_name(worst)} credibly {_sized(worst)} higher than "
        f"{'on ' if worst.baseline is None else 'with '}{weak_than(worst)}{more}"
    )


def _is_share(item: WeakSlice) -> bool:
    return item.measure == "wrong rows"


def _name(item: WeakSlice) -> str:
    return "share of wrong rows" if _is_share(item) else "mean absolute error"


def _size(item: WeakSlice, number: float) -> str:
    return f"{100 * number:.2g}" if _is_share(item) else units.measured(number)


def _sized(item: WeakSlice, number: float | None = None) -> str:
    size = _size(item, item.excess if number is None else number)
    return f"{size} point{'' if size == '1' else 's'}" if _is_share(item) else size


def excess(item: WeakSlice) -> str:
    """`11 points (6 to 16)`: how much worse, with its interval."""
    return f"{_sized(item)} ({_size(item, item.low)} to {_size(item, item.high)})"


def differs(item: GroupRate) -> bool:
    """Whether the group's rate is credibly another one than that of all others."""
    return item.difference_low > 0 or item.difference_high < 0


def by_kind(rates: Sequence[GroupRate]) -> dict[str, tuple[GroupRate, ...]]:
    """The rates of each kind, the lowest difference first."""
    ordered = sorted(rates, key=lambda item: (item.difference, item.group))
    kinds = dict.fromkeys(item.kind for item in rates)
    return {kind: tuple(item for item in ordered if item.kind == kind) for kind in kinds}


def groups_words(kind: str, rates: Sequence[GroupRate]) -> str:
    """One sentence on the groups' rates of one kind.

    Args:
        kind: The rate.
        rates: Its rates, as `by_kind` orders them.
    """
    low, high = min(rates, key=_rate), max(rates, key=_rate)
    apart = sum(differs(item) for item in rates)
    said = (
        f"The {kind} ({KINDS[kind]}) is lowest in `{low.group}`, {percent(low.rate)}, and highest in `{high.group}`, "
    )
    many = f"{apart} of {len(rates)} groups {'differs' if apart == 1 else 'differ'}" if apart else "no group differs"
    return " ".join(filter(None, [f"{said}{percent(high.rate)}; {many} credibly from all others.", _moved(rates)]))


def _moved(rates: Sequence[GroupRate]) -> str:
    """What became of the rates since the old model; empty where there is none."""
    known = [item for item in rates if item.change is not None]
    moved = sorted((item for item in known if changed(item)), key=lambda item: (-abs(item.change or 0), item.group))
    if not known:
        return ""
    if not moved:
        return "No group's rate has changed credibly since the old model."
    most = moved[0]
    many = f"{len(moved)} of {len(known)} groups {'has' if len(moved) == 1 else 'have'} changed credibly"
    return (
        f"Since the old model {many}, `{most.group}` most, from {percent(most.before or 0)} to "
        f"{percent((most.before or 0) + (most.change or 0))}."
    )


def changed(item: GroupRate) -> bool:
    """Whether the group's rate is credibly another one than the old model's."""
    if item.change_low is None or item.change_high is None:
        return False
    return item.change_low > 0 or item.change_high < 0


def change(item: GroupRate) -> str:
    """`+3.1 points (+1.0 to +5.2)`: how far from the old model, with its interval; empty where there is none."""
    if item.change is None or item.change_low is None or item.change_high is None:
        return ""
    return f"{_signed(item.change)} points ({_signed(item.change_low)} to {_signed(item.change_high)})"


def groups_line(rates: Sequence[GroupRate]) -> str:
    """The credible difference that is largest, in a line, and how many more there are; empty where there is none."""
    apart = sorted((item for item in rates if differs(item)), key=lambda item: (-abs(item.difference), item.group))
    if not apart:
        return ""
    first = apart[0]
    way = "higher" if first.difference > 0 else "lower"
    more = f"; and {len(apart) - 1} more" if len(apart) > 1 else ""
    size = f"{100 * abs(first.difference):.2g} points"
    return f"{first.group}: {first.kind} {percent(first.rate)}, {size} {way} than in all other groups{more}"


def difference(item: GroupRate) -> str:
    """`+3.1 points (+1.0 to +5.2)`: how far from all others, with its interval."""
    low, high = (_signed(end) for end in (item.difference_low, item.difference_high))
    return f"{_signed(item.difference)} points ({low} to {high})"


def percent(share: float) -> str:
    """`12.1 %`."""
    return f"{100 * share:.1f} %"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", units.MINUS)


def _rate(item: GroupRate) -> tuple[float, str]:
    return item.rate, item.group
