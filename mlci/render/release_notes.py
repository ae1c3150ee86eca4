"""What a release says on a forge: what changed for users of the model, and the verdict; nothing of it can act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns.forge_release import Notes
from mlci.nouns.registry import SemVer
from mlci.render.card import folder_name
from mlci.render.text import clean, markdown_code, markdown_fence, markdown_prose, markdown_text

if TYPE_CHECKING:
    from mlci.nouns.bundle import Manifest
    from mlci.nouns.finding import Verdict

_LONG = 500
_MOST_LINES = 50


def render_notes(
    manifest: Manifest, verdict: Verdict, lines: tuple[str, ...], *, trust: str = "", latest: bool = True
) -> Notes:
    """The notes in GitHub's Markdown; the same arguments give the same bytes.

    Args:
        manifest: Of the bundle.
        verdict: That the release stands on.
        lines: What changed, a sentence each.
        trust: The option by which a reader names who signed it; empty where nobody did.
        latest: Whether no version is higher.
    """
    folder = folder_name(manifest.name, manifest.version)
    told = [f"- {markdown_prose(line, _LONG)}" for line in lines[:_MOST_LINES]]
    body = [
        markdown_text(manifest.purpose, _LONG),
        "",
        f"**Verdict:** {markdown_prose(verdict.headline, _LONG)}",
        "",
        "## What changes for users of the model",
        "",
        *(told or ["Nothing was noted."]),
        "",
        "## How to get it",
        "",
        markdown_fence((f"mlci pull {manifest.name}@{manifest.version}{f' {trust}' if trust else ''}",)),
        "",
        f"It is the model of commit {markdown_code(manifest.commit[:10])}, SHA-256 {markdown_code(manifest.sha256)}.",
        f"{markdown_code(f'{folder}.tar.gz')} holds all files, and {markdown_code('card.md')} tells more.",
        "",
    ]
    return Notes(
        title=clean(f"{manifest.name} {manifest.version}"),
        body="\n".join(body),
        prerelease=SemVer(manifest.version).prerelease,
        latest=latest,
    )
