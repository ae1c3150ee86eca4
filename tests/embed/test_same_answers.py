"""A page and Node give Python's answers, without any request."""

import pytest
from embed_models import KINDS, about, by_python, differences, node

TOLERANCE = 1e-6
THRESHOLD = 0.2


def test_node_answers_ten_thousand_flights_as_python_does(project, flights, flights_page, tmp_path):
    flights.to_csv(tmp_path / "rows.csv", index=False)
    done = node(flights_page, tmp_path / "rows.csv", "--out", tmp_path / "scored.csv")
    assert done.returncode == 0, done.stderr
    wanted = by_python(project / "models/model.onnx", flights, THRESHOLD)
    largest, flips = differences(tmp_path / "scored.csv", *wanted, ["score"])
    assert (largest < 1e-12, flips) == (True, 0)


@pytest.mark.browser
def test_a_page_answers_ten_thousand_flights_as_python_does(project, flights, flights_page, opened, tmp_path):
    flights.to_csv(tmp_path / "rows.csv", index=False)
    page = opened(flights_page)
    assert "22 examples" in page.tab.inner_text("#state")
    page.score(tmp_path / "rows.csv", tmp_path / "scored.csv")
    assert page.tab.inner_text("#table-state") == "10,000 rows scored"
    wanted = by_python(project / "models/model.onnx", flights, THRESHOLD)
    largest, flips = differences(tmp_path / "scored.csv", *wanted, ["score"])
    assert (largest < 1e-12, flips) == (True, 0)


@pytest.mark.browser
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_models_of_every_kind(kind, embed, opened, tmp_path):
    model, frame = kind(tmp_path / "model.onnx")
    folder = embed(model, frame)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    names = about(folder)["scores"] or ["prediction"]
    wanted = by_python(model, frame, None)
    done = node(folder, tmp_path / "rows.csv", "--out", tmp_path / "node.csv")
    assert done.returncode == 0, done.stderr
    page = opened(folder)
    page.score(tmp_path / "rows.csv", tmp_path / "page.csv")
    for scored in ("node.csv", "page.csv"):
        largest, flips = differences(tmp_path / scored, *wanted, names)
        assert (largest < TOLERANCE, flips) == (True, 0)
