"""A noun as canonical JSON."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

_DIGITS = 12


def to_json(noun: BaseModel) -> str:
    """The same value gives the same bytes: sorted keys, two spaces, floats to 12 significant digits, a last newline.

    What is not finite is null, because JSON has no word for it.
    """
    return dumps(settled(noun.model_dump(mode="python")))


def to_json_list(nouns: Iterable[BaseModel]) -> str:
    """The same for several values, as a list."""
    return dumps([settled(noun.model_dump(mode="python")) for noun in nouns])


def settled(value: Any) -> Any:  # noqa: ANN401 - whatever a noun dumps to
    """The same value as JSON can write it on every machine alike."""
    if isinstance(value, dict):
        return {str(key): settled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [settled(item) for item in value]
    if isinstance(value, float):
        # Adding 0.0 turns -0.0, which equals 0.0 as a value, into the same bytes.
        return float(f"{value:.{_DIGITS}g}") + 0.0 if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def dumps(value: object) -> str:
    """Any JSON value in the same form."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
