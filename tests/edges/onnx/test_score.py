"""Predictions tables: the contract's columns, whole or not at all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from frames import categories, delay, flights, table
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from mlci.edges.onnx.score import Batching, score_table
from mlci.edges.onnx.session import OnnxModel
from mlci.errors import PolicyError, WorldError
from mlci.flows.export import prove_export


@pytest.fixture(scope="module")
def model():
    frame = flights(600)
    known = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5)
    known.fit(categories(frame, "carrier", "origin"), delay(frame) > 0.5)
    return OnnxModel.load(prove_export(known, table(frame), name="flights", task="binary")[0])


@pytest.fixture
def data(tmp_path):
    frame = flights(600)
    frame.insert(0, "flight_id", [f"f{at}" for at in range(len(frame))])
    frame["late"] = delay(frame) > 0.5
    frame.to_parquet(tmp_path / "test.parquet", row_group_size=100)
    return tmp_path


def score(model, folder, name="test.parquet", **options):
    known = {"id": "flight_id", "label": "late"} | options
    return score_table(model, folder / name, folder / "predictions.parquet", **known)


def test_the_contract(model, data):
    done = []
    result = score(model, data, batching=Batching(batch_rows=70), progress=done.append)
    assert (result.rows, result.columns) == (600, ("id", "label", "prediction", "score"))
    assert done[-1] == 600
    assert done == sorted(done)
    written = pq.read_table(data / "predictions.parquet")
    assert [str(each) for each in written.schema.types] == ["string", "bool", "bool", "double"]
    rows = pq.read_table(data / "test.parquet")
    expected = model.score(rows)
    assert written.column("id").to_pylist() == rows.column("flight_id").to_pylist()
    assert written.column("label").to_pylist() == rows.column("late").to_pylist()
    assert (written.column("prediction").to_numpy() == expected.prediction).all()
    assert np.abs(written.column("score").to_numpy() - expected.score[:, 0]).max() < 1e-12


def test_the_same_bytes_again(model, data):
    score(model, data)
    first = (data / "predictions.parquet").read_bytes()
    score(model, data)
    assert (data / "predictions.parquet").read_bytes() == first


def test_a_threshold_decides(model, data):
    score(model, data, threshold=0.2)
    written = pq.read_table(data / "predictions.parquet").to_pandas()
    assert ((written["score"] >= 0.2) == written["prediction"]).all()
    assert written["prediction"].mean() > (written["score"] >= 0.5).mean()


def test_csv_gives_the_same(model, data):
    score(model, data)
    expected = pq.read_table(data / "predictions.parquet")
    pd.read_parquet(data / "test.parquet").to_csv(data / "test.csv.gz", index=False)
    score(model, data, "test.csv.gz", batching=Batching(batch_rows=50))
    got = pq.read_table(data / "predictions.parquet")
    assert got.drop_columns("score").equals(expected.drop_columns("score"))
    assert np.allclose(got.column("score"), expected.column("score"), rtol=0, atol=1e-12)


def test_no_label(model, data):
    assert score(model, data, label=None).columns == ("id", "prediction", "score")


def test_several_classes_and_a_regression(tmp_path):
    data = load_iris(as_frame=True)
    frame = data.data.assign(id=range(150), kind=data.target.map(dict(enumerate("abc"))))
    frame.to_parquet(tmp_path / "test.parquet")
    known = HistGradientBoostingClassifier(max_iter=3).fit(data.data, frame["kind"])
    model = OnnxModel.load(prove_export(known, table(data.data), name="iris", task="multiclass")[0])
    result = score(model, tmp_path, id="id", label="kind")
    assert result.columns == ("id", "label", "prediction", "score_a", "score_b", "score_c")
    written = pq.read_table(tmp_path / "predictions.parquet").to_pandas()
    assert np.allclose(written[["score_a", "score_b", "score_c"]].sum(axis=1), 1)
    assert set(written["prediction"]) == {"a", "b", "c"}
    with pytest.raises(PolicyError, match="multiclass model has no threshold"):
        score(model, tmp_path, id="id", label="kind", threshold=0.5)

    known = HistGradientBoostingRegressor(max_iter=3).fit(data.data, data.target)
    model = OnnxModel.load(prove_export(known, table(data.data), name="iris", task="regression")[0])
    assert score(model, tmp_path, id="id", label=None).columns == ("id", "prediction")


@pytest.mark.parametrize(("options", "problem"), [
    ({"id": "key"}, r"has no column `key` \(id\)"),
    ({"label": "truth"}, r"has no column `truth` \(label\)"),
])  # fmt: skip
def test_a_column_that_is_not_there(model, data, options, problem):
    with pytest.raises(WorldError, match=problem):
        score(model, data, **options)


def _change(data, **columns):
    rows = pq.read_table(data / "test.parquet")
    for name, values in columns.items():
        rows = rows.set_column(rows.column_names.index(name), name, values)
    pq.write_table(rows, data / "test.parquet")


def test_ids_that_come_twice(model, data):
    ids = [f"f{at}" for at in range(600)]
    ids[500] = ids[599] = "f3"
    _change(data, flight_id=pa.array(ids))
    with pytest.raises(WorldError, match="1 values of `flight_id` come more than once: 'f3'"):
        score(model, data, batching=Batching(batch_rows=100))
    assert not (data / "predictions.parquet").exists()
    _change(data, flight_id=pa.array([*range(599), 0]))
    with pytest.raises(WorldError, match="1 values of `flight_id` come more than once: 0"):
        score(model, data)


def test_rows_without_an_id(model, data):
    _change(data, flight_id=pa.array([None, *range(599)]))
    with pytest.raises(WorldError, match="1 rows have no `flight_id`"):
        score(model, data)


def test_no_table(model, data):
    with pytest.raises(WorldError, match=r"gone.parquet is not there"):
        score(model, data, "gone.parquet")
    (data / "broken.parquet").write_bytes((data / "test.parquet").read_bytes()[:500])
    with pytest.raises(WorldError, match=r"broken.parquet cannot be read"):
        score(model, data, "broken.parquet")
    (data / "empty.csv").write_text("")
    with pytest.raises(WorldError, match=r"empty.csv cannot be read"):
        score(model, data, "empty.csv")


def test_no_rows(model, data):
    pq.write_table(pq.read_table(data / "test.parquet").slice(0, 0), data / "none.parquet")
    with pytest.raises(WorldError, match=r"none.parquet has no rows"):
        score(model, data, "none.parquet")
    assert [each.name for each in data.iterdir() if "predictions" in each.name] == []


def test_a_value_of_another_type_further_down(model, data):
    frame = pd.read_parquet(data / "test.parquet").astype({"distance": object})
    frame.loc[599, "distance"] = "far"
    frame.to_csv(data / "test.csv", index=False)
    with pytest.raises(WorldError, match=r"test.csv cannot be read: .*far"):
        score(model, data, "test.csv")


@pytest.fixture
def many(data):
    """The same rows in three files: Parquet with row groups of odd sizes, with a dictionary, and CSV."""
    rows = pq.read_table(data / "test.parquet")
    for at, (start, rows_in, groups) in enumerate([(0, 250, 40), (250, 101, 1000)]):
        pq.write_table(rows.slice(start, rows_in), data / f"part-{at}.parquet", row_group_size=groups)
    coded = rows.set_column(rows.schema.get_field_index("carrier"), "carrier", rows["carrier"].dictionary_encode())
    pq.write_table(coded.slice(351), data / "part-2.parquet", row_group_size=77)
    return [data / f"part-{at}.parquet" for at in range(3)]


def test_several_files_workers_and_parts_give_the_bytes_of_one_file(model, data, many):
    score(model, data, batching=Batching(batch_rows=50))
    expected = (data / "predictions.parquet").read_bytes()
    for workers, part_rows in ((1, 50), (3, 150), (2, 10_000)):
        out = data / "again.parquet"
        score_table(
            model,
            many,
            out,
            id="flight_id",
            label="late",
            batching=Batching(batch_rows=50, part_rows=part_rows, workers=workers),
        )
        assert out.read_bytes() == expected
    assert not list(data.glob(".*"))


class StopError(Exception):
    pass


def interrupt_at(rows: int):
    def progress(done: int) -> None:
        if done >= rows:
            raise StopError

    return progress


@pytest.mark.parametrize("stop", [1, 130, 350, 599])
def test_an_interrupted_run_goes_on_behind_its_parts(model, data, many, stop):
    out, keep, asked = data / "predictions.parquet", data / "keep", {"id": "flight_id", "label": "late"}
    score_table(model, many, out, **asked, batching=Batching(batch_rows=50))
    expected, batching = out.read_bytes(), Batching(batch_rows=50, part_rows=100, workers=2, keep=keep)
    out.unlink()
    with pytest.raises(StopError):
        score_table(model, many, out, **asked, batching=batching, progress=interrupt_at(stop))
    assert not out.exists()
    scored = []
    result = score_table(model, many, out, **asked, batching=batching, progress=scored.append)
    assert result.resumed % 100 == 0
    assert stop - 100 < result.resumed + 50 <= stop + 100
    assert len(scored) == (600 - result.resumed) // 50
    assert out.read_bytes() == expected
    assert not keep.exists()


def test_a_part_that_was_cut_off_is_made_again(model, data, many):
    out, keep, asked = data / "predictions.parquet", data / "keep", {"id": "flight_id", "label": "late"}
    options = asked | {"batching": Batching(batch_rows=50, part_rows=100, keep=keep)}
    with pytest.raises(StopError):
        score_table(model, many, out, **options, progress=interrupt_at(450))
    cut = keep / "00001.parquet"
    cut.write_bytes(cut.read_bytes()[:-20])
    assert score_table(model, many, out, **options).resumed == 100
    assert pq.read_table(out).num_rows == 600


def test_a_folder_of_parts(model, data, many):
    out, options = data / "predictions", {"id": "flight_id", "batching": Batching(batch_rows=50, part_rows=250)}
    for _ in range(2):
        result = score_table(model, many, out, **options)
        assert sorted(each.name for each in out.iterdir()) == ["00000.parquet", "00001.parquet", "00002.parquet"]
    assert (result.rows, result.columns) == (600, ("id", "prediction", "score"))
    assert pq.read_table(out)["id"].to_pylist() == [f"f{at}" for at in range(600)]


def test_one_at_a_time(model, data, many):
    batching = Batching(keep=data / "keep")

    def again(_: int) -> None:
        score_table(model, many, data / "other.parquet", id="flight_id", batching=batching)

    with pytest.raises(WorldError, match="by another process"):
        score_table(model, many, data / "predictions.parquet", id="flight_id", batching=batching, progress=again)


def test_a_file_further_on_that_lacks_a_column(model, data, many):
    rows = pq.read_table(many[2])
    pq.write_table(rows.drop_columns(["origin"]), many[2])
    with pytest.raises(WorldError, match=r"part-2\.parquet has no column `origin`"):
        score_table(model, many, data / "predictions.parquet", id="flight_id")
