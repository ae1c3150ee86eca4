"""Draws Vega-Lite specifications as SVG."""

from __future__ import annotations

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
        return convert(spec)
    except ValueError as error:
        raise WorldError(f"The chart {name} cannot be drawn: {error}") from error
