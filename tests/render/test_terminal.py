import io
import re

import pytest
from hostile_text import TEXTS
from hypothesis import given, settings
from rich.console import Console
from samples import CARRIER, SAMPLES, failing, hostile, report

from mlci.render.terminal import render_terminal


def shown(report, width=110, **options):
    console = Console(file=io.StringIO(), width=width, **options)
    render_terminal(report, console)
    return console.file.getvalue()


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("width", [60, 110])
def test_golden(name, width, golden):
    golden(f"{name}.{width}.txt", shown(SAMPLES[name](), width))


@pytest.mark.parametrize("width", [20, 60, 110, 300])
def test_no_line_is_wider_than_the_terminal(width):
    assert max(map(len, shown(failing(), width).splitlines())) <= width


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_nothing_in_the_data_commands_the_terminal(text):
    said = shown(hostile(text), force_terminal=True, color_system="truecolor", legacy_windows=False)
    # Colours and nothing else: no cursor, no links, no title.
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", re.sub(r"\x1b\[[\d;]*m", "", said))


def test_markup_in_data_is_text():
    assert "[bold red]x[/]" in re.sub(r"\s+", " ", shown(hostile("[bold red]x[/]"), 200))


@pytest.mark.parametrize(
    ("broken", "said"), [(8, ""), (9, "Rows of 1 more check: in"), (11, "Rows of 3 more checks: in")]
)
def test_many_broken_checks_show_the_rows_of_some(broken, said):
    findings = tuple(CARRIER.model_copy(update={"check": f"data.c{n}", "title": f"check {n}"}) for n in range(broken))
    printed = shown(report(findings))
    assert printed.count("2013-04-01-ZZ-17") == 8
    assert (said in printed) if said else ("more check" not in printed)
