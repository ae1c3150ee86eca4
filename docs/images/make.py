"""Draw comments as a forge shows them.

`python docs/images/make.py` draws the examples of the documentation, from the comments that the tests hold the renderer
to. `python docs/images/make.py comment.md comment.png` draws one that `mlci publish --preview` or `mlci report --format
markdown` wrote. Needs the development tools and a Chromium on the path.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
COMMENTS = HERE.parents[1] / "tests/render/golden"
EXAMPLES = {
    "pass.md": "comment-pass.png",
    "fail.md": "comment-fail.png",
    "inconclusive.md": "comment-inconclusive.png",
    "first_run.md": "comment-first-run.png",
    "comment.crashed.md": "comment-crashed.png",
    "comment.md": "comment.png",
}
WIDTH = 880

STYLE = """
body { margin: 0; background: #fff; color: #1f2328; font: 14px/1.5 "Segoe UI", Helvetica, Arial, sans-serif; }
.comment { margin: 12px; border: 1px solid #d1d9e0; border-radius: 6px; }
.by { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; padding: 8px 16px; color: #59636e;
  border-radius: 6px 6px 0 0; }
.by b { color: #1f2328; }
.by i { font-style: normal; border: 1px solid #d1d9e0; border-radius: 2em; padding: 0 7px; font-size: 12px; }
.body { padding: 16px 16px 0; overflow-wrap: break-word; }
h3 { font-size: 1.25em; line-height: 1.25; margin: 0 0 16px; font-weight: 400; }
h3 strong { font-weight: 600; }
p, table, pre { margin: 0 0 16px; }
details { margin: 0 0 8px; }
table { border-collapse: collapse; display: block; width: max-content; max-width: 100%; overflow: auto; }
th, td { border: 1px solid #d1d9e0; padding: 6px 13px; }
tr:nth-child(2n) { background: #f6f8fa; }
th { font-weight: 600; }
code { background: #818b981f; border-radius: 6px; padding: .2em .4em; font: 85% ui-monospace, Menlo, monospace; }
pre { background: #f6f8fa; border-radius: 6px; padding: 16px; overflow: auto; }
pre code { background: none; padding: 0; }
a { color: #0969da; text-decoration: none; } a code { color: inherit; }
sub { font-size: 75%; line-height: 1.6; vertical-align: baseline; color: #59636e; }
.mark { border-radius: 3px; color: #fff; padding: 0 .2em; font-size: .9em; font-weight: 700; }
.good { background: #2da44e; } .bad { color: #d1242f; } .open { color: #bf8700; } .quiet { color: #818b98; }
"""
# Not every machine has a font with emoji.
MARKS = {
    "\N{WHITE HEAVY CHECK MARK}": "<span class='mark good'>✓</span>",
    "\N{CROSS MARK}": "<span class='mark bad'>✗</span>",
    "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}": "<span class='mark open'>▲</span>",
    "\N{MEDIUM WHITE CIRCLE}": "<span class='mark quiet'>●</span>",
}


def page(comment: str) -> str:
    """The comment in a page that looks like the forge's."""
    body = MarkdownIt("gfm-like", {"html": True}).render(comment)
    for emoji, mark in MARKS.items():
        body = body.replace(emoji, mark)
    by = "<div class='by'><b>github-actions</b> <i>bot</i> commented</div>"
    return (
        f"<!doctype html><meta charset='utf-8'><style>{STYLE}</style>"
        f"<div class='comment'>{by}<div class='body'>{body}</div></div>"
    )


def draw(pictures: Mapping[Path, Path]) -> None:
    """Write every comment, folded as it is, as a PNG: from the file with its Markdown to the picture's."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - the page alone needs no browser

    browser = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        tab = chromium.new_page(viewport={"width": WIDTH, "height": 100}, device_scale_factor=1)
        for comment, picture in pictures.items():
            tab.set_content(page(comment.read_text(encoding="utf-8")))
            tab.screenshot(path=picture, full_page=True)
        chromium.close()


if __name__ == "__main__":
    given = [Path(name) for name in sys.argv[1:]]
    examples = {COMMENTS / comment: HERE / picture for comment, picture in EXAMPLES.items()}
    draw({given[0]: given[1]} if given else examples)
