"""A glob stands for a regular expression only where both match the same texts."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlci.measure.data.dialects.globs import glob_of


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize(
    ("pattern", "glob"),
    [
        ("[A-Z]{3}-[0-9]{6}", "[A-Z][A-Z][A-Z]-" + "[0-9]" * 6),
        (r"\d{2}\.\d", "[0-9][0-9].[0-9]"),
        ("[A-Za-z0-9_]x{0}", "[A-Za-z0-9_]"),
        ("", ""),
        *((pattern, None) for pattern in ("[A-Z]+", "a|b", ".", "[^a]", "a*", "a?", "a{2,3}", "a{2}{3}", "(a)", r"\w")),
        *((pattern, None) for pattern in ("^a", "[z-a]", r"\[", r"\*", "é", "[a-é]", "a{1000}", "[[:alpha:]]", "[a-]")),
    ],
)
def test_a_glob_only_where_there_is_one(pattern, glob):
    assert glob_of(pattern) == glob


PIECES = st.sampled_from(
    [
        "a",
        "Z",
        "-",
        " ",
        "_",
        "[a-c]",
        "[A-Z0-9]",
        "[_x]",
        r"\d",
        r"\.",
        r"\-",
        "[a-c]{2}",
        "b{3}",
        "x{0}",
        "'",
        '"',
        "/",
    ]
)
TEXTS = st.text(st.sampled_from("abcxzAZ019-._ '\"/é\n\0%[]🙂"), max_size=8)


@given(st.lists(PIECES, max_size=5).map("".join), TEXTS)
def test_it_matches_what_the_expression_matches(engine, pattern, text):
    glob = glob_of(pattern)
    assert glob is not None
    found = engine.execute("SELECT ? GLOB ?, regexp_full_match(?, ?)", [text, glob, text, pattern]).fetchone()
    assert found[0] == found[1]


@given(st.from_regex(r"[A-C]{2}-[0-9]{1}[a-z_]", fullmatch=True), TEXTS)
def test_texts_that_match_and_their_neighbours(engine, text, more):
    pattern = r"[A-C]{2}-\d{1}[a-z_]"
    for each in (text, text + more, more + text):
        found = engine.execute(
            "SELECT ? GLOB ?, regexp_full_match(?, ?)", [each, glob_of(pattern), each, pattern]
        ).fetchone()
        assert found[0] == found[1]
