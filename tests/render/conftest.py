"""Golden files hold exactly what a user sees; `MLCI_REGEN=1 pytest tests/render` writes them anew."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


@pytest.fixture
def golden():
    def check(name: str, text: str) -> None:
        path = HERE / "golden" / name
        if os.environ.get("MLCI_REGEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} changed; if it should: MLCI_REGEN=1 pytest {HERE}"

    return check
