"""What is inferred from a table holds for that table, and is readable YAML whatever the table holds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlci.edges.policy_file import parse_policy
from mlci.errors import PolicyError, WorldError
from mlci.flows.check_data import check_data
from mlci.flows.infer_data import infer_data
from mlci.nouns.yaml_text import quoted

NOW = datetime(2026, 1, 10, tzinfo=UTC)


def broken(folder: Path, text: str) -> list[str]:
    policy = parse_policy(text)
    return [
        f"{finding.check}: {finding.outcome}: {finding.message}"
        for finding in check_data(folder, policy, now=NOW).findings
        if finding.outcome != "pass"
    ]


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    """A table with a column of every kind."""
    folder = tmp_path_factory.mktemp("orders")
    rng = np.random.default_rng(1)
    n = 400
    start = datetime(2026, 1, 1)  # noqa: DTZ001 - what a naive timestamp column holds
    table = pa.table(
        {
            "order_id": [f"o{i:05d}" for i in range(n)],
            "number": pa.array(range(n), pa.int64()),
            "code": [f"{a}{b}-{i % 97:02d}" for i, (a, b) in enumerate(zip("ABCD" * 100, "XYZW" * 100, strict=True))],
            "carrier": rng.choice(["AA", "NO", "B6"], n),
            "price": pa.array(rng.gamma(2, 40, n), pa.float64(), mask=rng.random(n) < 0.03),
            "share": rng.random(n),
            "created": [start + timedelta(hours=i / 2) for i in range(n)],
            "paid": rng.random(n) < 0.5,
            "note": [None] * n,
            "text": ["x" * (i % 30) for i in range(n)],
        }
    )
    pq.write_table(table, folder / "orders.parquet")
    return folder


def test_the_proposal_says_what_was_seen(orders):
    text = infer_data(orders, "orders.parquet", id="order_id", label="paid", now=NOW)
    lines = {line.strip().partition(":")[0]: line.strip() for line in text.splitlines()}
    assert lines["orders"] == "orders:"
    assert lines["path"] == "path: orders.parquet"
    assert lines["rows"] == 'rows: ">= 360"  # 400 seen'
    assert lines["fresh"].startswith("fresh: {column: created, within: 3d}  # newest 2026-01-09 07:30:00")
    assert lines["order_id"].startswith(
        "order_id: {type: string, unique: true, missing: 0%, pattern: '[a-z][0-9]{5}'}  # the id; about "
    )
    assert "unique: true" in lines["number"]
    assert "pattern: '[A-Z]{2}-[0-9]{2}'" in lines["code"]
    assert 'allowed: [AA, B6, "NO"]' in lines["carrier"]
    assert lines["price"] == (
        "price: {type: float, missing: 5%, range: [0, 430]}  # 13 of 400 missing; 0.571837 to 389.077"
    )
    assert "range: [0, 1]" in lines["share"]
    assert lines["paid"].startswith("paid: {type: boolean, missing: 0%}  # the label; ")
    assert lines["note"].endswith("# all missing")
    assert 'length: "<= 60"' in lines["text"]
    assert lines["# drift"].startswith("# drift: {reference: ")


def test_the_proposal_holds_for_its_table(orders):
    assert broken(orders, infer_data(orders, "orders.parquet", now=NOW)) == []


def test_a_csv_file(orders, tmp_path):
    import pandas as pd  # noqa: PLC0415 - heavy

    pd.read_parquet(orders / "orders.parquet").to_csv(tmp_path / "some orders.csv", index=False)
    text = infer_data(tmp_path, "some orders.csv", now=NOW)
    assert "some_orders:" in text
    assert broken(tmp_path, text) == []


def test_an_archive_promises_no_freshness(orders):
    text = infer_data(orders, "orders.parquet", now=NOW + timedelta(days=1000))
    assert "      # fresh: {column: created" in text
    assert parse_policy(text).policy.data["orders"].fresh is None


def test_a_table_without_rows(tmp_path):
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "t.parquet")
    with pytest.raises(WorldError, match=r"t\.parquet has no rows"):
        infer_data(tmp_path, "t.parquet")


def test_an_id_that_is_not_there(orders):
    with pytest.raises(PolicyError, match="did you mean `order_id`"):
        infer_data(orders, "orders.parquet", id="orderid")


def test_an_id_that_repeats_is_said(tmp_path):
    pq.write_table(pa.table({"id": [1, 1, 2]}), tmp_path / "t.parquet")
    assert "# the id; values repeat; 1 to 2" in infer_data(tmp_path, "t.parquet", id="id")


@given(st.text())
def test_every_text_survives_quoting(text):
    policy = parse_policy(f"mlci: {{data: {{{quoted(text)}: {{path: {quoted(text)}}}}}}}")
    assert {name: table.path for name, table in policy.policy.data.items()} == {text: text}


NAMES = st.one_of(
    st.sampled_from(
        ["no", "<<", "a b", 'quo"te', "it's", "*", "# x", "{", "1", "1.5", "null", "-", "é", "\u2028", "a\nb"]
    ),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8),
)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
KINDS = st.sampled_from(
    [
        (pa.string(), TEXTS),
        (pa.string(), st.sampled_from(["no", "AA", "it's", '"', "", "\n", "1", "ü", ", ]"])),
        (pa.string(), st.from_regex(r"[A-Z]{2}[.$(]\d{3}", fullmatch=True)),
        (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
        (pa.int8(), st.integers(-128, 127)),
        (pa.uint64(), st.integers(0, 2**64 - 1)),
        (pa.float64(), st.floats()),
        (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
        (pa.float32(), st.floats(width=32)),
        (pa.bool_(), st.booleans()),
        (pa.decimal128(20, 3), st.decimals(-1_000_000, 1_000_000, places=3)),
        (pa.timestamp("us"), st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1))),  # noqa: DTZ001 - a naive column
        (pa.date32(), st.dates()),
        (pa.list_(pa.int64()), st.lists(st.integers(0, 9), max_size=2)),
    ]
)


@st.composite
def tables(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique_by=str.lower))
    rows = draw(st.sampled_from([1, 2, 30, 40]))
    columns = []
    for _ in names:
        kind, values = draw(KINDS)
        some = draw(st.lists(st.one_of(st.none(), values), min_size=1, max_size=30))
        if draw(st.booleans()):
            some = [value for value in some if value is not None] or [None]
        columns.append(pa.array([some[row % len(some)] for row in range(rows)], kind))
    return pa.table(dict(zip(names, columns, strict=True)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(tables(), TEXTS.filter(bool))
@example(pa.table({"*": pa.array([None], pa.string())}), "only a column that can't be spoken of")
def test_whatever_is_inferred_holds(tmp_path_factory, table, name):
    folder = tmp_path_factory.mktemp("any")
    pq.write_table(table, folder / "t.parquet")
    text = infer_data(folder, "t.parquet", name, now=NOW)
    policy = parse_policy(text).policy.data[name]
    assert [column for column in table.column_names if column != "*"] == list(policy.columns)
    assert broken(folder, text) == [], text
