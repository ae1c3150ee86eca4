"""The targets of a Makefile, as far as they can be read without running make."""

from __future__ import annotations

import re

from mlci.edges.workflows import shell_lines
from mlci.nouns.automation import Recipe
from mlci.nouns.base import Place

_TARGET = re.compile(r"([A-Za-z0-9_./ -]+?)\s*:(?![:=])\s*([^#]*)")


def read_recipes(text: str, file: str = "Makefile") -> dict[str, Recipe]:
    """Recipes by target. Variables stay as they are written; patterns and conditions are not followed."""
    found: dict[str, Recipe] = {}
    names: tuple[str, ...] = ()
    for number, line in _logical(text):
        if line.startswith("\t"):
            for name in names:
                one = found[name]
                found[name] = one.model_copy(update={"commands": (*one.commands, *_command(line))})
            continue
        match = _TARGET.fullmatch(line)
        if match is None:
            names = names if not line.strip() or line.startswith("#") else ()
            continue
        names = tuple(match[1].split())
        needs = tuple(match[2].replace("|", " ").split())
        for name in names:
            found[name] = Recipe(needs=needs, place=Place(file=file, line=number))
    return found


def _logical(text: str) -> list[tuple[int, str]]:
    """Lines with their numbers, joined where a backslash goes on."""
    found: list[tuple[int, str]] = []
    held, begun = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        begun = begun if held else number
        held += line
        if line.endswith("\\"):
            held = f"{held[:-1]} "
            continue
        found.append((begun, held if held.startswith("\t") else held.split("#")[0].rstrip()))
        held = ""
    return found


def _command(line: str) -> tuple[str, ...]:
    return shell_lines(line.strip().lstrip("@-+"))
