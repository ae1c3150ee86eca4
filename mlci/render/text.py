"""Hostile text made visible and inert: names, slice values and rows come from whoever wrote the data."""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MOST_NUMBER = 40
_MOST_MARKS = 3
"""Combining marks on one character; more only serve to paint over other lines."""


def clean(text: str, most: int | None = None) -> str:
    """One line of visible characters.

    Line breaks become `⏎`, tabs and other spaces a space; control characters, bidirectional overrides, zero-width
    and unassigned characters become `⟨U+202E⟩`, so that a reader sees them and nothing obeys them.

    Args:
        text: Any text.
        most: Cut after so many characters, with an ellipsis.
    """
    cut = text[: most + 1] if most is not None else text
    if len(cut) == len(text) and (most is None or len(text) <= most) and text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for letter in cut.replace("\r\n", "\n"):
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in {"Mn", "Me"} else 0
        if marks <= _MOST_MARKS:
            shown.append(_visible(letter, kind))
    if most is not None and len(text) > most:
        return "".join(shown)[: max(most - 1, 0)] + "\N{HORIZONTAL ELLIPSIS}"
    return "".join(shown)


def _visible(letter: str, kind: str) -> str:
    if letter in "\r\n" or kind in {"Zl", "Zp"}:
        return "\N{RETURN SYMBOL}"
    if letter == "\t" or kind == "Zs":
        return " "
    if kind in _HIDDEN:
        return f"\N{MATHEMATICAL LEFT ANGLE BRACKET}U+{ord(letter):04X}\N{MATHEMATICAL RIGHT ANGLE BRACKET}"
    return letter


_BREAK = "\N{ZERO WIDTH NON-JOINER}"
_ESCAPED = {letter: f"&#{ord(letter)};" for letter in "\\`*_[]<>|~&$"}
# A dollar in a span is what GitHub names as the way to write one that starts no formula.
_ESCAPED_TEXT = _ESCAPED | {"$": "<span>&#36;</span>"}
# What GitHub turns into links or pictures after Markdown: mentions, references, addresses, commits, shortcodes. It
# takes a break behind `www.` for a letter of the host, so that one must stand before the dot.
_LINKED = re.compile(
    r"@|#|:(?=//)|:(?=[\w+-]+:)|www(?=\.)|(?:mailto|xmpp)(?=:)|GH(?=-)|[0-9a-f]{7,}|(?<=\w)\.(?=[^\W\d])",
    re.IGNORECASE,
)
_BLOCK = re.compile(r"^(\d+)([.)])(?=\s|$)|^()([-+=])(?=[-+=\s]|$)")
_ADDRESS = re.compile(r"@|:(?=//)|(?:www|ftp)(?=\.)|(?:mailto|xmpp)(?=:)", re.IGNORECASE)
_SPAN = re.compile(r"`([^`]+)`")


def markdown_text(text: str, most: int | None = None) -> str:
    """Text that GitHub shows as it is: no markup, link, mention, reference, formula or block starts inside it.

    Args:
        text: Any text.
        most: Cut the text, before escaping, after so many characters.
    """
    return _no_block(_inert(clean(text, most).strip()))


def _inert(text: str) -> str:
    return "".join(_ESCAPED_TEXT.get(letter, letter) for letter in _LINKED.sub(_broken, text))


def _no_block(line: str) -> str:
    """A line whose first characters start no list, heading or rule."""
    return _BLOCK.sub(lambda match: f"{match[1] or ''}&#{ord(match[2] or match[4])};", line)


def _broken(match: re.Match[str]) -> str:
    found = match[0]
    # A break inside a run of hex digits, and behind everything else, ends what GitHub looks for.
    return f"{found[:3]}{_BREAK}{found[3:]}" if len(found) > 6 else f"{found}{_BREAK}"  # noqa: PLR2004 - a short SHA has 7


def spans(text: str) -> tuple[tuple[bool, str], ...]:
    """A sentence in its parts: (whether it stood between backticks, text). Each part is still to be escaped."""
    parts = _SPAN.split(text)
    return tuple((place % 2 == 1, part) for place, part in enumerate(parts) if part)


def markdown_prose(text: str, most: int | None = None) -> str:
    """A sentence of ours, in which names may stand between backticks; as inert as its parts."""
    parts = spans(clean(text, most).strip())
    return _no_block("".join(markdown_code(part) if code else _inert(part) for code, part in parts))


def markdown_code(text: str, most: int | None = None) -> str:
    """A value as `<code>`: GitHub looks for no mentions, references or commits in it, and entities start no markup."""
    shown = clean(text, most) or " "
    inside = "".join(_ESCAPED.get(letter, letter) for letter in shown)
    # Parsers look for addresses before they know what is code; some take a break for a letter of a domain's name, but
    # none for one of the name before the sign.
    broken = _ADDRESS.sub(lambda match: f"{_BREAK if match[0] == '@' else ''}{match[0]}{_BREAK}", inside)
    return f"<code>{broken}</code>"


def markdown_number(text: str) -> str:
    """A number with its unit, which stays on one line."""
    return markdown_text(text, _MOST_NUMBER).replace(" ", "&nbsp;")


def markdown_fence(lines: tuple[str, ...], language: str = "sh") -> str:
    """Lines in a fence that is longer than any run of backticks in them."""
    shown = [clean(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *shown, fence])
