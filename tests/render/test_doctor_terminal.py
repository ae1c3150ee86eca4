"""What the doctor says, exactly as a user sees it."""

import io
import re

import pytest
from hostile_text import TEXTS
from hypothesis import given, settings
from rich.console import Console

from mlci.judge.rubric.score import score
from mlci.nouns.base import Place
from mlci.nouns.diagnosis import Diagnosed, Diagnosis
from mlci.nouns.rubric import Evidence
from mlci.nouns.traces import Traces
from mlci.render.diagnosis import diagnosis_markdown, render_diagnosis, summary
from mlci.render.rubric import render_rubric, rubric_markdown


def line(check, group, standing, says="as it should be", mend="", place=None):
    return Diagnosed(check=check, group=group, standing=standing, says=says, mend=mend, place=place)


def diagnosis(says="the lock is stale: stage `train`: deps data/train.parquet modified"):
    place = Place(file="dvc.yaml", line=49)
    checks = (
        line("git.commits", "Git", "fine", "the branch better is checked out"),
        line(
            "git.remote", "Git", "warning", "no Git remote: there is nowhere to open a pull request", "`git remote add`"
        ),
        line("pipeline.lock", "Pipeline", "failure", says, "`dvc repro`, and commit dvc.lock with what changed", place),
        line("github.settings", "GitHub", "not_asked", "GitHub was not asked", "leave out --offline"),
    )
    return Diagnosis(project="flights", checks=checks)


def rubric(says="looked at in every quarter"):
    declared = Evidence(how="manual", says=says, place=Place(file="docs/costs.md"))
    return score("flights", Traces(), None, {"data 3": declared})


def shown(render, found, width=100, **options):
    console = Console(file=io.StringIO(), width=width, **options)
    render(found, console)
    return console.file.getvalue()


def test_golden_diagnosis(golden):
    golden("doctor.100.txt", shown(render_diagnosis, diagnosis()))
    golden("doctor.md", diagnosis_markdown(diagnosis()))


def test_golden_score(golden):
    golden("doctor-score.100.txt", shown(render_rubric, rubric()))
    golden("doctor-score.md", rubric_markdown(rubric()))


@pytest.mark.parametrize("width", [30, 60, 110, 300])
def test_no_line_is_wider_than_the_terminal(width):
    for render, found in ((render_diagnosis, diagnosis()), (render_rubric, rubric())):
        assert max(map(len, shown(render, found, width).splitlines())) <= width


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_nothing_that_a_repository_holds_commands_the_terminal(text):
    for render, found in ((render_diagnosis, diagnosis(text)), (render_rubric, rubric(text))):
        said = shown(render, found, force_terminal=True, color_system="truecolor", legacy_windows=False)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", re.sub(r"\x1b\[[\d;]*m", "", said))


def test_the_summary_counts():
    assert summary(diagnosis()).startswith(
        "\N{BALLOT X} flights: 1 thing would make the loop fail (1 to improve, 1 not asked)"
    )
    fine = Diagnosis(project="flights", checks=diagnosis().checks[:2])
    assert summary(fine) == "\N{CHECK MARK} flights: nothing would make the loop fail, 1 to improve"
