from __future__ import annotations

import pytest
from pydantic import ValidationError

from mlci.nouns.signature import Input, Provenance, Signature, canonical_json, from_metadata, to_metadata

AGE = Input(name="age", type="float")


@pytest.mark.parametrize("classes", [(False, True), (0, 1), ("no", "yes")])
def test_round_trip_keeps_the_kind_of_the_classes(classes):
    signature = Signature(model="m", task="binary", inputs=(AGE,), classes=classes)
    origin = Provenance(data_digest="d", commit="c", params=canonical_json({"a": 1}), mlci_version="1")
    pairs = to_metadata(signature, origin)
    assert list(pairs) == sorted(pairs)
    assert from_metadata(pairs) == (signature, origin)
    read = from_metadata(pairs)
    assert read is not None
    assert [type(each) for each in read[0].classes] == [type(each) for each in classes]


def test_score_columns():
    assert Signature(model="m", task="binary", inputs=(AGE,), classes=(0, 1)).score_columns == ("score",)
    assert Signature(model="m", task="multiclass", inputs=(AGE,), classes=("a", "b", "c")).score_columns == (
        "score_a",
        "score_b",
        "score_c",
    )
    assert Signature(model="m", task="regression", inputs=(AGE,)).score_columns == ()


def test_the_positive_class_is_the_last_unless_named():
    assert Signature(model="m", task="binary", inputs=(AGE,), classes=("no", "yes")).positive_index == 1
    assert Signature(model="m", task="binary", inputs=(AGE,), classes=("bad", "ok"), positive="bad").positive_index == 0


@pytest.mark.parametrize("wrong", [
    {"task": "binary", "classes": (0, 1, 2)},
    {"task": "regression", "classes": (0, 1)},
    {"task": "binary", "classes": (0, 1), "positive": 2},
    {"task": "regression", "inputs": (AGE, AGE)},
    {"task": "regression", "inputs": ()},
])  # fmt: skip
def test_contradictions(wrong):
    with pytest.raises(ValidationError):
        Signature(**({"model": "m", "inputs": (AGE,)} | wrong))


def test_another_tools_metadata():
    assert from_metadata({"author": "somebody"}) is None
