"""The replay of the reference project: the page and the plot are those of its numbers, which show what they must."""

import json

import pytest
from documents import ROOT

from mlci.edges.vega import render_svgs
from mlci.nouns.replay import Replayed
from mlci.render.json import to_json
from mlci.render.replay import render_markdown, spec

FOLDER = ROOT / "docs/explanation"
HOW = "`mlci replay --out docs/explanation` makes it anew"


@pytest.fixture(scope="module")
def found():
    return Replayed.model_validate_json((FOLDER / "replay.json").read_text(encoding="utf-8"))


def test_the_page_and_the_plot_are_those_of_the_numbers(found):
    assert to_json(found) == (FOLDER / "replay.json").read_text(encoding="utf-8"), HOW
    assert render_markdown(found) == (FOLDER / "replay.md").read_text(encoding="utf-8"), HOW
    drawn = render_svgs({"replay": json.dumps(spec(found))})["replay"]
    assert drawn.strip() == (FOLDER / "replay.svg").read_text(encoding="utf-8").strip(), HOW


def period(found, name):
    return next(each for each in found.periods if each.name == name)


def cost(found, name, strategy):
    return period(found, name).served[strategy].metrics["cost"]


def test_april_is_an_alarm_of_performance(found):
    causes = {each.cause for each in period(found, "2013-04").alarms if each.level == "block"}
    assert "performance" in causes


def test_retraining_is_worth_its_cost_in_summer(found):
    summer = ("2013-05", "2013-06", "2013-07", "2013-08")
    assert any(period(found, name).accepted for name in ("2013-04", *summer))
    assert sum(cost(found, name, "mlci") for name in summer) < sum(cost(found, name, "never") for name in summer)


def test_a_season_that_drifts_asks_for_nothing_by_itself(found):
    warm = [
        each
        for each in found.periods
        if any(bar.column in {"temp", "dewp"} and bar.low > bar.tolerance for bar in each.drift)
    ]
    assert warm
    assert all(trigger.kind == "alarm" for each in warm for trigger in each.decision.triggers)
    assert any(not each.decision.triggers for each in warm)


def test_december_refuses_the_challenger_of_three_months(found):
    rival = period(found, "2013-12").rival
    assert rival is not None
    assert rival.outcome == "fail"
    assert rival.metrics["cost"] > rival.against["cost"]
