"""The diff of a table says what pandas says, row by row and column by column."""

import json
import subprocess
from collections import Counter
from datetime import datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlci.edges.policy_file import parse_policy
from mlci.errors import PolicyError, WorldError
from mlci.flows.diff_data import diff_data, show_diff
from mlci.nouns.report import RowChange
from mlci.render.diff import render_diffs

WITH_ID = "mlci: {data: {t: {path: t.parquet, columns: {id: {unique: true}}}}}"
WITHOUT_ID = "mlci: {data: {t: {path: t.parquet}}}"


def diff(folder, old, new, policy=WITH_ID, name="t.parquet"):
    """Write both versions and compare them."""
    (folder / "old").mkdir(exist_ok=True)
    for frame, place in ((old, folder / "old"), (new, folder)):
        if name.endswith(".csv"):
            pd.DataFrame(frame).to_csv(place / name, index=False)
        else:
            pq.write_table(frame if isinstance(frame, pa.Table) else pa.table(frame), place / name)
    found = diff_data(folder, parse_policy(policy), "main", read_old=lambda _, path: folder / "old" / path)
    return found[0]


def test_rows_columns_and_cells(tmp_path):
    old = {"id": [1, 2, 3, 4], "x": [1.0, 2.0, None, 4.0], "c": ["a", "a", "b", "b"], "gone": [1, 1, 1, 1]}
    new = {"id": [5, 4, 3, 2], "x": [5.0, 4.5, None, 2.0], "c": ["a", "b", "b", None], "new": [0, 0, 0, 0]}
    found = diff(tmp_path, old, new)
    assert (found.rows_old, found.rows_new, found.added, found.removed, found.changed) == (4, 4, 1, 1, 2)
    assert {item.column: (item.what, item.changed) for item in found.columns} == {
        "x": ("shifted", 1),
        "c": ("shifted", 1),
        "new": ("added", None),
        "gone": ("removed", None),
    }
    assert found.examples == (
        RowChange(id="2", column="c", old="a", new=None),
        RowChange(id="4", column="x", old="4.0", new="4.5"),
    )
    shift = {item.column: (item.old, item.new) for item in found.columns}
    assert shift["x"][0]["mean"] == "2.333"
    assert shift["x"][1]["mean"] == "3.833"
    assert shift["c"] == ({"missing": "0 %", "share of a": "50 %"}, {"missing": "25 %", "share of a": "25 %"})


def test_the_terminal_shows_it(tmp_path):
    old = {"id": [1, 2], "c": ["a", "b"], "n": [1, 1]}
    new = {"id": [1, 3], "c": ["a\x1b[31m", "b"], "n": pa.array([1, 1], pa.int8())}
    text = render_diffs([diff(tmp_path, old, new)])
    assert text.startswith("t (main → work tree): 2 → 2 rows: 1 added, 1 removed, 1 changed\n")
    assert "\x1b" not in text
    assert "  n: retyped\n    type BIGINT → TINYINT\n" in text
    assert "    1, c: a → a⟨U+001B⟩[31m\n" in text


def test_the_same_bytes_are_unchanged(tmp_path):
    frame = {"id": [1, 2], "x": [1, 2]}
    found = diff(tmp_path, frame, frame)
    assert (found.note, found.rows_new, found.changed, found.columns) == ("unchanged", None, None, ())
    assert render_diffs([found]) == "t (main → work tree): unchanged\n"


def test_the_same_rows_in_another_order_and_file(tmp_path):
    old = {"id": [1, 2], "x": [1.0, float("nan")]}
    found = diff(tmp_path, old, {"x": [float("nan"), 1.0], "id": [2, 1]})
    assert (found.added, found.removed, found.changed, found.columns) == (0, 0, 0, ())
    assert found.note == "the same rows and columns, written anew"


def test_without_an_id_rows_are_a_multiset(tmp_path):
    found = diff(tmp_path, {"x": [1, 1, 2, 3]}, {"x": [1, 2, 2, 4]}, WITHOUT_ID)
    assert (found.added, found.removed, found.changed) == (2, 2, None)
    assert "there is no id" in found.note
    assert found.examples == ()


def test_repeated_ids_are_said(tmp_path):
    old = {"id": [1, 1, 2, 3, 3], "x": [1, 2, 3, 7, 8]}
    new = {"id": [1, 1, 1, 2, 3, 3], "x": [1, 5, 6, 3, 9, 10]}
    found = diff(tmp_path, old, new)
    # Of id 1 the row 2 became 5 or 6, and one was added; of id 3 both rows changed.
    assert (found.added, found.removed, found.changed) == (1, 0, 3)
    assert "`id` repeats: 2 values before, 2 now" in found.note
    assert "3 changed rows share their `id` with others" in found.note
    assert found.examples == ()


