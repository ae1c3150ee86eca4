from __future__ import annotations

from datetime import timedelta

import pytest

from mlci.edges.policy_file import load_policy, parse_policy
from mlci.edges.yaml_file import parse_yaml
from mlci.errors import PolicyError, WorldError

GOOD = """\
data: {until: 2013-08}
mlci:
  model: {name: flights, label: disrupted, id: flight_id, cost: {false_negative: 5}}
  data:
    flights:
      path: data/flights.parquet
      rows: ">= 10_000"
      fresh: {column: scheduled, within: 45d, as_of: 2013-09-01}
      columns:
        "*": {missing: "<= 5%"}
        distance: {range: [10, 6000], tolerance: 0.1%}
        country: {allowed: [NO, SE, DK], level: warn}
      rules:
        arrives after it departs: "scheduled_arrival > scheduled"
  gate:
    metrics:
      accuracy: {drop: 1pt, floor: 75%}
      cost: {rise: 2%}
    slices:
      over 50s: {where: "age > 50", accuracy: {floor: 0.85}}
      by: [origin, carrier]
"""


def test_reads_the_vocabulary():
    found = parse_policy(GOOD)
    table = found.policy.data["flights"]
    assert table.rows is not None
    assert table.rows.limit.low == 10_000
    assert table.fresh is not None
    assert table.fresh.within == timedelta(days=45)
    assert table.fresh.as_of == "2013-09-01"
    assert table.columns["distance"].tolerance == pytest.approx(0.001)
    assert table.columns["country"].allowed is not None
    assert table.columns["country"].allowed.limit == ("NO", "SE", "DK")
    gate = found.policy.gate
    assert gate is not None
    assert gate.metrics["accuracy"].drop is not None
    assert gate.metrics["accuracy"].drop.value == pytest.approx(0.01)
    assert gate.metrics["cost"].rise is not None
    assert gate.metrics["cost"].rise.relative
    assert gate.slices.named["over 50s"].metrics["accuracy"].floor == pytest.approx(0.85)
    assert gate.slices.by == ("origin", "carrier")


def test_knows_the_line_of_every_key():
    found = parse_policy(GOOD)
    assert str(found.place("data", "flights", "rows")) == "params.yaml:7"
    assert str(found.place("data", "flights", "columns", "distance", "range")) == "params.yaml:11"
    assert str(found.place("data", "flights", "columns", "distance", "nothing")) == "params.yaml:11"
    assert str(found.place("gate", "slices", "over 50s", "accuracy")) == "params.yaml:20"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "missing: ",
            "missng: ",
            "params.yaml:10: unknown key `mlci.data.flights.columns.*.missng`; did you mean `miss",
        ),
        ("  data:\n", "  dtaa:\n", "params.yaml:4: unknown key `mlci.dtaa`; did you mean `data`"),
        (
            "floor: 75%",
            "flor: 75%",
            "params.yaml:17: unknown key `mlci.gate.metrics.accuracy.flor`; did you mean `floor`",
        ),
        (
            '50", accuracy',
            '50", acuracy',
            "params.yaml:20: unknown key `mlci.gate.slices.over 50s.acuracy`; did you mean",
        ),
        ("floor: 75%", "ceiling: 75%", "of accuracy more is better: write `floor` instead of `ceiling`"),
        ("cost: {rise: 2%}", "rmse: {rise: 2%}", "a binary model has no metric 'rmse'"),
        ('"<= 5%"', '"<= 5 percent"', "params.yaml:10: mlci.data.flights.columns.*.missing: a number such as"),
        ("[10, 6000]", "[10]", "params.yaml:11"),
        ("tolerance: 0.1%", "tolerance: 120%", "a share lies between 0% and 100%"),
        ("within: 45d", "within: 45 moons", "params.yaml:8: mlci.data.flights.fresh.within: a duration such as 45d"),
        (", label: disrupted", "", "params.yaml:3: `mlci.model` lacks the key `label`"),
        ("name: flights", "name: Flights!", "params.yaml:3: mlci.model.name"),
        ("  gate:\n", "  gate:\n    alpha: 0.9\n", "params.yaml:16: mlci.gate.alpha"),
        ('rows: ">= 10_000"', "rows: [20, 10]", "lower end 20 is above its upper end 10"),
    ],
)
def test_names_line_and_mend_of_what_is_wrong(old: str, new: str, told: str):
    assert old in GOOD
    with pytest.raises(PolicyError) as caught:
        parse_policy(GOOD.replace(old, new, 1))
    assert told in str(caught.value)
    assert caught.value.exit_code == 2


