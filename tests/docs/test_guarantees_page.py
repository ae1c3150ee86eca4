"""The tables and plots of guarantees.md are those of simulations.json, which the slow tests find again."""

import json
import os
import sys

import pytest
from documents import ROOT

sys.path[:0] = [str(ROOT / "docs/explanation"), str(ROOT / "tests/judge")]

import make  # noqa: E402 - a script beside the page, on no path
import simulated  # noqa: E402 - beside the simulations

HOW = "MLCI_UPDATE_DOCS=1 pytest tests/docs/test_guarantees_page.py writes the page and draws the plots"


@pytest.fixture(scope="module", autouse=True)
def updated():
    if os.environ.get("MLCI_UPDATE_DOCS"):
        make.main()


@pytest.fixture(scope="module")
def numbers():
    return json.loads(make.FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page():
    return make.PAGE.read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_simulations(page, numbers):
    assert make.filled(page, numbers) == page, HOW


@pytest.mark.parametrize("name", make.PLOTS)
def test_the_plots_are_drawn_from_the_same_numbers(name, page, numbers):
    svg = (make.IMAGES / f"{name}.svg").read_text(encoding="utf-8")
    assert svg.rstrip().endswith(make.mark_of(make.spec_text(name, numbers))), HOW
    assert "prefers-color-scheme:dark" in svg
    assert f"(../images/{name}.svg)" in page


def test_every_table_is_shown_once(page):
    for name in make.TABLES:
        assert page.count(f"<!-- simulated: {name} -->") == 1


def test_another_number_would_be_noticed(page, numbers):
    other = json.loads(json.dumps(numbers))
    hits, runs = other["slices"]["equal"]["ours"]
    other["slices"]["equal"]["ours"] = [hits + runs // 100, runs]
    assert make.filled(page, other) != page
    assert make.spec_text("gate-slices", other) != make.spec_text("gate-slices", numbers)


def test_an_update_writes_each_number_where_the_page_looks(tmp_path, monkeypatch):
    monkeypatch.setattr(simulated, "FILE", tmp_path / "numbers.json")
    monkeypatch.setattr(simulated, "UPDATE", True)
    simulated.keep("table", "b", share=simulated.Share(3, 60), size=1.5)
    simulated.keep("table", "a", share=simulated.Share(2, 60))
    monkeypatch.setattr(simulated, "UPDATE", False)
    simulated.keep("table", "b", share=simulated.Share(4, 60), size=1.5)
    with pytest.raises(AssertionError, match="write it into the page"):
        simulated.keep("table", "b", share=simulated.Share(6, 60), size=1.5)
    with pytest.raises(AssertionError, match="write it into the page"):
        simulated.keep("table", "b", share=simulated.Share(3, 60))
    kept = json.loads(simulated.FILE.read_text(encoding="utf-8"))
    assert kept == {"table": {"a": {"share": [2, 60]}, "b": {"share": [3, 60], "size": 1.5}}}