def test_values_that_change_places(tmp_path):
    found = diff(tmp_path, {"id": [1, 2], "x": [1, 2]}, {"id": [1, 2], "x": [2, 1]})
    assert found.changed == 2
    assert [(item.column, item.changed) for item in found.columns] == [("x", 2)]
    assert found.columns[0].note == "values moved between rows; as a whole they are the same"


def test_shifts_too_small_to_matter_are_not_told(tmp_path):
    ids = list(range(3000))
    old = {"id": ids, "x": [float(i) for i in ids], "c": ["a", "b", "c"] * 1000, "t": [True, False] * 1500}
    new = {name: values[1:] for name, values in old.items()}
    new["x"][0] = 2.0
    found = diff(tmp_path, old, new)
    assert (found.added, found.removed, found.changed) == (0, 1, 1)
    assert [(item.column, item.changed, item.new) for item in found.columns] == [("x", 1, {"smallest": "2.0"})]


def test_what_moved_of_texts_and_truths(tmp_path):
    ids = list(range(3000))
    old = {"id": ids, "c": ["a", "b", "c"] * 1000, "t": [True, False] * 1500, "h": [f"{i}" for i in ids]}
    new = {"id": ids, "c": ["a", "b", "d"] * 1000, "t": [True] * 3000, "h": ["x"] * 3000}
    columns = {item.column: item for item in diff(tmp_path, old, new).columns}
    assert columns["c"].old == {"share of c": "33.33 %", "share of d": "0 %"}
    assert columns["c"].new == {"share of c": "0 %", "share of d": "33.33 %"}
    assert (columns["t"].old, columns["t"].new) == ({"true": "50 %"}, {"true": "100 %"})
    assert columns["h"].old["different values"].startswith("about ")
    assert columns["h"].new == {"different values": "1"}


def test_a_key_of_several_columns(tmp_path):
    policy = "mlci: {data: {t: {path: t.parquet, unique: [a, b]}}}"
    old = {"a": [1, 1], "b": ["x", "y"], "v": [1, 2]}
    found = diff(tmp_path, old, {"a": [1, 1], "b": ["x", "y"], "v": [1, 3]}, policy)
    assert found.changed == 1
    assert found.examples == (RowChange(id="1, y", column="v", old="2", new="3"),)


def test_a_type_that_changes_changes_no_equal_value(tmp_path):
    old = {"id": [1, 2], "x": [1, 2], "t": [datetime(2020, 1, 1), datetime(2020, 1, 2)]}  # noqa: DTZ001 - a naive column
    new = {"id": ["1", "2"], "x": [1.0, 2.5], "t": pa.array([18262, 18263], pa.date32())}
    found = diff(tmp_path, old, new)
    assert (found.added, found.removed, found.changed) == (0, 0, 1)
    assert {item.column: (item.what, item.changed) for item in found.columns} == {
        "id": ("retyped", 0),
        "x": ("retyped", 1),
        "t": ("retyped", 0),
    }


def test_csv(tmp_path):
    policy = WITH_ID.replace("parquet", "csv").replace("unique: true", "unique: true, type: string")
    old, new = {"id": ["01", "02"], "x": [1, 2]}, {"id": ["01", "3"], "x": [5, 2]}
    found = diff(tmp_path, old, new, policy, "t.csv")
    assert (found.added, found.removed, found.changed) == (1, 1, 1)
    assert found.examples == (RowChange(id="01", column="x", old="1", new="5"),)


def test_an_empty_version(tmp_path):
    empty = pa.table({"id": pa.array([], pa.int64()), "x": pa.array([], pa.string())})
    found = diff(tmp_path, empty, {"id": [1], "x": ["a"]})
    assert (found.rows_old, found.added, found.removed, found.changed) == (0, 1, 0, 0)
    assert render_diffs([found]).startswith("t (main → work tree): 0 → 1 rows: 1 added")


def test_ten_examples_of_as_many_columns_as_there_is_room_for(tmp_path):
    ids = list(range(50))
    found = diff(tmp_path, {"id": ids, "x": ids, "y": ids}, {"id": ids, "x": [-1] * 50, "y": [*ids[:40], *[-1] * 10]})
    assert found.changed == 50
    assert len(found.examples) == 10
    assert {change.column for change in found.examples} == {"x", "y"}


def test_a_table_that_the_old_revision_lacks(tmp_path):
    pq.write_table(pa.table({"id": [1]}), tmp_path / "t.parquet")

    def absent(rev, path):
        raise WorldError(f"{path} is not in commit {rev}")

    found = diff_data(tmp_path, parse_policy(WITH_ID), "main", read_old=absent)
    assert found[0].note == "not compared: t.parquet is not in commit main"


