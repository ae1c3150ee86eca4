r"""Regular expressions in RE2's syntax, written so that other engines give them the same meaning.

What differs: Java's `$` also matches before a final newline and its `.` stops at more line ends than `\n`; `\w`, `\d`
and `\b` know Unicode in some engines and ASCII in RE2; `[` and `&&` nest and intersect classes in Java.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Target = Literal["java", "python", "postgres", "pcre", "icu"]

_END: dict[Target, str] = {
    "java": r"\z",
    "python": r"\Z",
    "postgres": r"\Z",
    "pcre": r"\z",
    "icu": r"\z",
}
_WORD, _DIGIT, _SPACE = "0-9A-Za-z_", "0-9", r"\t\n\f\r "
_SHORT = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROL = {"a": r"\x07", "f": r"\f", "t": r"\t", "n": r"\n", "r": r"\r", "v": r"\x0B"}
_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7F",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1F\x7F",
    "digit": _DIGIT,
    "graph": r"\x21-\x7E",
    "lower": "a-z",
    "print": r"\x20-\x7E",
    "punct": r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E",
    "space": r"\t\n\x0B\f\r ",
    "upper": "A-Z",
    "word": _WORD,
    "xdigit": "0-9A-Fa-f",
}
_TOKEN = re.compile(
    r"""\\Q(?P<quoted>.*?)(?:\\E|\Z)
    | \\x\{(?P<wide>[0-9A-Fa-f]+)\} | \\x(?P<hex>[0-9A-Fa-f]{2})
    | \\(?P<property>[pP])(?:\{(?P<named>\^?\w+)\}|(?P<short>\w))
    | \\(?P<escaped>.)
    | \(\?P?<(?P<group>\w+)> | (?P<plain>\(\?:)
    | \(\?(?P<flags>[imsU-]*)(?P<scoped>[:)])
    | (?P<repeat>\{\d+(?:,\d*)?\})
    | (?P<char>.)""",
    re.VERBOSE | re.DOTALL,
)


class UntranslatableError(ValueError):
    """A pattern means something that the other engine can't say."""


def translated(pattern: str, target: Target) -> str:
    r"""The pattern, to be looked for anywhere in a text, so that it is found where RE2 matches the text as a whole.

    Raises:
        UntranslatableError: The target has no such form.

    >>> translated("[A-Z]+$", "java")
    '\\A(?:[A-Z]+\\z)\\z'
    """
    found = re.match(r"\(\?([is]+)\)", pattern)
    flags, body = (found[1], pattern[found.end() :]) if found else ("", pattern)
    if "i" in flags and target == "postgres" and not body.isascii():
        raise UntranslatableError("`(?i)` of letters whose other case depends on the database's locale")
    scanned = "".join(_outside(body, target, r"(?:[^\n]|\n)" if "s" in flags else r"[^\n]"))
    folded = ("(?iu)" if target == "java" else "(?i)") if "i" in flags else ""
    whole = rf"{folded}\A(?:{scanned}){_END[target]}"
    # There, `\x` takes as many digits as follow, and no text holds the character 0.
    return re.sub(r"\\(x[0-9A-F]{2}|.)", _four_digits, whole, flags=re.DOTALL) if target == "postgres" else whole


def _four_digits(found: re.Match[str]) -> str:
    digits = found[1][1:]
    return f"\\u00{'01' if digits == '00' else digits}" if digits else found[0]


def _outside(body: str, target: Target, dot: str) -> Iterator[str]:
    """The pieces of a pattern, each in the target's form."""
    place = 0
    while place < len(body):
        if body[place] == "[":
            piece, place = _class(body, place, target)
            yield piece
            continue
        found = _TOKEN.match(body, place)
        if found is None:
            raise UntranslatableError(f"`{body[place:]}`")
        place = found.end()
        yield _piece(found, target, dot)


def _piece(found: re.Match[str], target: Target, dot: str) -> str:
    match found.lastgroup:
        case "quoted":
            return "".join(_literal(char) for char in found["quoted"])
        case "wide" | "hex":
            return _literal(chr(int(found[found.lastgroup], 16)))
        case "named" | "short":
            return _property(found, target)
        case "escaped":
            return _escaped(found["escaped"], target)
        case "group":
            return "("
        case "plain" | "repeat":
            return found[0]
        case "scoped":
            raise UntranslatableError(f"`{found[0]}`")
        case _:
            special = {".": dot, "^": r"\A", "$": _END[target], "{": r"\{", "}": r"\}", "]": r"\]"}
            return special.get(found[0], found[0] if found[0] in "()|*+?" else _literal(found[0]))


def _escaped(char: str, target: Target) -> str:
    if char.lower() in _SHORT:
        return f"[{'^' if char.isupper() else ''}{_SHORT[char.lower()]}]"
    if char in "bB":
        before, after = f"(?<=[{_WORD}])", f"(?=[{_WORD}])"
        no_before, no_after = f"(?<![{_WORD}])", f"(?![{_WORD}])"
        if char == "b":
            return f"(?:{before}{no_after}|{no_before}{after})"
        return f"(?:{before}{after}|{no_before}{no_after})"
    if char == "A":
        return r"\A"
    if char == "z":
        return _END[target]
    return _CONTROL.get(char) or _punctuation(char)


def _punctuation(char: str) -> str:
    if char.isalnum():
        raise UntranslatableError(f"`\\{char}`")
    return _literal(char)


def _property(found: re.Match[str], target: Target) -> str:
    name = found["named"] or found["short"]
    if target not in {"java", "pcre", "icu"} or name.startswith("^"):
        raise UntranslatableError(f"`{found[0]}`")
    # One or two letters are a category, more a script.
    script = "" if len(name) <= len("Lu") or target != "java" else "Is"
    return f"\\{found['property']}{{{script}{name}}}"


def _literal(char: str) -> str:
    """A character that means itself, in any place."""
    if char in "\t\n\f\r":
        return {"\t": r"\t", "\n": r"\n", "\f": r"\f", "\r": r"\r"}[char]
    if char.isascii() and not char.isalnum() and char not in "_ ":
        return f"\\x{ord(char):02X}" if not char.isprintable() else f"\\{char}"
    return char


def _class(body: str, place: int, target: Target) -> tuple[str, int]:
    """A class of characters, from its `[` on, and where the pattern goes on."""
    place += 1
    parts = ["["]
    if body.startswith("^", place):
        parts.append("^")
        place += 1
    first = True
    while place < len(body):
        if body[place] == "]" and not first:
            return "".join((*parts, "]")), place + 1
        first = False
        if named := re.compile(r"\[:(\w+):\]").match(body, place):
            parts.append(_POSIX[named[1]])
            place = named.end()
        elif body[place] == "-" and len(parts) > 1 and not body.startswith("-]", place):
            parts.append("-")
            place += 1
        elif (found := _TOKEN.match(body, place)) is not None and body[place] == "\\":
            parts.append(_in_class(found, target))
            place = found.end()
        else:
            parts.append(_literal(body[place]))
            place += 1
    raise UntranslatableError(f"`{body}`")


def _in_class(found: re.Match[str], target: Target) -> str:
    if found.lastgroup == "escaped":
        char = found["escaped"]
        if char in _SHORT:
            return _SHORT[char]
        if char in "DWSbBAz":
            raise UntranslatableError(f"`\\{char}` among other characters")
        return _CONTROL.get(char) or _punctuation(char)
    return _piece(found, target, "")
