"""The reference pages name what exists. `MLCI_UPDATE_DOCS=1` writes what is printed now into them."""

import os
import re
import types
from typing import Any, Literal, Union, get_args, get_origin

import pytest
import typer.main
from documents import ROOT
from typer.testing import CliRunner

from mlci.cli.app import app
from mlci.nouns import finding, software, training
from mlci.nouns.base import Noun
from mlci.nouns.data_policy import Scope
from mlci.nouns.metric import METRICS
from mlci.nouns.policy import Policy
from mlci.nouns.report import Report

REFERENCE = ROOT / "docs/reference"
HOW = "if this is right, write it into the page: MLCI_UPDATE_DOCS=1 pytest tests/docs"
UPDATE = bool(os.environ.get("MLCI_UPDATE_DOCS"))


def commands(command=None, path=()):
    """Every command by its words, leaves and the root; groups have no page of their own."""
    command = command or typer.main.get_command(app)
    inner = getattr(command, "commands", {})
    if not inner or not path:
        yield path, command
    for name, below in inner.items():
        yield from commands(below, (*path, name))


def help_of(path):
    shown = CliRunner().invoke(app, [*path, "--help"], prog_name="mlci", terminal_width=80, env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    return "".join(f"{line.rstrip()}\n" for line in shown.output.strip("\n").splitlines())


def test_cli_page_is_what_help_prints():
    page = REFERENCE / "cli.md"
    text = page.read_text(encoding="utf-8")
    for path, _ in commands():
        heading = " ".join(("mlci", *path))
        section = re.compile(rf"(^## {heading}\n(?:(?!## )[^\n]*\n)*?```text\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)
        found = section.search(text)
        assert found, f"cli.md has no section `## {heading}` with a text block"
        if UPDATE:
            text = text[: found.end(1)] + help_of(path) + text[found.start(3) :]
        else:
            assert found[2] == help_of(path), HOW
    if UPDATE:
        page.write_text(text, encoding="utf-8")


def test_cli_page_names_every_command_and_option():
    text = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    for path, command in commands():
        assert " ".join(("mlci", *path)) in text
        for parameter in command.params:
            assert [option for option in parameter.opts if option.startswith("-") and option not in text] == []


def nouns(kind, seen):
    """All nouns that a noun is made of, itself first."""
    if kind in seen:
        return
    seen.add(kind)
    yield kind
    for field in kind.model_fields.values():
        for inner in _models(field.annotation):
            yield from nouns(inner, seen)


def _models(annotation):
    if isinstance(annotation, type) and issubclass(annotation, Noun):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


WRITTEN_OTHERWISE = {
    ("Slices", "named"): "*a name*",
    ("Slice", "metrics"): "`metrics`",
    **{("Amount", name): "amount" for name in ("value", "relative")},
    **{("Limit", name): "limit" for name in ("value", "text")},
    **{("Bound", name): "bound" for name in ("low", "high", "low_open", "high_open", "text")},
}


def test_policy_page_names_every_key_metric_and_choice():
    text = (REFERENCE / "policy.md").read_text(encoding="utf-8")
    for noun in nouns(Policy, set()):
        for name, field in noun.model_fields.items():
            word = WRITTEN_OTHERWISE.get((noun.__name__, name), f"`{field.alias or name}`")
            assert word in text, f"{noun.__name__}.{name}"
            for choice in _choices(field.annotation):
                assert f"`{choice}`" in text, f"{noun.__name__}.{name}: {choice}"
    for metric in METRICS:
        assert f"`{metric}`" in text


def _choices(annotation):
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for argument in get_args(annotation):
            yield from _choices(argument)


SECTION = {
    "Model": "model",
    "Column": "columns",
    "Fresh": "fresh",
    "Unique": "unique",
    "Rule": "rules",
    "Overlap": "overlap",
    "Conflicts": "conflicts",
    "Drift": "drift",
    "Gate": "gate",
    "MetricGate": "metrics",
    "Engine": "engine",
    "Train": "train",
}


def rows_of(page, heading):
    """The cells of the tables under a heading, by the names in the first cell."""
    section = re.search(rf"^##+ {heading}\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)[1]
    lines = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {name: [cell.strip() for cell in cells] for cells in lines for name in re.findall(r"`([^`]+)`", cells[0])}


@pytest.mark.parametrize("name", SECTION)
def test_policy_page_has_every_key_with_its_default(name):
    rows = rows_of((REFERENCE / "policy.md").read_text(encoding="utf-8"), SECTION[name])
    noun = next(kind for kind in nouns(Policy, set()) if kind.__name__ == name)
    inherited = () if name == "Column" else ("where", "by", "level") if issubclass(noun, Scope) else ()
    for key, field in noun.model_fields.items():
        if key in inherited:
            continue
        default = rows[field.alias or key][2].strip("`")
        if field.is_required():
            assert default == "required", key
        elif isinstance(field.default, bool):
            assert default == str(field.default).lower(), key
        elif isinstance(field.default, float | int) and key != "memory":
            assert float(default.replace("_", "")) == field.default, key
        elif isinstance(field.default, str) and field.default:
            assert default == field.default, key


def _type_name(annotation: Any) -> str:
    if annotation is type(None):
        return "null"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, types.UnionType}:
        return " or ".join(_type_name(each) for each in arguments)
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if origin is tuple:
        return f"list of {_type_name(arguments[0])}"
    if origin is dict:
        return "mapping"
    names = {str: "text", float: "number", int: "whole number", bool: "true or false"}
    return names.get(annotation) or annotation.__name__


def table_of(noun):
    """Fields, types and meanings, the last from the docstring's attributes."""
    said = noun.__doc__.split("Attributes:\n", 1)[1]
    meanings = {
        each[1]: re.sub(r"\bNone\b", "null", re.sub(r"\s+", " ", each[2]).strip())
        for each in re.finditer(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", said, re.MULTILINE)
    }
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for name, field in noun.model_fields.items():
        rows.append(f"| `{name}` | {_type_name(field.annotation)} | {meanings.get(name, '')} |")
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    "noun",
    [
        finding.Verdict,
        finding.Finding,
        finding.DataEvidence,
        finding.GateEvidence,
        finding.BudgetEvidence,
        software.Software,
        software.Session,
        software.Numbers,
        finding.Comparison,
        training.Seeds,
        training.RecipeMetric,
        training.Spread,
        training.RecipeChange,
    ],
    ids=lambda noun: noun.__name__,
)
def test_verdict_page_has_every_field(noun):
    page = REFERENCE / "verdict.md"
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"(<!-- fields: {noun.__name__} -->\n)(.*?)(<!-- end -->)", text, re.DOTALL)
    wanted = table_of(noun)
    if UPDATE:
        page.write_text(text[: found.end(1)] + wanted + text[found.start(3) :], encoding="utf-8")
    else:
        assert found[2] == wanted, HOW


@pytest.mark.parametrize("noun", [finding.Flips, finding.Digests, Report], ids=lambda noun: noun.__name__)
def test_verdict_page_has_every_field_that_it_tells_by_hand(noun):
    rows = rows_of((REFERENCE / "verdict.md").read_text(encoding="utf-8"), noun.__name__)
    assert set(rows) >= set(noun.model_fields)


def test_verdict_page_names_every_outcome():
    text = (REFERENCE / "verdict.md").read_text(encoding="utf-8")
    for outcome in (*get_args(finding.Outcome), *get_args(finding.Status)):
        assert f"`{outcome}`" in text
