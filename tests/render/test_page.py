import json
import re

import pytest
from hostile_text import TEXTS
from hypothesis import given, settings
from samples import SAMPLES, WEAK, failing, hostile, passing, report
from test_markdown import Page

from mlci.edges.vega import render_svgs
from mlci.errors import WorldError
from mlci.nouns.report import Charts, SliceChange
from mlci.nouns.units import MINUS
from mlci.render.charts import charts, specs
from mlci.render.html import render_html
from mlci.render.svg import inline
from mlci.render.told_charts import told_charts
from mlci.render.vega import COLOURS


@pytest.fixture(scope="module")
def drawn():
    return render_svgs(specs(failing()))


@pytest.mark.parametrize("name", SAMPLES)
def test_golden_without_charts(name, golden):
    golden(f"{name}.html", render_html(SAMPLES[name](), {}))


def test_every_chart_is_drawn_and_named(drawn):
    judged = ["slices-0", "slices-1", "roc", "pr", "calibration", "scores", "drift-ks", "drift-psi"]
    assert list(drawn) == [*judged, "weak-0", "weak-1", "groups"]
    page = Page(render_html(failing(), drawn))
    assert page.tags.count("svg") == len(drawn)
    for item in (*charts(failing().charts), *told_charts(failing())):
        assert item.title in page.text
        assert ("aria-label", item.title) in page.attributes


def test_the_same_report_gives_the_same_bytes(drawn):
    assert render_html(failing(), drawn) == render_html(failing(), render_svgs(specs(failing())))


def test_charts_use_only_colours_that_the_page_can_translate(drawn):
    for svg in drawn.values():
        used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) - {"none", "transparent"}
        assert used <= set(COLOURS.values()), used


def test_marks_have_tooltips(drawn):
    page = render_html(failing(), drawn).replace(MINUS, "-")
    assert "<title>origin = JFK: -1.2 points (-1.5 points to -0.84 points) on 8,604 rows, blocked</title>" in page


def test_weak_slices_and_groups_say_their_numbers_on_hover(drawn):
    page = render_html(failing(), drawn)
    assert "<title>origin = JFK, distance 1400 to 2586: 11 points (9.1 to 14) on 1,412 rows</title>" in page
    assert "<title>sex = F: selection rate 18.2 %, +1.1 points (+0.5 to +1.8), 13,411 rows</title>" in page


def test_whole_tens_are_written_out():
    far = WEAK[0].model_copy(update={"excess": 0.2, "low": 0.1, "high": 0.3})
    svg = render_svgs(specs(report([], weak=(far,))))["weak-0"]
    assert ">+10<" in svg
    assert "1e" not in "".join(re.findall(r">([^<]*)</text>", svg))


def test_old_is_grey_and_new_is_blue():
    for item in charts(failing().charts):
        text = json.dumps(item.spec)
        if item.name in {"roc", "pr", "calibration", "scores"}:
            assert '"domain": ["merge base", "new"], "range": ["#868e96", "#0072b2"]' in text


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_hostile_text_is_only_text(text):
    page, plain = (Page(render_html(hostile(said), {})) for said in (text, "plain"))
    assert page.structure() == plain.structure()
    assert {name for name, _ in page.attributes} == {name for name, _ in plain.attributes}
    assert not {"script", "a", "img", "iframe", "link"} & set(page.tags)


def test_hostile_text_in_charts_is_only_text():
    drawn = render_svgs(specs(hostile()))
    tags = set(Page(render_html(hostile(), drawn)).tags)
    assert "svg" in tags
    assert not {"script", "a", "img", "image", "foreignobject", "use"} & tags


def test_a_drawing_keeps_nothing_but_drawing():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)" width="9"><script>alert(1)</script>'
        '<a href="//e.vil"><path d="M0"/></a><foreignObject><b>x</b></foreignObject><style>*{}</style>'
        '<defs><clipPath id="c"><rect width="1"/></clipPath></defs>'
        '<g clip-path="url(#c)" style="x:y" fill="url(//e.vil)">'
        '<path aria-roledescription="bar" aria-label="a &lt; b" d="M1"/></g><image href="//e.vil"/></svg>'
    )
    safe = inline(svg, "roc", "ROC <curve>")
    assert safe == (
        '<svg width="9" role="img" aria-label="ROC &lt;curve&gt;">'
        '<defs><clipPath id="roc-c"><rect width="1" /></clipPath></defs><g clip-path="url(#roc-c)">'
        '<path aria-roledescription="bar" aria-label="a &lt; b" d="M1"><title>a &lt; b</title></path></g></svg>'
    )


@pytest.mark.parametrize("text", ["", "<svg", "<html/>", '<!DOCTYPE s [<!ENTITY a "b">]><svg>&b;</svg>'])
def test_what_is_no_drawing_is_refused(text):
    with pytest.raises(ValueError, match="The chart roc is no SVG"):
        inline(text, "roc", "ROC")


def test_a_specification_that_cannot_be_drawn_is_named():
    with pytest.raises(WorldError, match="The chart roc cannot be drawn"):
        render_svgs({"roc": '{"mark": "nothing"}'})


def test_no_chart_costs_nothing():
    assert render_svgs({}) == {}
    assert specs(report([])) == {}


def test_charts_of_odd_numbers_are_drawn():
    one = SliceChange(metric="mae", slice="s", baseline="b", rows=1, change=0.0, low=0.0, high=0.0, outcome="pass")
    many = tuple(one.model_copy(update={"slice": str(place), "change": place - 30.0}) for place in range(60))
    made = charts(Charts(slices=(one, *many)))
    assert "The 40 worst of 61 slices." in made[0].caption
    assert render_svgs(specs(report([], charts=Charts(slices=(one,)))))["slices-0"].startswith("<svg")


def test_there_are_not_too_many_charts():
    one = failing().charts.slices[0]
    many = tuple(one.model_copy(update={"metric": f"m{place}"}) for place in range(9))
    assert len(charts(Charts(slices=many))) == 6


@pytest.mark.browser
def test_the_page_needs_nothing_else(tmp_path, drawn, browser):
    """No request leaves it, no script runs, its own style applies, and it fits a phone."""
    page_file = tmp_path / "report.html"
    page_file.write_text(render_html(passing(), drawn), encoding="utf-8")
    said, asked = [], []
    for width, scheme in ((1200, "light"), (390, "dark")):
        tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        tab.on("console", lambda message: said.append(message.text))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(page_file.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        ink = tab.evaluate("getComputedStyle(document.querySelector('svg [fill=\"#1f2328\"]')).fill")
        assert ink == {"light": "rgb(31, 35, 40)", "dark": "rgb(230, 237, 243)"}[scheme]
        tab.close()
    assert said == []
    assert asked == [page_file.as_uri()] * 2
