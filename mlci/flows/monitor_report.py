"""Write what a look found: HTML, Markdown, JSON, and Prometheus text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.edges.files import write_text
from mlci.render.json import to_json
from mlci.render.monitor import render_markdown, render_prometheus

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.monitoring import Monitoring


def write_reports(found: Monitoring, out: Path) -> tuple[Path, ...]:
    """Write the report in every format.

    Args:
        found: The look.
        out: The folder; it is made where it isn't there.

    Raises:
        WorldError: It can't be written, or the charts can't be drawn.
    """
    # Only who wants a page waits for the templates and the drawing engine.
    from mlci.edges.vega import render_svgs  # noqa: PLC0415
    from mlci.render.monitor_page import render_html, specs  # noqa: PLC0415

    texts = {
        "monitor.html": render_html(found, render_svgs(specs(found))),
        "monitor.md": render_markdown(found),
        "monitor.json": to_json(found),
    }
    return tuple(write_text(out / name, text) for name, text in texts.items())


def write_prometheus(found: Monitoring, path: Path) -> None:
    """Write Prometheus text; a collector that reads at the same time sees the old or the new file, never half of one.

    Raises:
        WorldError: It can't be written.
    """
    write_text(path, render_prometheus(found))
