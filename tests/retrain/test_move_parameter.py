"""One value of a file moves, and no other byte."""

import pytest
import yaml

from mlci.edges.move_parameter import move_parameter, parameter_in
from mlci.errors import PolicyError


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            'a: 1\ndata:\n  until: "2013-03" # a month\nb: [1,   2]\n',
            'a: 1\ndata:\n  until: "2013-07" # a month\nb: [1,   2]\n',
        ),
        ("data: {until: '2013-03', x: 1}\n", "data: {until: '2013-07', x: 1}\n"),
        ("data:\r\n  until: 2013-03\r\n", "data:\r\n  until: 2013-07\r\n"),
        ('{"data": {"until": "2013-03"}}', '{"data": {"until": "2013-07"}}'),
        ("data: {until: 2013}\n", 'data: {until: "2013-07"}\n'),
        ("# ä\ndata: {until: 2013-03}\n", "# ä\ndata: {until: 2013-07}\n"),
    ],
)
def test_only_the_value_moves(tmp_path, before, after):
    (tmp_path / "params.yaml").write_bytes(before.encode())
    move_parameter(tmp_path, "data.until", "2013-07")
    assert (tmp_path / "params.yaml").read_bytes() == after.encode()
    assert yaml.safe_load(after)["data"]["until"] == "2013-07"
    assert parameter_in(after.encode(), "data.until") == "2013-07"


def test_a_day_is_quoted_so_that_nobody_reads_a_date(tmp_path):
    (tmp_path / "conf.yaml").write_text("until: first\n")
    move_parameter(tmp_path, "conf.yaml:until", "2013-07-31")
    assert (tmp_path / "conf.yaml").read_text() == 'until: "2013-07-31"\n'


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("data: {}\n", "data.until", "no parameter `data.until`"),
        ("data: {until: [1]}\n", "data.until", "params.yaml:1: `data.until` is not one value"),
        ("data: |\n  x\n", "data", "not one value in one line"),
        ("a: [\n", "a", "no valid YAML"),
        (None, "data.until", "is not there"),
        ("until = 3", "conf.toml:until", "only YAML and JSON"),
    ],
)
def test_what_cannot_be_moved_is_said(text, name, told):
    with pytest.raises(PolicyError, match=told):
        parameter_in(None if text is None else text.encode(), name)
