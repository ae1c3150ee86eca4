"""A drawn chart made safe and handy for a page: only drawing elements, own ids, tooltips."""

from __future__ import annotations

from xml.etree import ElementTree as ET

_SVG = "{http://www.w3.org/2000/svg}"
_TAGS = frozenset({"svg", "g", "path", "line", "rect", "circle", "text", "tspan", "title", "defs", "clipPath"})
_SHAPES = {
    "width",
    "height",
    "viewBox",
    "transform",
    "d",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "dx",
    "dy",
    "r",
    "cx",
    "cy",
}
_PAINT = {"fill", "fill-opacity", "opacity", "display", "clip-path", "stroke", "stroke-width", "stroke-opacity"}
_LINES = {"stroke-dasharray", "stroke-dashoffset", "stroke-miterlimit", "stroke-linecap", "stroke-linejoin"}
_TEXTS = {"text-anchor", "font-family", "font-size", "font-weight", "font-style", "dominant-baseline"}
_NAMES = {"id", "role", "aria-label", "aria-hidden", "aria-roledescription", "pointer-events"}
_ATTRIBUTES = frozenset(_SHAPES | _PAINT | _LINES | _TEXTS | _NAMES)
_POINTED_AT = frozenset({"point", "bar", "rect mark", "rule mark", "tick mark"})
"""Marks whose description a reader may want to see on hover."""


def inline(svg: str, name: str, title: str) -> str:
    """The drawing, to be put into a page beside others.

    Whatever is no drawing (scripts, links, styles, foreign objects) is dropped; ids get the chart's name in front, so
    that two charts do not clip each other; marks with a description get it as their tooltip.

    Args:
        svg: An SVG document.
        name: The chart's name, of letters, digits and hyphens.
        title: What a screen reader says of the whole.

    Raises:
        ValueError: The text is no well-formed SVG.
    """
    try:
        root = ET.fromstring(svg)  # noqa: S314 - drawn by us; expat refuses entity bombs
    except ET.ParseError as error:
        raise ValueError(f"The chart {name} is no SVG: {error}") from error
    if root.tag.removeprefix(_SVG) != "svg":
        raise ValueError(f"The chart {name} is no SVG but a <{root.tag}>")
    safe = _safe(root, name)
    safe.set("role", "img")
    safe.set("aria-label", title)
    return ET.tostring(safe, encoding="unicode")


def _safe(element: ET.Element, name: str) -> ET.Element:
    tag = element.tag.removeprefix(_SVG)
    kept = ET.Element(tag, {key: _named(key, value, name) for key, value in element.items() if _kept(key, value)})
    kept.text = element.text
    if element.get("aria-roledescription") in _POINTED_AT and (label := element.get("aria-label")):
        ET.SubElement(kept, "title").text = label
    kept.extend(_safe(child, name) for child in element if str(child.tag).removeprefix(_SVG) in _TAGS)
    return kept


def _named(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    # The only address that a drawing needs is that of its own clip path.
    return value.replace("url(#", f"url(#{name}-", 1)


def _kept(key: str, value: str) -> bool:
    return key in _ATTRIBUTES and ("url(" not in value or value.startswith("url(#"))
