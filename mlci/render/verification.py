"""What became of verifying a bundle, on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mlci.render.text import clean

if TYPE_CHECKING:
    from rich.console import Console

    from mlci.nouns.bundle import Verification

_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("-", "yellow")}


def render_verification(found: Verification, console: Console) -> None:
    """Print one line in all, and one for every check."""
    open_ = found.held and any(check.held is None for check in found.checks)
    mark, colour = _MARKS[None if open_ else found.held]
    name = f"{found.name} {found.version}".strip() or found.source
    said = "is what was released" if found.held else "is not to be trusted"
    said = "is whole, but not all of it was checked" if open_ else said
    console.print(Text(f"{mark} {clean(name)} {said}", style=f"bold {colour}"))
    for check in found.checks:
        mark, colour = _MARKS[check.held]
        line = Text(f"  {mark} ", style=colour)
        line.append(clean(check.what), style="default")
        line.append(f": {clean(check.said)}" if check.said else "", style="dim" if check.held else "default")
        console.print(line)
