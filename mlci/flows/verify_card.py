"""Whether a model card tells of the model that it lies beside: its name, its digest, and its numbers."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from mlci.nouns.bundle import BOM, CARD, PAGE, Checked

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.bundle import Manifest

_INDEX = "model-index: "
# The one has six decimals, the other six digits.
_ROUNDED = 1e-5


def check_card(folder: Path, manifest: Manifest) -> Checked:
    """Compare both cards with what the bundle says of itself, and with its bill of materials."""
    texts = {name: _text(folder / name) for name in (CARD, PAGE)}
    wrong = [
        f"{name} tells of another model"
        for name, text in texts.items()
        if manifest.sha256 not in text or manifest.version not in text or manifest.commit not in text
    ]
    wrong += _numbers(texts[CARD], folder, manifest)
    said = "; ".join(wrong) or f"{CARD}, {PAGE}"
    return Checked(what="the card is of this model", held=not wrong, said=said)


def _numbers(text: str, folder: Path, manifest: Manifest) -> list[str]:
    line = next((each for each in text.splitlines() if each.startswith(_INDEX)), "")
    try:
        (told,) = json.loads(line.removeprefix(_INDEX))
        card = {str(one["type"]): float(one["value"]) for one in told["results"][0]["metrics"]}
    except (ValueError, KeyError, TypeError, IndexError):
        return [f"the head of {CARD} can't be read"]
    if told.get("name") != f"{manifest.name} {manifest.version}":
        return [f"the head of {CARD} names another model"]
    wrong = [name for name, value in _listed(folder).items() if not _same(card.get(name), value)]
    return [f"{CARD} tells other numbers than {BOM}: {', '.join(sorted(wrong))}"] if wrong else []


def _listed(folder: Path) -> dict[str, float]:
    """The metrics on all rows by the bill of materials, which has them from where the card has them."""
    try:
        bill = json.loads((folder / BOM).read_bytes())
        told = bill["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
        return {str(one["type"]): float(one["value"]) for one in told if one["slice"] == "all rows"}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _same(told: Any, measured: float) -> bool:  # noqa: ANN401 - whatever the card says
    return told is not None and math.isclose(told, measured, abs_tol=_ROUNDED, rel_tol=_ROUNDED)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
