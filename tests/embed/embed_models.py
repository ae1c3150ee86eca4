"""Models of every kind as files, and tables to ask them; ask an embedded model by Node or by a page."""

import json
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from embed_runtime import NODE
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlci.edges.onnx.score import decide
from mlci.edges.onnx.session import OnnxModel
from mlci.flows.export import prove_export

CARRIERS = ["Ærø", "日本航空", 'with "quotes", comma', "🛫", "=HYPERLINK(1)"]


def table(rows=600, *, seed=0):
    """Unicode categories, missing texts and numbers, whole numbers and booleans."""
    rng = np.random.default_rng(seed)
    carrier = rng.choice(CARRIERS, rows).astype(object)
    carrier[rng.random(rows) < 0.1] = None
    wind = rng.normal(size=rows)
    wind[rng.random(rows) < 0.2] = np.nan
    return pd.DataFrame(
        {
            "carrier": carrier,
            "wind speed": wind,
            "distance": rng.integers(100, 5_000, rows),
            "holiday": rng.random(rows) < 0.3,
        }
    )


def truth(frame):
    return (
        frame["wind speed"].fillna(0.5)
        + frame["holiday"]
        + frame["distance"] / 2_500
        + frame["carrier"].map(lambda text: len(text) % 3 if isinstance(text, str) else 2)
    ).to_numpy(float)


def numbers(rows=600, *, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(rows, 3)), columns=["a", "b", "c"])


def _categories(frame):
    return frame.assign(carrier=frame["carrier"].astype("category"))


def missing_and_unicode(path):
    frame = table()
    model = HistGradientBoostingClassifier(max_iter=15, min_samples_leaf=5)
    return _proven(path, model.fit(_categories(frame), truth(frame) > 2), frame, "binary"), table(seed=1)


def many_classes(path):
    frame = table()
    classes = np.array(["niedrig", "mittel", "très haut"])[np.digitize(truth(frame), [1.5, 3])]
    model = HistGradientBoostingClassifier(max_iter=8, min_samples_leaf=5)
    return _proven(path, model.fit(_categories(frame), classes), frame, "multiclass"), table(seed=1)


def regression(path):
    frame = table()
    model = HistGradientBoostingRegressor(max_iter=15, min_samples_leaf=5)
    return _proven(path, model.fit(_categories(frame), truth(frame)), frame, "regression"), table(seed=1)


def without_texts(path):
    frame = numbers()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, frame["a"] + frame["b"] > 0)
    return _proven(path, model, frame, "binary"), numbers(seed=1)


def forest(path):
    frame = pd.DataFrame(load_iris().data, columns=["sepal length", "sepal width", "petal length", "petal width"])
    frame = frame.astype("float32").astype("float64")
    model = RandomForestClassifier(20, random_state=0).fit(frame, load_iris().target)
    return _proven(path, model, frame, "multiclass"), frame


def one_hot(path):
    frame = table()[["carrier", "distance"]].fillna({"carrier": ""})
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["carrier"]), (StandardScaler(), ["distance"])
    )
    model = make_pipeline(columns, LogisticRegression()).fit(frame, truth(table()) > 2)
    return _proven(path, model, frame, "binary"), frame


def boosted_regression(path):
    frame = numbers().astype("float32").astype("float64")
    model = GradientBoostingRegressor(n_estimators=10).fit(frame, frame["a"] * 3)
    return _proven(path, model, frame, "regression"), numbers(seed=1).astype("float32").astype("float64")


KINDS = (missing_and_unicode, many_classes, regression, without_texts, forest, one_hot, boosted_regression)


def _proven(path, model, frame, task):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content, proof = prove_export(model, pa.Table.from_pandas(frame), name="people", task=task)
    assert proof.held
    path.write_bytes(content)
    return path


def by_python(model, frame, threshold):
    """Decisions and scores as Python gives them."""
    loaded = OnnxModel.load(model)
    scores = loaded.score(pa.Table.from_pandas(frame, preserve_index=False))
    values = scores.score if loaded.signature.classes else np.asarray(scores.prediction, dtype=float).reshape(-1, 1)
    return decide(scores, loaded.signature, threshold), values


def differences(scored, decisions, values, names):
    """The largest difference of a score, and how many decisions differ."""
    got = pd.read_csv(scored, keep_default_na=False)
    assert len(got) == len(values)
    largest = np.abs(got[list(names)].to_numpy(float) - values).max()
    if list(names) == ["prediction"]:
        return largest, 0
    wanted = [str(one).lower() if isinstance(one, bool | np.bool_) else str(one) for one in decisions]
    said = [str(one).lower() for one in got["prediction"]]
    return largest, sum(one != other for one, other in zip(said, wanted, strict=True))


def node(folder, *arguments):
    return subprocess.run(
        [NODE, folder / "score.mjs", *arguments], capture_output=True, text=True, check=False, encoding="utf-8"
    )


class Page:
    """An embedded page in a browser without a network, and what it asked and said."""

    def __init__(self, browser, folder, **options):
        self.requests, self.said = [], []
        self.context = browser.new_context(offline=True, accept_downloads=True, **options)
        self.tab = self.context.new_page()
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.address = (folder / "index.html").as_uri()
        self.tab.goto(self.address)
        self.tab.wait_for_selector("#state[data-tone]")

    def score(self, csv: Path, out: Path):
        self.tab.set_input_files("#file", csv)
        self.tab.wait_for_selector("#table-said a")
        with self.tab.expect_download() as download:
            self.tab.click("#table-said a")
        download.value.save_as(out)

    def close(self):
        """Close it; fails where it asked for anything but itself."""
        self.context.close()
        assert self.requests == [self.address]
        assert self.said == []


def about(folder):
    return json.loads((folder / "embed.json").read_text(encoding="utf-8"))
