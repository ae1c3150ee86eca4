"""Write what a replay found: Markdown, SVG and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlci.edges.files import write_text
from mlci.nouns.replay import Replayed
from mlci.render.json import to_json
from mlci.render.replay import render_markdown, spec

if TYPE_CHECKING:
    from pathlib import Path


def write_replay(found: Replayed, out: Path) -> tuple[Path, ...]:
    """Write `replay.md`, `replay.svg` and `replay.json`.

    Args:
        found: The replay.
        out: The folder; it is made where it isn't there.

    Raises:
        WorldError: It can't be written, or the chart can't be drawn.
    """
    from mlci.edges.vega import render_svgs  # noqa: PLC0415 - the drawing engine takes half a second to start

    text = to_json(found)
    # Of the numbers as they are written, so that page and plot can be made again from the file.
    told = Replayed.model_validate_json(text)
    texts = {
        "replay.md": render_markdown(told),
        "replay.svg": render_svgs({"replay": json.dumps(spec(told))})["replay"] + "\n",
        "replay.json": text,
    }
    return tuple(write_text(out / name, text) for name, text in texts.items())
