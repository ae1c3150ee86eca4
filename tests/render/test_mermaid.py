"""The chart that a forge draws: its text is of so small a grammar that no name can leave its quotes.

Every line is held against a pattern, because the real grammar lives in a browser; these patterns were looked at there.
"""

import json
import re

import pytest
from hostile_text import PIECES, TEXTS
from hypothesis import given, settings
from samples import CHARTS, failing

from mlci.render.markdown import render_comment
from mlci.render.mermaid import MOST, slices_mermaid
from mlci.render.view import slice_changes

ACCURACY = slice_changes(CHARTS)["accuracy", "merge-base"]
NAME = r'"[^"`#%&<>;\[\]{}|\\@$*~!?^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]+"'
NUMBER = r"-?\d+(?:\.\d+)?"
LINES = (
    r"```mermaid",
    r"%%\{init: (?P<init>\{.*\})\}%%",
    r"xychart-beta",
    rf"    x-axis \[{NAME}(?:, {NAME})*\]",
    rf"    y-axis {NAME} {NUMBER} --> {NUMBER}",
)
SERIES = rf"    line \[{NUMBER}(?:, {NUMBER})*\]"


def parsed(items):
    """Names and series of a chart, which is nothing else."""
    text = slices_mermaid(items)
    for line, pattern in zip(text, LINES, strict=False):
        assert re.fullmatch(pattern, line), line
    end = text.index("```")
    series = text[len(LINES) : end]
    assert all(re.fullmatch(SERIES, line) for line in series)
    assert text[end + 1] == ""
    init = json.loads(re.fullmatch(LINES[1], text[1])["init"])
    colours = init["themeVariables"]["xyChart"]["plotColorPalette"].split(", ")
    values = [json.loads(line.strip().removeprefix("line ")) for line in series]
    assert len(colours) == len(values)
    return re.findall(r'"([^"]*)"', text[3]), dict(zip(colours, values, strict=True)), text[end + 2]


def test_it_shows_the_worst_slices_and_what_is_allowed():
    names, series, caption = parsed(ACCURACY)
    assert names == [item.slice for item in ACCURACY[:MOST]]
    assert all(len(values) == MOST for values in series.values())
    at = names.index("origin = JFK")
    assert (series["#0072b2"][at], series["#868e96"][at], series["#d55e00"][at]) == (-1.17, -1.5, -1)
    assert caption.endswith(f"The {MOST} worst of {len(ACCURACY)} slices._")


def test_for_a_loss_the_bad_side_is_the_other_one():
    cost = slice_changes(CHARTS)["cost", "merge-base"]
    _, series, _ = parsed(cost)
    assert series["#d55e00"] == [item.tolerance for item in cost[:MOST]]
    assert all(worst >= change for worst, change in zip(series["#868e96"], series["#0072b2"], strict=True))


def test_without_a_tolerance_none_is_drawn():
    _, series, caption = parsed([item.model_copy(update={"tolerance": None}) for item in ACCURACY])
    assert "#d55e00" not in series
    assert "Red" not in caption


def test_one_slice_is_no_line():
    assert slices_mermaid(ACCURACY[:1]) == ()


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e12, float("inf")])
def test_numbers_of_every_size_are_written(size):
    odd = [item.model_copy(update={"change": size, "low": -size, "high": size, "tolerance": None}) for item in ACCURACY]
    assert (slices_mermaid(odd) == ()) == (size > 1e6)
    if size < 1e6:
        parsed(odd)


def test_equal_names_stay_apart():
    names, _, _ = parsed(
        [item.model_copy(update={"slice": text}) for item, text in zip(ACCURACY, PIECES, strict=False)]
    )
    assert len(set(names)) == len(names) == MOST
    names, _, _ = parsed([item.model_copy(update={"slice": "x" * 5_000}) for item in ACCURACY])
    assert len(set(names)) == MOST


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_hostile_names_stay_in_their_quotes(text):
    parsed([item.model_copy(update={"slice": text, "metric": text}) for item in ACCURACY[:3]])


def test_the_comment_has_one():
    assert render_comment(failing()).count("```mermaid\n") == 1
