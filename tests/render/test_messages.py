"""Every message that a reader can get is a golden file: on the terminal, in the comment, on the page."""

import io
import re
from pathlib import Path
from typing import get_args

import pytest
from messages import MESSAGES
from rich.console import Console
from samples import SAMPLES

from mlci.nouns.finding import Outcome, Status
from mlci.nouns.report import WeakSlice
from mlci.render.html import render_html
from mlci.render.markdown import render_markdown
from mlci.render.terminal import render_terminal
from mlci.render.view import row

EVERY = [made() for made in (*SAMPLES.values(), *MESSAGES.values())]


@pytest.mark.parametrize("name", MESSAGES)
def test_golden(name, golden):
    report = MESSAGES[name]()
    console = Console(file=io.StringIO(), width=100)
    render_terminal(report, console)
    golden(f"message.{name}.txt", console.file.getvalue())
    golden(f"message.{name}.md", render_markdown(report))
    golden(f"message.{name}.html", re.sub(r"(?s)<head>.*</head>", "<head>…</head>", render_html(report, {})))


def test_no_outcome_status_or_verdict_is_without_a_golden():
    findings = [finding for report in EVERY for finding in report.verdict.findings]
    assert {finding.outcome for finding in findings} == set(get_args(Outcome))
    assert {item.status for report in EVERY for item in report.verdict.comparisons} == set(get_args(Status))
    assert {report.verdict.outcome for report in EVERY} == {"pass", "inconclusive", "fail"}
    assert {row(finding).verdict for finding in findings} == {
        "safe", "held", "waived", "blocked", "warning", "noted", "not measured", "not enough data", "too small to tell",
        "nothing to compare",
    }  # fmt: skip
    weak = [item for report in EVERY for item in report.weak]
    assert {item.than for item in weak} == set(get_args(WeakSlice.model_fields["than"].annotation))
    assert {item.measure for item in weak} == set(get_args(WeakSlice.model_fields["measure"].annotation))


def test_no_golden_is_left_behind():
    told = {file.name.split(".")[1] for file in (Path(__file__).parent / "golden").glob("message.*")}
    assert told == set(MESSAGES)
