"""The page that a look writes, in a browser: its plots are there, nothing leaves it, and it fits a phone."""

import pytest

pytestmark = pytest.mark.browser


def test_the_page_shows_time_plots_and_asks_nobody(project, tmp_path, browser):
    project.log(0, 12)
    project.log(12, 24, wrong=0.3, shift=1.0)
    project.look(24, "--out", str(tmp_path / "out"), code=1)
    page = (tmp_path / "out/monitor.html").as_uri()
    said, asked = [], []
    for width in (1200, 390):
        tab = browser.new_page(viewport={"width": width, "height": 800})
        tab.on("console", lambda message: said.append(message.text))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(page)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        charts = tab.locator("svg")
        assert charts.count() >= 3
        for place in range(charts.count()):
            box = charts.nth(place).bounding_box()
            assert box is not None
            assert box["width"] > 200
            assert box["height"] > 60
        shown = tab.inner_text("body")
        assert "accuracy has fallen" in shown
        assert "Evidence of a change" in shown
        tab.close()
    assert (said, asked) == ([], [page, page])
