"""Rows of a body as columns: the quick way reads what the slow one would, and nothing that it would refuse."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlci.edges.serve.fields import DATATYPES, Fields
from mlci.edges.serve.http import RefusedError, read_json
from mlci.edges.serve.typed import TypedRows
from mlci.nouns.signature import Input, Signature

ELEMENTS = {
    "a number": "tensor(double)",
    "small number": "tensor(float)",
    "count": "tensor(int64)",
    "small count": "tensor(int32)",
    "text": "tensor(string)",
    "named": "tensor(string)",
    "flag": "tensor(bool)",
    "whole in double": "tensor(double)",
}
TYPES = {"count": "integer", "small count": "integer", "whole in double": "integer", "flag": "boolean"}
INPUTS = tuple(
    Input(
        name=name,
        type=TYPES.get(name, "string" if "string" in element else "float"),
        nullable=name not in {"named", "flag"},
    )
    for name, element in ELEMENTS.items()
)
MODEL = SimpleNamespace(signature=Signature(model="m", task="regression", inputs=INPUTS), element=ELEMENTS.get)
FIELDS = Fields(MODEL, 3)
GOOD = {
    "a number": 1.5,
    "small number": -2.0,
    "count": 7,
    "small count": 0,
    "text": "x",
    "named": "y",
    "flag": True,
    "whole in double": 3,
}
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(
        [2**31 - 1, 2**31, -(2**31), 2**53, 2**63 - 1, 2**63, -(2**63), 10**400, -0.0, 3e38, 3.5e38, 1e308]
    )
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "x", "\0", "é", "1"])
    | st.lists(st.integers(), max_size=1)
)
ROWS = st.fixed_dictionaries(
    {}, optional={name: st.just(value) | VALUES for name, value in GOOD.items()} | {"another": st.just(1)}
)


def columns(read):
    try:
        return read()
    except RefusedError as error:
        return str(error)


@given(row=ROWS.map(lambda some: GOOD | some), lacking=st.sets(st.sampled_from(list(GOOD)), max_size=1))
def test_both_ways_read_the_same(row, lacking):
    body = json.dumps({name: value for name, value in row.items() if name not in lacking}).encode()
    quick = columns(lambda: FIELDS.of_body(body)[0])
    slow = columns(lambda: FIELDS.of_rows([read_json(body)]))
    assert repr(quick) == repr(slow)


@pytest.mark.parametrize("body", [b"[]", b"{}", b"3", b"null", b"[[]]", b"\xff", b"", b"[" * 5000, b'{"count": 1}'])
def test_what_is_no_row_is_left_to_the_slow_way(body):
    assert TypedRows(FIELDS.taken).read(body) is None
    with pytest.raises(RefusedError):
        FIELDS.of_body(body)


def test_plain_rows_are_read_the_quick_way():
    found, many = TypedRows(FIELDS.taken).read(json.dumps([GOOD, GOOD | {"text": None}]).encode())
    assert many
    assert found["text"] == ["x", None]
    assert found == FIELDS.of_rows([GOOD, GOOD | {"text": None}])


def test_a_list_of_too_many_rows_is_refused():
    with pytest.raises(RefusedError, match="4 rows are more than the 3"):
        FIELDS.of_body(json.dumps([GOOD] * 4).encode())


TENSORS = [
    {"name": name, "shape": [1, 1], "datatype": DATATYPES[TYPES.get(name, _kind)], "data": [value]}
    for name, value in GOOD.items()
    for _kind in ["string" if isinstance(value, str) else "float"]
]


def test_tensors_are_read():
    assert FIELDS.of_tensors(TENSORS) == FIELDS.of_rows([GOOD])


@pytest.mark.parametrize("key", ["name", "shape", "datatype", "data", "parameters"])
@pytest.mark.parametrize(
    "strange",
    [[], {}, True, [[]], [{}], "x", [1, 2, 3], [True], [1.0], [1, True], [-1], -1, {"a": []}, 1e300],
    ids=repr,
)
def test_a_strange_tensor_is_refused_or_read_and_never_an_error_of_ours(key, strange):
    told = columns(lambda: FIELDS.of_tensors([TENSORS[0] | {key: strange}, *TENSORS[1:]]))
    assert isinstance(told, str) or key in {"parameters", "data"}
