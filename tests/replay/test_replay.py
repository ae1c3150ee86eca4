"""`mlci replay`: the loop over months, with the functions that production is watched and judged by."""

import json

import pytest

pytestmark = pytest.mark.slow


def test_a_change_is_alarmed_trained_for_and_worth_it(past, tmp_path):
    done = past.run("mlci", "replay", "--json", "--out", str(tmp_path))
    found = json.loads(done.stdout)
    march, april, may = found["periods"]
    assert next(each["cause"] for each in march["alarms"] if each["level"] == "block") == "performance"
    assert march["decision"]["action"] == "open"
    # The challenger of March was trained up to February: on what was so before. The gate finds it no better.
    assert april["served"]["never"]["metrics"]["accuracy"] < 0.65
    assert may["served"]["mlci"]["metrics"]["accuracy"] > 0.8
    assert april["challenger"]["outcome"] == "pass"
    assert found["totals"]["mlci"] < found["totals"]["never"]
    # The season moved an input every month, and asked for nothing by itself.
    assert may["drift"][0]["column"] == "warm"
    assert may["decision"]["action"] == "none"
    assert {file.name for file in tmp_path.iterdir()} == {"replay.md", "replay.svg", "replay.json"}
    page = (tmp_path / "replay.md").read_text()
    assert "2013-04" in page
    assert "up to 2013-04" in page


def test_a_second_run_makes_nothing_again_and_finds_the_same(past):
    first = past.run("mlci", "replay", "--json")
    assert "took" not in first.stderr
    assert past.run("mlci", "replay", "--json").stdout == first.stdout
