"""What is wrong with a file or a policy is said in one message with its mend, never by a traceback."""

from __future__ import annotations

import gzip

import duckdb
import pytest

from mlci.edges.duck import session
from mlci.errors import PolicyError, WorldError
from mlci.nouns.engine import Engine


@pytest.fixture
def flights(project):
    project.values("(60, 'AA'), (40, 'B6')", "age, carrier")
    return project


def write(name, content):
    def make(project):
        (project.root / name).write_bytes(content)
        return name

    return make


def spoil(how):
    """A good Parquet file whose bytes are changed."""

    def make(project):
        good = project.write("SELECT range AS x, range::VARCHAR AS y FROM range(5000)")
        good.write_bytes(how(good.read_bytes()))
        return good.name

    return make


def mixed(project):
    project.write("SELECT 1 AS x")
    write("t.csv", b"x\n1\n")(project)
    return "t.*"


def loop(project):
    (project.root / "l.parquet").symlink_to("l.parquet")
    return "l.parquet"


BAD = {
    "missing": (lambda _: "nope.parquet", "does not exist"),
    "glob": (lambda _: "nope-*.parquet", "no file matches"),
    "folder": (lambda _: ".", "is a folder without a table"),
    "empty": (write("e.csv", b""), "is an empty file"),
    "unknown": (write("e.xlsx", b"PK"), "no kind of table"),
    "remote": (lambda _: "ftp://host/t.parquet", "is given no tables of ftp://"),
    "text": (write("t.parquet", b"hello, world\n" * 10), "may be cut off"),
    "truncated": (spoil(lambda whole: whole[: len(whole) // 2]), "may be cut off"),
    "zeros": (spoil(lambda whole: whole[:4] + bytes(len(whole) - 2000) + whole[-1996:]), "corrupt"),
    "ragged": (write("r.csv", b'x,y\n1,2\n3,4,5,6\n"'), "same number of fields"),
    "json": (write("j.jsonl", b'{"x": 1}\n{"x": \n'), "Malformed JSON"),
    "gzip": (write("t.csv.gz", gzip.compress(b"x\n" * 5000)[:20]), "cut off"),
    "mixed": (mixed, "no kind of table"),
    "loop": (loop, "does not exist"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_no_table(project, kind):
    make, why = BAD[kind]
    path = make(project)
    columns = {"x": {"missing": "0%", "mean": [0, 1]}, "y": {"length": 1}}
    with pytest.raises(WorldError) as caught:
        project.check({"columns": columns}, path=path)
    assert path in caught.value.problem
    assert why in caught.value.problem
    assert "\n" not in caught.value.problem
    assert caught.value.mend


def test_other_tables_that_are_not_there(flights):
    for table in ({"overlap": {"with": "no.parquet", "key": "age"}}, {"drift": {"reference": "no.parquet"}}):
        with pytest.raises(WorldError, match=r"no\.parquet does not exist"):
            flights.check(table)


@pytest.mark.parametrize(
    "sql",
    [
        "agee > 50",
        "age >",
        "age > 50; DROP TABLE t",
        "age > 50) FROM t --",
        "age > 50) FROM the_table WHERE (true",
        "true) FROM the_table, read_csv('/etc/passwd') AS p WHERE (true",
        "true) FROM (SELECT 1) AS the_table WHERE (true",
        "age IN (SELECT 1)",
        "EXISTS (FROM read_csv('/etc/passwd'))",
        "age > (SELECT max(column0) FROM '/etc/passwd')",
        "count(*) > 1",
        "row_number() OVER () = 1",
        "age",
        "'text'",
        "age > ?",
        "age > $1",
        "COLUMNS(*) IS NOT NULL",
        "(age, carrier)",
        "age > 1 /* open",
        "",
        "age > 50 AS x",
        "age > 50, carrier = 'AA'",
        "read_text('/etc/passwd') IS NULL",
    ],
)
def test_what_is_no_condition_on_a_row_is_refused_with_its_place(flights, sql):
    for table in ({"rules": {"r": sql}}, {"where": sql}, {"columns": {"age": {"where": sql, "missing": 0}}}):
        with pytest.raises(PolicyError) as caught:
            flights.check(table)
        assert caught.value.problem.startswith("params.yaml:")
        assert caught.value.mend


@pytest.mark.parametrize(
    "sql",
    [
        "age > 50 -- old",
        "age > 50 /* old */",
        "age BETWEEN 1 AND 99 AND carrier IN ('AA', 'B6')",
        "regexp_matches(carrier, '.')",
    ],
)
def test_conditions_are_the_engine_s_own_sql(flights, sql):
    assert flights.find({"rules": {"r": sql}}, "rules.r").outcome in {"pass", "fail"}


def test_an_unknown_column_in_a_condition_gets_a_hint(flights):
    with pytest.raises(PolicyError, match=r'params\.yaml:9: `agee > 50` does not fit t.parquet: .*did you mean: "age"'):
        flights.check({"rules": {"r": "agee > 50"}})


def test_a_pattern_that_the_engine_does_not_know(flights):
    with pytest.raises(PolicyError, match=r"params.yaml:5: the pattern `\(\?=a\)` can't be used"):
        flights.check({"columns": {"carrier": {"pattern": "(?=a)"}}})


def test_an_unknown_table_gets_a_hint(flights):
    with pytest.raises(PolicyError, match=r"there is no table `tt`; did you mean `t`\?"):
        flights.check({}, tables=("tt",))


def test_the_session_reads_only_the_files_of_the_policy(flights):
    with session(Engine(), reads=[flights.root / "t.parquet"]) as connection:
        assert connection.execute(f"SELECT count(*) FROM '{flights.root}/t.parquet'").fetchall() == [(2,)]
        for sql in (
            "FROM read_text('/etc/passwd')",
            f"FROM glob('{flights.root}/*')",
            f"COPY (SELECT 1) TO '{flights.root}/out.csv'",
            "SET enable_external_access = true",
            "ATTACH '/tmp/x.db'",
            "INSTALL httpfs",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql).fetchall()


def test_rows_can_t_be_saved_where_a_file_is(flights, tmp_path):
    (tmp_path / "rows").write_text("", encoding="utf-8")
    with pytest.raises(WorldError, match="was not written"):
        flights.check({"columns": {"age": {"range": [50, 60]}}}, rows_to=tmp_path / "rows")


def test_too_little_memory_is_said(project):
    project.write("SELECT hash(range)::VARCHAR || repeat('x', 100) AS x FROM range(200_000)")
    with pytest.raises(WorldError, match="needs more memory than the limit") as caught:
        project.check({"columns": {"x": {"unique": True}}}, engine={"memory": "1MB", "threads": 1})
    assert "mlci.engine.memory" in caught.value.mend
