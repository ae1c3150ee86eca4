import sys
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parents[1] / name) for name in ("serve", "forge")]

from clinic import make
from forge_emulator import Emulator, GitHub


@pytest.fixture
def clinic(tmp_path):
    return make(tmp_path, f"sqlite:///{tmp_path / 'log.db'}")


@pytest.fixture(scope="session")
def forge():
    running = Emulator()
    yield running
    running.stop()


@pytest.fixture
def github(forge):
    forge.reset()
    shown = GitHub(forge)
    yield shown
    assert not shown.problems, "\n".join(shown.problems)
