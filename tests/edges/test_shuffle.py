"""Labels are shuffled in place, and nothing else of a table changes."""

import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlci.edges.shuffle import shuffle_labels
from mlci.errors import PolicyError, WorldError


def test_parquet_keeps_all_but_the_labels(tmp_path):
    file = tmp_path / "year=2013" / "train.parquet"
    file.parent.mkdir()
    rng = np.random.default_rng(1)
    label = rng.random(500) < 0.3
    made = pa.table(
        {
            "id": pa.array([f"r{i}" for i in range(500)]),
            "carrier": pa.array(rng.choice(["AA", "B6"], 500)).dictionary_encode(),
            "label": pa.array(label),
            "x": pa.array(rng.normal(size=500), pa.float32()),
        }
    ).replace_schema_metadata({"pandas": "as it was"})
    pq.write_table(made, file)
    shuffle_labels(file, "train.parquet", "label", 7)
    found = pq.ParquetFile(file).read()
    assert found.schema.equals(made.schema, check_metadata=True)
    assert found.drop(["label"]).equals(made.drop(["label"]))
    labels = found["label"].to_numpy()
    assert labels.sum() == label.sum()
    assert (labels != label).mean() == pytest.approx(2 * 0.3 * 0.7, abs=0.1)
    first = file.read_bytes()
    pq.write_table(made, file)
    shuffle_labels(file, "train.parquet", "label", 7)
    assert file.read_bytes() == first


@pytest.mark.parametrize(("name", "between"), [("t.csv", ","), ("t.csv", ";"), ("t.tsv", "\t")])
def test_csv_keeps_all_but_the_labels(tmp_path, name, between):
    file = tmp_path / name
    rows = [[str(i), f'a "quoted"{between} one', str(i % 7)] for i in range(100)]
    out = io.StringIO()
    csv.writer(out, delimiter=between).writerows([["id", "text", "label"], *rows])
    file.write_bytes(out.getvalue().encode())
    shuffle_labels(file, name, "label", 7)
    header, *found = csv.reader(io.StringIO(file.read_text()), delimiter=between)
    assert header == ["id", "text", "label"]
    assert [row[:2] for row in found] == [row[:2] for row in rows]
    assert sorted(row[2] for row in found) == sorted(row[2] for row in rows)
    assert [row[2] for row in found] != [row[2] for row in rows]


def test_what_cannot_be_shuffled_is_named(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("id,labels\n1,0\n")
    with pytest.raises(PolicyError, match="did you mean `labels`"):
        shuffle_labels(file, "t.csv", "label", 1)
    with pytest.raises(WorldError, match="cannot be shuffled"):
        shuffle_labels(tmp_path / "t.jsonl", "t.jsonl", "label", 1)
    broken = tmp_path / "t.parquet"
    broken.write_bytes(b"PAR1 and nothing")
    with pytest.raises(WorldError, match="cannot be read"):
        shuffle_labels(broken, "t.parquet", "label", 1)
