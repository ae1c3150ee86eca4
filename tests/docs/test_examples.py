"""What pages show is so: policies follow the schema, commands and options exist, paths in the text are there."""

import re
import shlex

import pytest
import typer.main
import yaml
from documents import ROOT, blocks, pages

from mlci.cli.app import app
from mlci.edges.policy_file import parse_policy
from mlci.edges.yaml_file import parse_yaml
from mlci.errors import MlciError
from mlci.nouns.data_policy import Table
from mlci.nouns.policy import Policy

STAGES = {"stages", "plots", "artifacts"}
MODEL = "  model: {name: example, label: label, id: id, cost: {false_negative: 1}}\n"


def named(page):
    return page.relative_to(ROOT).as_posix()


def cases(kind):
    for page in pages():
        for number, block in enumerate(each for each in blocks(page.read_text(encoding="utf-8")) if each.kind == kind):
            yield pytest.param(block.body, id=f"{named(page)}-{number}")


def indented(text, by):
    return re.sub(r"^(?=.)", " " * by, text, flags=re.MULTILINE)


@pytest.mark.parametrize("text", list(cases("yaml")))
def test_policies_follow_the_schema(text):
    keys = set(parse_yaml(text, "the page").value)
    if keys <= STAGES:
        return
    if "mlci" in keys:
        parse_policy(text)
    elif keys <= set(Table.model_fields):
        parse_policy(f"mlci:\n  data:\n    example:\n{indented(text, 6)}")
    else:
        assert keys <= set(Policy.model_fields), keys
        model = "" if "model" in keys else MODEL
        parse_policy(f"mlci:\n{model}{indented(text, 2)}")


def test_the_schema_would_notice():
    with pytest.raises(MlciError, match="unknown key"):
        parse_policy("mlci: {data: {t: {path: a.csv, colums: {}}}}")


def stage_commands(text):
    stages = (yaml.safe_load(text) or {}).get("stages", {})
    return [stage["cmd"] for stage in stages.values()]


def shown_commands():
    """Every line that begins with `mlci`, in shell blocks, in stages and between backticks."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for block in blocks(text):
            lines = block.body.splitlines() if block.kind == "sh" else ()
            if block.kind == "yaml" and block.body.startswith("stages:"):
                lines = stage_commands(block.body)
            yield from (pytest.param(line, id=f"{named(page)}: {line}") for line in lines if line.startswith("mlci "))
        prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        for line in re.findall(r"`(mlci\s[a-z][^`]*)`", prose):
            shown = re.sub(r"\s+", " ", line)
            yield pytest.param(shown, id=f"{named(page)}: {shown}")


@pytest.mark.parametrize("line", list(shown_commands()))
def test_commands_and_options_exist(line):
    words = shlex.split(re.split(r"\s[|>]|\s\d?>", line)[0], comments=True)[1:]
    command = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not words or not getattr(command, "commands", {}), f"{words[0]} is no command"
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h", "-C"}
    unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in known]
    assert not unknown


@pytest.mark.parametrize("page", pages(), ids=named)
def test_paths_of_this_repository_exist(page):
    """Paths of folders that only this repository has; what a user's project may hold is not looked at."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for path in re.findall(r"`((?:mlci|docs|benchmarks|tests|\.ci)/[\w./-]*)`", prose):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", pages(), ids=named)
def test_make_targets_exist(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z-]+)$", text, re.MULTILINE) + re.findall(r"`make ([a-z-]+)`", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_examples_are_found():
    assert len(list(cases("yaml"))) > 15
    assert len(list(shown_commands())) > 30
