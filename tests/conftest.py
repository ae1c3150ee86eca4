"""Tests that need a browser are left out where there is none, but never in continuous integration."""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "forge"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if shutil.which("chromium") or os.environ.get("CI") == "true":
        return
    skip = pytest.mark.skip(reason="Chromium is not installed: see .ci/system-packages")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(skip)


@pytest.fixture
def browser():
    """Chromium, for one test: its driver keeps an event loop running, in which no other test can run its own."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - most tests need no browser

    with sync_playwright() as play:
        found = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield found
        found.close()


@pytest.fixture(scope="session")
def emulator():
    """The emulator of the forge, for all tests of a process."""
    from forge_emulator import Emulator  # noqa: PLC0415 - most tests need no forge

    running = Emulator()
    yield running
    running.stop()


@pytest.fixture
def github(emulator):
    """GitHub on this machine, as tests/forge/conftest.py tells; each test starts with nothing."""
    from forge_emulator import GitHub  # noqa: PLC0415 - as above

    emulator.reset()
    shown = GitHub(emulator)
    yield shown
    assert not shown.problems, "\n".join(shown.problems)
