import sys
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parents[1] / name) for name in ("serve", "forge")]

from clinic import make


@pytest.fixture
def clinic(tmp_path):
    return make(tmp_path, f"sqlite:///{tmp_path / 'log.db'}")