def test_tells_all_problems_at_once():
    with pytest.raises(PolicyError, match="2 problems"):
        parse_policy(GOOD.replace("missing", "missng").replace("floor: 75%", "flor: 75%"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mlci: {a: 1, a: 2}", "p.yaml:1: the key `a` stands here a second time"),
        ("a: 1\nb: 2\na: 3", "p.yaml:3: the key `a` stands here a second time; the first is on line 1"),
        ("a: [1, 2", "p.yaml:1: no valid YAML"),
        ("a:\n\t- 1", "p.yaml:2: no valid YAML"),
        ("a: &a [*a]", "unfold without end"),
        ("a: !!python/object/apply:os.system [id]", "is not allowed"),
        ("a: !mine 1", "is not allowed"),
        ("a: *unknown", "no valid YAML"),
        ("[a, b]: 1", "a key must be a plain text"),
        (
            "\n".join(
                [
                    "a0: &a0 [1,1,1,1,1,1,1,1,1,1]",
                    *(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)),
                ]
            ),
            "unfold",
        ),
    ],
)
def test_refuses_tricks(text: str, told: str):
    with pytest.raises(PolicyError) as caught:
        parse_yaml(text, "p.yaml")
    assert told in str(caught.value)


def test_scalars_are_those_of_yaml_1_2():
    value = parse_yaml(
        "a: no\nb: on\nc: 2013-01-01\nd: 10_000\ne: 1e3\nf: 'no'\ng: ~\nh: true\ni: 0o14\nj: 1.\nk: .inf\nl: 012", "p"
    ).value
    assert value == {
        "a": "no", "b": "on", "c": "2013-01-01", "d": 10_000, "e": 1000.0, "f": "no", "g": None, "h": True,
        "i": "0o14", "j": 1.0, "k": float("inf"), "l": 12,
    }  # fmt: skip


def test_follows_honest_anchors_and_merges():
    value = parse_yaml("base: &b {x: 1, y: 2}\nchild: {<<: *b, y: 3}\nagain: *b", "p").value
    assert value == {"base": {"x": 1, "y": 2}, "child": {"x": 1, "y": 3}, "again": {"x": 1, "y": 2}}


def test_missing_and_unreadable_files_are_the_worlds_fault(tmp_path):
    with pytest.raises(WorldError, match=r"params.yaml is not there"):
        load_policy(tmp_path)
    (tmp_path / "params.yaml").write_bytes(b"\xff\xfe\x00mlci")
    with pytest.raises(WorldError, match="cannot be read"):
        load_policy(tmp_path)


def test_a_file_without_a_policy_says_so(tmp_path):
    (tmp_path / "params.yaml").write_text("train: {seed: 1}\n")
    with pytest.raises(PolicyError, match="has no key `mlci`"):
        load_policy(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mlci: 3\n", "params.yaml:1: mlci: keys with their values are needed here, not 3"),
        ("mlci:\n", "params.yaml:1: mlci: keys with their values are needed here, not nothing"),
        ("mlci:\n  model: {name: 3, label: y, id: i}\n", "params.yaml:2: mlci.model.name: a text, between quotes, is"),
        ("mlci:\n  model: {name: m, label: y, id: i, task: binry}\n", "not 'binry'; did you mean 'binary'?"),
        (
            "mlci:\n  gate: {metrics: {accuracy: {drop: 1%}}, reuse: many}\n",
            "a whole number is needed here, not 'many'",
        ),
    ],
)
def test_a_value_of_another_kind_is_told_in_plain_words(text, told):
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    assert told in str(caught.value)
    assert "Input should" not in str(caught.value)
