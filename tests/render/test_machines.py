"""What programs read: JSON and its schemas, JUnit, SARIF."""

import json
import math
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml
from hostile_text import TEXTS
from hypothesis import given, settings
from samples import SAMPLES, data_failure, failing, hostile

from mlci.nouns.finding import Verdict
from mlci.nouns.policy import Policy
from mlci.nouns.report import Report, SliceChange
from mlci.render.json import to_json
from mlci.render.junit import render_junit
from mlci.render.sarif import render_sarif
from mlci.render.schemas import schemas

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", SAMPLES)
def test_golden(name, golden):
    verdict = SAMPLES[name]().verdict
    golden(f"{name}.junit.xml", render_junit(verdict))
    golden(f"{name}.sarif", render_sarif(verdict))
    golden(f"{name}.json", to_json(verdict))


@pytest.mark.parametrize("name", SAMPLES)
def test_json_is_read_back_as_it_was(name):
    report = SAMPLES[name]()
    again = Report.model_validate_json(to_json(report))
    assert again.verdict.findings[0] == report.verdict.findings[0]
    assert to_json(again) == to_json(report)


def test_floats_are_written_the_same_on_every_machine():
    change = SliceChange(
        metric="m", slice="s", baseline="b", rows=1, change=0.1 + 0.2, low=-0.0, high=1e300 * 1e10, outcome="pass"
    )
    written = json.loads(to_json(change))
    assert written["change"] == 0.3
    assert math.copysign(1, written["low"]) == 1
    assert written["high"] is None


@pytest.mark.parametrize(
    "name",
    [
        "verdict.schema.json",
        "params.schema.json",
        "score.schema.json",
        "diagnosis.schema.json",
        "seeds.schema.json",
        "budgets.schema.json",
        "monitor.schema.json",
        "feedback.schema.json",
        "retrain.schema.json",
    ],
)
def test_published_schemas_are_current(name):
    path = REFERENCE / name
    if os.environ.get("MLCI_REGEN"):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(schemas()[name], encoding="utf-8")
    assert path.read_text(encoding="utf-8") == schemas()[name], f"MLCI_REGEN=1 pytest {__file__}"
    jsonschema.Draft202012Validator.check_schema(json.loads(schemas()[name]))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_verdict_fits_its_schema(name):
    jsonschema.validate(json.loads(to_json(SAMPLES[name]().verdict)), json.loads(schemas()["verdict.schema.json"]))


POLICY = """
train: {seed: 1}
mlci:
  model: {name: flights, label: disrupted, id: flight_id, cost: {false_negative: 5}}
  data:
    flights:
      path: data/flights.parquet
      rows: ">= 10_000"
      fresh: {column: scheduled, within: 45d}
      unique: [carrier, flight]
      columns:
        flight_id: {type: string, unique: true, missing: 0%}
        "*": {missing: "<= 5%", level: warn}
        distance: {type: integer, range: [10, 6000], tolerance: 0.1%, mean: [900, 1100], quantiles: {0.95: "<= 2500"}}
        temp: {range: {limit: [null, 120], level: warn}, missing: {limit: 2%, where: "origin = 'JFK'"}, length: 5}
        carrier: {allowed: [AA, B6, 9E], level: warn, share: {AA: ">= 5%"}, pattern: "[A-Z0-9]{2}"}
      rules:
        arrives after it departs: "scheduled_arrival > scheduled"
        long: {sql: "distance > 0", tolerance: 1%}
      overlap: {with: data/train.parquet, key: flight_id, limit: 0}
      drift: {reference: data/reference.parquet, ks: 0.1, psi: 0.1, level: warn}
  gate:
    baseline: previous
    metrics:
      roc_auc: {drop: 0.01, critical: true}
      accuracy: {floor: 75%, drop: 1pt}
      cost: {rise: 2%}
    slices:
      over 50s: {where: "age > 50", accuracy: {floor: 0.85}}
      by: [origin, carrier]
  engine: {memory: 400MB}
"""


def _valid(policy):
    return jsonschema.Draft202012Validator(json.loads(schemas()["params.schema.json"])).is_valid(policy)


