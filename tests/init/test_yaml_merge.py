"""Keys are added to YAML files as people write them, and every byte that was there stays."""

import difflib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlci.edges.yaml_file import parse_yaml
from mlci.edges.yaml_merge import add_keys
from mlci.errors import PolicyError

BLOCKS = {"check": "check:\n  cmd: mlci data check\n  deps:\n    - a\n", "predict": "predict:\n  cmd: mlci score\n"}

FILES = {
    "nothing": "",
    "comments only": "# nothing yet\n",
    "a marker only": "---\n",
    "another key": "a: 1\n",
    "no newline at the end": "a: 1",
    "the key with nothing": "a: 1\nstages:\nz: 2\n",
    "the key with a comment": "stages:  # none\nz: 2\n",
    "two spaces": "stages:\n  own:\n    cmd: x\nz: 2\n",
    "four spaces": "stages:\n    own:\n        cmd: x\n\nplots:\n- a\n",
    "an unindented list last": "stages:\n  own:\n    cmd: x\n    deps:\n    - a\n    - b # last\nz: 2\n",
    "a block text last": "stages:\n  own:\n    cmd: |\n      one\n\n      two\nz: 2\n",
    "a folded text at the end": "stages:\n  own:\n    cmd: >-\n      one\n      two",
    "braces inside": "stages:\n  own: {cmd: x,\n        deps: [a,\n               b]}\n# after\nz: 2\n",
    "quotes over two lines": 'stages:\n  own:\n    cmd: "one\n      two"\nz: 2\n',
    "comments behind": "stages:\n  own:\n    cmd: x  # it\n  # more to come\n\n# the end\n",
    "Windows": "a: 1\r\nstages:\r\n  own:\r\n    cmd: x\r\nz: 2\r\n",
    "a marker at the end": "stages:\n  own:\n    cmd: x\n...\n",
    "a byte order mark": "\ufeffstages:\n  own:\n    cmd: x\n",
    "an alias last": "x: &x\n  cmd: y\nstages:\n  own: *x\n",
    "a merge": "x: &x\n  cmd: y\nstages:\n  own:\n    <<: *x\n",
    "nothing last": "stages:\n  own:\n    cmd:\nz: 2\n",
    "spaces behind": "stages:\n  own:\n    cmd: x  \nz: 2\n",
    "the whole file indented": "  a: 1\n  stages:\n    own: {cmd: x}\n",
}


def lost(before, after):
    """Lines of the first that the second lacks; a line end at the very end may be new."""
    told = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in told if line.startswith("- ")]


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
@pytest.mark.parametrize("apart", [True, False])
def test_stages_are_added_and_all_else_stays(text, apart):
    after = add_keys(text, ("stages",), BLOCKS, "dvc.yaml", apart=apart)
    assert lost(text, after) == []
    value = parse_yaml(after.removeprefix("\ufeff"), "dvc.yaml").value
    assert value.pop("stages")["predict"] == {"cmd": "mlci score"}
    before = parse_yaml(text.removeprefix("\ufeff"), "dvc.yaml").value or {}
    before.pop("stages", None)
    assert value == before
    if "\r\n" in text:
        assert "\n" not in after.replace("\r\n", "")
    assert "\n\n\n" not in after.replace("\r", "")


REFUSED = {
    "in braces": "stages: {own: {cmd: x}}\n",
    "empty braces": "stages: {}\n",
    "null in letters": "stages: null\n",
    "a list": "- a\n",
    "a text": "stages: none\n",
    "an alias": "x: &x\n  own: {cmd: y}\nstages: *x\n",
    "a whole file in braces": "{a: 1}\n",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_lines_cannot_be_added_to_is_told_with_the_lines_to_add(text):
    with pytest.raises(PolicyError, match=r"dvc\.yaml: .*no lines can be added") as caught:
        add_keys(text, ("stages",), BLOCKS, "dvc.yaml")
    assert "    check:\n      cmd: mlci data check" in caught.value.mend


@pytest.mark.parametrize("text", ["a: [1\n", "a: 1\na: 2\n", "a: 1\n---\nb: 2\n"])
def test_what_is_no_yaml_is_told_with_its_line(text):
    with pytest.raises(PolicyError, match=r"dvc\.yaml:\d"):
        add_keys(text, ("stages",), BLOCKS, "dvc.yaml")


def test_keys_two_levels_down():
    text = "mlci:\n  model:\n    name: a\n  # data to come\n\ntrain: 1\n"
    after = add_keys(text, ("mlci", "data"), {"people": "people:\n  path: p.csv\n"}, "params.yaml")
    added = "  data:\n    people:\n      path: p.csv\n"
    assert after == f"mlci:\n  model:\n    name: a\n{added}  # data to come\n\ntrain: 1\n"


def test_a_new_key_stands_apart_from_what_was_there():
    assert add_keys("a: 1\n", (), {"b": "b: 2\n"}, "x") == "a: 1\n\nb: 2\n"
    assert add_keys("", (), {"b": "b: 2\n"}, "x") == "b: 2\n"


KEYS = st.sampled_from(["a", "b c", "new", "inner", "on", "1"])
TEXTS = st.sampled_from(["", "x", "one\ntwo\n", " padded ", "a: b", "# no comment", "- x", "\u2028", "'", "{", "1_0"])
VALUES = st.one_of(
    TEXTS, st.integers(0, 9), st.none(), st.lists(TEXTS, max_size=2), st.dictionaries(KEYS, TEXTS, max_size=2)
)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from([False, None]), st.sampled_from([2, 4]))
def test_any_file_either_keeps_all_or_is_refused(value, style, indent):
    text = yaml.safe_dump(value, default_flow_style=style, indent=indent, sort_keys=False)
    try:
        before = parse_yaml(text, "f").value
        after = add_keys(text, ("new", "mine"), {"k": "k: 1\n"}, "f")
    except PolicyError:
        return
    assert lost(text, after) == []
    held = parse_yaml(after, "f").value
    assert held["new"].pop("mine") == {"k": 1}
    assert {**held, "new": held["new"] or None} == {**(before or {}), "new": (before or {}).get("new") or None}
