"""Draws Vega-Lite specifications as SVG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def render_svgs(specs: Mapping[str, str]) -> dict[str, str]:
    """Every specification as SVG, under the same name.

    The first takes about half a second, because the drawing engine starts; each further one a few hundredths.

    Args:
        specs: Vega-Lite JSON by name.

    Raises:
        WorldError: The drawing library is not installed, or it refuses a specification.
    """
    if not specs:
        return {}
    try:
        import vl_convert  # noqa: PLC0415 - starts an engine that only reports need
    except ImportError as error:
        raise WorldError(
            "Charts need the package vl-convert-python, which is not installed.", "Run `pip install 'mlci[report]'`."
        ) from error
    return {name: _svg(vl_convert.vegalite_to_svg, name, spec) for name, spec in specs.items()}


def _svg(convert: Callable[[str], str], name: str, spec: str) -> str:
    try:
        return _numbered(convert(spec))
    except ValueError as error:
        raise WorldError(f"The chart {name} cannot be drawn: {error}") from error


def _numbered(svg: str) -> str:
    """The drawing with its ids counted from 0: the engine counts on over all drawings of a process."""
    found = dict.fromkeys(re.findall(r'(?:url\(#|\bid=")([a-z]+\d+)\b', svg))
    names = {name: f"{name.rstrip('0123456789')}{place}" for place, name in enumerate(found)}
    return re.sub(r'(url\(#|\bid=")([a-z]+\d+)\b', lambda match: match[1] + names[match[2]], svg)
