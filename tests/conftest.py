"""Tests that need a browser are left out where there is none, but never in continuous integration."""

import os
import shutil

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if shutil.which("chromium") or os.environ.get("CI") == "true":
        return
    skip = pytest.mark.skip(reason="Chromium is not installed: see .ci/system-packages")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(skip)
