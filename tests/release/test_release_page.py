"""A bundle with the page that runs the model: whole, the same each time, and verified."""

import json
import os
import subprocess
import sys

import pytest
from embed_runtime import CACHE, cached
from release_project import POLICY, build, judged

from mlci.errors import WorldError


@pytest.fixture
def with_page(ready, monkeypatch):
    """A release whose policy asks for the page."""
    try:
        cached()
    except WorldError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE))
    # Nothing is fetched: it is in the user's cache.
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    (ready.root / "params.yaml").write_text(POLICY + "  release: {embed: true}\n")
    judged(ready, "Ask for the page")
    assert ready.mlci("release").returncode == 0
    return ready


def test_the_page_is_in_the_bundle_and_another_model_in_it_is_found(with_page, tmp_path):
    folder = build(with_page, tmp_path / "one")
    build(with_page, tmp_path / "two")
    same = ["cmp", str(tmp_path / "one/people-v1.0.0.tar.gz"), str(tmp_path / "two/people-v1.0.0.tar.gz")]
    assert subprocess.run(same, check=False).returncode == 0
    page = folder / "embed.html"
    assert f"{page.stat().st_size / 1e6:.1f} MB" in (folder / "card.md").read_text()

    def verified():
        command = [sys.executable, "-m", "mlci", "verify", str(folder), "--json"]
        told = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        return {check["what"]: check["held"] for check in told["checks"]}

    found = verified()
    assert found["the page runs this model"] is True
    assert False not in found.values()
    text = page.read_text()
    at = text.index('id="model">') + 100
    page.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
    found = verified()
    assert found["the page runs this model"] is False
    assert found["every file is as its sum says"] is False