def test_an_editor_accepts_what_the_policy_accepts():
    policy = yaml.safe_load(POLICY)
    Policy.model_validate(policy["mlci"])
    jsonschema.validate(policy, json.loads(schemas()["params.schema.json"]))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rows", "many"),
        ("rows", [1, 2, 3]),
        ("rows", True),
        ("fresh", {"column": "scheduled", "within": "soon"}),
        ("columns", {"distance": {"missing": "5 percent"}}),
        ("columns", {"distance": {"misssing": "5%"}}),
        ("columns", {"distance": {"tolerance": 2}}),
        ("level", "fatal"),
        ("rules", {"a": 5}),
    ],
)
def test_an_editor_refuses_what_the_policy_refuses(key, value):
    policy = yaml.safe_load(POLICY)
    policy["mlci"]["data"]["flights"][key] = value
    assert not _valid(policy)
    with pytest.raises(ValueError, match="validation error"):
        Policy.model_validate(policy["mlci"])


def test_junit_counts_what_blocks():
    root = _parsed(data_failure().verdict)
    assert root.attrib == {"name": "mlci flights", "tests": "5", "failures": "1", "errors": "0"}
    failure = root.find("testsuite/testcase/failure")
    assert failure.get("message").startswith("20,880 of 336,776 rows")
    case = root.find("testsuite/testcase")
    assert (case.get("file"), case.get("line")) == ("params.yaml", "21")
    skipped = _parsed(failing().verdict).findall("testsuite/testcase/skipped")
    assert len(skipped) == 1


def _parsed(verdict):
    return ET.fromstring(render_junit(verdict))  # noqa: S314 - we wrote it


JUNIT = {
    "testsuites": ({"name", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testcase"}),
    "testcase": ({"classname", "name", "time", "file", "line"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}
"""Attributes and children that the common JUnit schema (junit-10.xsd) has, of those that are used here."""


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_machine_formats_stay_well_formed(text):
    verdict = hostile(text).verdict
    for element in _parsed(verdict).iter():
        attributes, children = JUNIT[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
    assert Verdict.model_validate_json(to_json(verdict)) == verdict
    _is_sarif(json.loads(render_sarif(verdict)))


@pytest.mark.parametrize("name", SAMPLES)
def test_sarif_has_the_shape_of_its_standard(name):
    log = json.loads(render_sarif(SAMPLES[name]().verdict))
    _is_sarif(log)
    assert len(log["runs"][0]["results"]) == len(SAMPLES[name]().verdict.findings)


def test_sarif_names_rule_level_and_line():
    result = json.loads(render_sarif(data_failure().verdict))["runs"][0]["results"][0]
    assert (result["ruleId"], result["level"], result["kind"]) == ("data.flights.distance.missing", "error", "fail")
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("params.yaml", 21)


TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": {"$ref": "#/$defs/run"}},
    },
    "$defs": {
        "run": {
            "type": "object",
            "required": ["tool"],
            "additionalProperties": False,
            "properties": {
                "tool": {"$ref": "#/$defs/tool"},
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "properties": {"type": "object"},
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
            },
        },
        "tool": {
            "type": "object",
            "required": ["driver"],
            "additionalProperties": False,
            "properties": {
                "driver": {
                    "type": "object",
                    "required": ["name"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string", "minLength": 1},
                        "version": {"type": "string"},
                        "rules": {
                            "type": "array",
                            "uniqueItems": True,
                            "items": {
                                "type": "object",
                                "required": ["id"],
                                "additionalProperties": False,
                                "properties": {"id": {"type": "string"}, "shortDescription": TEXT},
                            },
                        },
                    },
                }
            },
        },
        "result": {
            "type": "object",
            "required": ["message"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "kind": {"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
                "level": {"enum": ["none", "note", "warning", "error"]},
                "message": TEXT,
                "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
                "locations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "physicalLocation": {
                                "type": "object",
                                "required": ["artifactLocation"],
                                "properties": {
                                    "artifactLocation": {
                                        "type": "object",
                                        "properties": {"uri": {"pattern": r"^[!#-;=?-\[\]_a-z~]*$"}},
                                    },
                                    "region": {
                                        "type": "object",
                                        "properties": {"startLine": {"type": "integer", "minimum": 1}},
                                    },
                                },
                            }
                        },
                    },
                },
            },
        },
    },
}
"""The part of the standard's schema (OASIS, SARIF 2.1.0) that a verdict uses, with nothing else allowed."""


def _is_sarif(log):
    jsonschema.validate(log, SARIF)
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["kind"] == "fail" or result["level"] == "none"
