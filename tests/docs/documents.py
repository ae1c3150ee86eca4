"""The pages that people read, and the fenced blocks in them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(r"(?P<skip><!-- not run -->\n)?^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def pages():
    """README.md and everything under docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and where the text starts and ends in the page."""

    kind: str
    body: str
    run: bool
    start: int
    end: int


def blocks(text):
    return [
        Block(each["kind"], each["body"], each["skip"] is None, each.start("body"), each.end("body"))
        for each in _BLOCK.finditer(text)
    ]
