"""The change of each slice as a Mermaid chart, which GitHub draws itself: no picture lies on a third party's host.

Lines, because bars of an xychart start at the axis, not at zero, and would show a loss as a shorter gain.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlci.nouns import units
from mlci.render.slice_chart import reach_of
from mlci.render.text import clean
from mlci.render.vega import BAD, MUTED, NEW, OLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.report import SliceChange

MOST = 15
_MOST_NAME = 36
_ROW = 30
_FARTHEST = 1e6
"""Changes beyond it would need an axis with exponents."""
_INSTEAD = {
    "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
    ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    "%": "\N{FULLWIDTH PERCENT SIGN}",
    "[": "(",
    "]": ")",
    ":": " ",
    "'": "\N{RIGHT SINGLE QUOTATION MARK}",
    '"': "\N{RIGHT DOUBLE QUOTATION MARK}",
}
"""Letters that look alike for those that could end a string, or begin a directive (`%%`) or markup."""
_KEPT = frozenset(" =.,+-/()_\N{HORIZONTAL ELLIPSIS}").union(_INSTEAD.values())


def slices_mermaid(items: Sequence[SliceChange]) -> tuple[str, ...]:
    """Lines of Markdown with the chart and how to read it; none for fewer than two slices.

    Args:
        items: Changes of one metric against one baseline, the worst first.
    """
    shown = items[:MOST]
    if len(items) < 2 or not reach_of(shown) < _FARTHEST:  # noqa: PLR2004 - a line has two ends
        return ()
    metric, factor = shown[0].metric, 100.0 if units.is_share(shown[0].metric) else 1.0
    reach = factor * reach_of(shown)
    bad = 1 if units.less_is_better(metric, shown[0].good) else -1
    series = [
        (MUTED, [0.0] * len(shown)),
        (OLD, [_within(reach, factor * (item.high if bad == 1 else item.low)) for item in shown]),
        (NEW, [_within(reach, factor * item.change) for item in shown]),
    ]
    allowed = [bad * factor * item.tolerance for item in shown if item.tolerance is not None]
    if len(allowed) == len(shown):
        series.append((BAD, allowed))
    unit = " in points" if units.is_share(metric) else ""
    bound = _number(reach)
    chart = [
        f"%%{{init: {_look(len(shown), [colour for colour, _ in series])}}}%%",
        "xychart-beta",
        f"    x-axis [{', '.join(_quoted(name) for name in _names(shown))}]",
        f"    y-axis {_quoted(f'change of {clean(units.metric_name(metric), _MOST_NAME)}{unit}')} -{bound} --> {bound}",
        *(f"    line [{', '.join(_number(value) for value in values)}]" for _, values in series),
    ]
    return ("```mermaid", *chart, "```", "", _caption(len(items), len(shown), allowed=len(allowed) == len(shown)), "")


def _look(rows: int, colours: Sequence[str]) -> str:
    """Size and colours; the rest follows the page into the dark."""
    size = {"width": 700, "height": 80 + _ROW * rows, "chartOrientation": "horizontal"}
    palette = {"plotColorPalette": ", ".join(colours)}
    return json.dumps({"xyChart": size, "themeVariables": {"xyChart": palette}})


def _caption(all_of: int, shown: int, *, allowed: bool) -> str:
    said = "_Blue: the change. Light grey: the worst that cannot be ruled out. Dark grey: no change."
    said += " Red: the loss that you allow; a slice is safe where light grey keeps clear of it." if allowed else ""
    return f"{said} The {shown} worst of {units.count(all_of)} slices._" if shown < all_of else f"{said}_"


def _names(items: Sequence[SliceChange]) -> list[str]:
    """Names that are all different: the chart draws equal ones at one place."""
    names: list[str] = []
    for item in items:
        name = _plain(clean(item.slice, _MOST_NAME)).strip() or "\N{MIDDLE DOT}"
        same = (f"{name} ({place})" for place in range(2, len(items) + 2))
        names.append(name if name not in names else next(other for other in same if other not in names))
    return names


def _plain(text: str) -> str:
    shown = (_INSTEAD.get(letter, letter) for letter in clean(text))
    return "".join(letter if letter.isalnum() or letter in _KEPT else "\N{MIDDLE DOT}" for letter in shown)


def _quoted(text: str) -> str:
    return f'"{_plain(text)}"'


def _within(reach: float, value: float) -> float:
    return max(-reach, min(reach, value))


def _number(value: float) -> str:
    """Without an exponent, which the chart's grammar has not."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