def test_two_old_revisions(tmp_path):
    for rev, values in (("a", [1, 2]), ("b", [1, 3])):
        (tmp_path / rev).mkdir()
        pq.write_table(pa.table({"id": [1, 2], "x": values}), tmp_path / rev / "t.parquet")
    policy = parse_policy(WITH_ID)
    found = diff_data(tmp_path, policy, "a", "b", read_old=lambda rev, path: tmp_path / rev / path)
    assert (found[0].old, found[0].new, found[0].changed) == ("a", "b", 1)


def test_a_table_that_the_policy_has_not(tmp_path):
    with pytest.raises(PolicyError, match="no table `tt`; did you mean `t`"):
        diff_data(tmp_path, parse_policy(WITH_ID), "main", table="tt", read_old=lambda _, path: tmp_path / path)


def test_a_broken_new_file(tmp_path):
    (tmp_path / "old").mkdir()
    pq.write_table(pa.table({"id": [1]}), tmp_path / "old" / "t.parquet")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(WorldError, match=r"t\.parquet"):
        diff_data(tmp_path, parse_policy(WITH_ID), "main", read_old=lambda _, path: tmp_path / "old" / path)


ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 6)),
        st.one_of(st.none(), st.sampled_from(["a", "b", ""])),
        st.one_of(st.none(), st.sampled_from([0.0, 1.5, float("inf"), float("nan")])),
    ),
    max_size=12,
)


def table(rows):
    kinds = {"id": pa.int64(), "c": pa.string(), "x": pa.float64()}
    return pa.table({name: pa.array([row[i] for row in rows], kind) for i, (name, kind) in enumerate(kinds.items())})


def counted(rows):
    """Rows as a multiset in which NaN is equal to itself."""
    return Counter(tuple("nan" if cell != cell else cell for cell in row) for row in rows)  # noqa: PLR0124 - tells NaN


def expected(old, new):
    """Added, removed, changed by id, from what is left of each id's rows once equal ones are taken away."""
    left_old, left_new = counted(old) - counted(new), counted(new) - counted(old)
    ids = {row[0] for row in (*left_old, *left_new)}
    added = removed = changed = 0
    for one in ids:
        before, after = (sum(n for row, n in left.items() if row[0] == one) for left in (left_old, left_new))
        changed += min(before, after)
        added, removed = added + max(after - before, 0), removed + max(before - after, 0)
    return added, removed, changed


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, ROWS)
def test_counts_are_those_of_multisets(tmp_path_factory, old, new):
    folder = tmp_path_factory.mktemp("any")
    found = diff(folder, table(old), table(new))
    if found.note == "unchanged":
        assert counted(old) == counted(new)
        return
    assert (found.added, found.removed, found.changed) == expected(old, new)
    whole = diff(folder, table(old), table(new), WITHOUT_ID)
    both = counted(old), counted(new)
    assert (whole.added, whole.removed) == ((both[1] - both[0]).total(), (both[0] - both[1]).total())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, ROWS)
def test_cells_are_those_of_pandas(tmp_path_factory, old, new):
    before, after = (
        pd.DataFrame(rows, columns=["id", "c", "x"], dtype=object).dropna(subset="id").drop_duplicates("id")
        for rows in (old, new)
    )
    folder = tmp_path_factory.mktemp("any")
    found = diff(folder, *(table(list(frame.itertuples(index=False, name=None))) for frame in (before, after)))
    if found.note == "unchanged":
        return
    joined = before.merge(after, on="id", suffixes=("_old", "_new"))

    def differs(column):
        a, b = joined[f"{column}_old"], joined[f"{column}_new"]
        nan = [(x != x, y != y) for x, y in zip(a, b, strict=True)]  # noqa: PLR0124 - tells NaN from None
        return sum(
            not (x is y or (x is not None and y is not None and (x == y or both == (True, True))))
            for x, y, both in zip(a, b, nan, strict=True)
        )

    told = {item.column: item.changed for item in found.columns if item.changed}
    assert told == {column: count for column in ("c", "x") if (count := differs(column))}


def test_revisions_of_a_repository(tmp_path):
    def git(*arguments):
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t", *arguments], check=True
        )

    git("init", "-q")
    file = tmp_path / "t.csv"
    for value in (1, 2):
        file.write_text(f"id,x\n1,{value}\n")
        git("add", "-A")
        git("commit", "-qm", f"Version {value}")
    file.write_text("id,x\n1,9\n")
    policy = parse_policy(WITH_ID.replace("parquet", "csv"))
    text = show_diff(tmp_path, policy, "HEAD~1")
    assert "1, x: 1 → 9" in text
    found = json.loads(show_diff(tmp_path, policy, "HEAD~1", "HEAD", as_json=True))
    assert found[0]["examples"] == [{"id": "1", "column": "x", "old": "1", "new": "2"}]
    with pytest.raises(PolicyError, match="no revision 'nowhere'"):
        show_diff(tmp_path, policy, "nowhere")
