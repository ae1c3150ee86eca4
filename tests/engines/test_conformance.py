"""Every engine gives the numbers that plain Python and pandas give, for values that engines treat in different ways."""

from __future__ import annotations

import math
import re
from contextlib import contextmanager
from datetime import UTC, datetime

import duckdb
import numpy as np
import pytest
from edge_cases import INF, TYPES, finite, is_missing, load, load_mysql, rows, values, write
from mariadb_server import PASSWORD as MARIADB_PASSWORD
from postgres_server import PASSWORD

from mlci.errors import PolicyError
from mlci.flows.data_open import open_policy_table
from mlci.measure.data.dialects.patterns import UntranslatableError, translated
from mlci.nouns.aggregate import Conflicting, Count, Number, Part, Repeats, Shared
from mlci.nouns.base import Place
from mlci.nouns.condition import (
    Breaks,
    Equals,
    Missing,
    NoMatch,
    NotAmong,
    Outside,
    Over,
    Present,
    Under,
    WrongLength,
)
from mlci.nouns.data_policy import Table
from mlci.nouns.engine import Engine
from mlci.nouns.scalars import Bound

# Answers come to Python through sockets that pyspark leaves to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]

ENGINES = [
    "duckdb",
    pytest.param("spark", marks=[pytest.mark.slow]),
    pytest.param("postgres", marks=pytest.mark.slow, id="warehouse"),
    pytest.param("mariadb", marks=pytest.mark.slow),
    pytest.param("motherduck", marks=pytest.mark.slow),
]
SECRETS = {"postgres": ("PGPASSWORD", PASSWORD), "mariadb": ("MLCI_WAREHOUSE_PASSWORD", MARIADB_PASSWORD)}
TABLES = {
    "full": rows(),
    "empty": [],
    "one": rows()[4:5],
    "nothing": [dict.fromkeys(TYPES) for _ in range(5)],
}
OTHER = rows()[3:9]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edge")
    for name, found in TABLES.items():
        write(found, folder / f"{name}.parquet")
    write(OTHER, folder / "other.parquet")
    write(finite(TABLES["full"]), folder / "finite.parquet")
    return folder


@pytest.fixture(params=ENGINES)
def engine(request, monkeypatch):
    if request.param == "spark":
        request.getfixturevalue("spark")
    if request.param not in {"duckdb", "spark"}:
        if request.param in SECRETS:
            monkeypatch.setenv(*SECRETS[request.param])
        return request.getfixturevalue(f"{request.param}_warehouse")
    return Engine(name=request.param)


def holds_infinity(engine):
    return engine.url is None or not engine.url.startswith("mysql:")


@pytest.fixture
def tables(engine):
    """The rows, as the engine can hold them."""
    return TABLES if holds_infinity(engine) else {name: finite(found) for name, found in TABLES.items()}


@pytest.fixture
def same(root, engine):
    """A file of the rows that the engine's `full` has."""
    return root / f"{'full' if holds_infinity(engine) else 'finite'}.parquet"


@pytest.fixture(scope="module")
def mariadb_warehouse(mariadb):
    """The same tables in a real MariaDB, whose collation takes `a` and `A ` for the same."""
    with mariadb.connection(database="warehouse") as connection:
        for name, found in {**TABLES, "other": OTHER}.items():
            load_mysql(finite(found), connection, name)
    return Engine(name="warehouse", url=mariadb.url)


@pytest.fixture(scope="module")
def motherduck_warehouse(root):
    """The same tables in a database file of DuckDB, through the same connection that MotherDuck has."""
    with duckdb.connect(root / "tables.db") as connection:
        for name in (*TABLES, "other"):
            connection.execute(f"CREATE TABLE \"{name}\" AS FROM '{root}/{name}.parquet'")
    return Engine(name="warehouse", url=f"duckdb://{root}/tables.db")


@pytest.fixture(scope="module")
def postgres_warehouse(postgres):
    """The same tables in a real PostgreSQL."""
    import psycopg  # noqa: PLC0415 - slow to load

    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        for name, found in {**TABLES, "other": OTHER}.items():
            load(found, connection, name)
    return Engine(name="warehouse", url=re.sub(":[^:/@]*@", "@", url, count=1))


@contextmanager
def opened(root, name, engine, conditions=(), patterns=()):
    ending = "" if engine.name == "warehouse" else ".parquet"
    table = Table.model_validate({"path": name + ending, "overlap": {"with": f"other{ending}", "key": "id"}})
    with open_policy_table(root, "t", table, engine) as held:
        place = Place(file="params.yaml", line=1)
        held.tell(dict.fromkeys(conditions, place), dict.fromkeys(patterns, place))
        yield held.table


def holds(value, test):
    return not is_missing(value) and test(value)


def of(column, test):
    return lambda row: holds(row[column], test)


_EARLY, _LATE = datetime(2013, 3, 10, 2, 30), datetime(2013, 12, 31, 23, 59, 59)  # noqa: DTZ001 - as the table has them
COUNTS = {
    "rows": (Count(), lambda _: True),
    **{
        f"missing {name}": (Count(what=Missing(column=name)), lambda row, name=name: is_missing(row[name]))
        for name in TYPES
    },
    "present": (
        Count(what=Present(columns=("f", "s"))),
        lambda row: not is_missing(row["f"]) and not is_missing(row["s"]),
    ),
    "f outside": (
        Count(what=Outside(column="f", low=-1, high=2.5)),
        of("f", lambda value: not -1 <= value <= 2.5),
    ),
    "f outside, open": (Count(what=Outside(column="f", low=0)), of("f", lambda value: value < 0 or math.isinf(value))),
    "g outside": (
        Count(what=Outside(column="g", low=0.1, high=0.2)),
        of("g", lambda value: not np.float32(0.1) <= np.float32(value) <= np.float32(0.2)),
    ),
    "i outside": (
        Count(what=Outside(column="i", low=2**53, high=2**63 - 1)),
        of("i", lambda value: value < 2**53),
    ),
    "i outside halves": (Count(what=Outside(column="i", low=0.5, high=1.5)), of("i", lambda value: value != 1)),
    "d outside": (Count(what=Outside(column="d", low=-0.5, high=1.125)), of("d", lambda v: not -0.5 <= v <= 1.125)),
    "s outside": (Count(what=Outside(column="s", low="A", high="b")), of("s", lambda v: not "A" <= v <= "b")),
    "t outside": (
        Count(what=Outside(column="t", low="1969-12-31", high="2013-03-10T02:30")),
        of("t", lambda value: not datetime(1969, 12, 31) <= value <= _EARLY),  # noqa: DTZ001
    ),
    "t outside days": (
        Count(what=Outside(column="t", low="1950-01-01", high="2013-12-31")),
        of("t", lambda value: value < datetime(1950, 1, 1)),  # noqa: DTZ001
    ),
    "z outside": (
        Count(what=Outside(column="z", low="2013-03-10T02:30", high="2014-01-01")),
        of("z", lambda value: value < _EARLY.replace(tzinfo=UTC)),
    ),
    "y outside": (
        Count(what=Outside(column="y", low="2012-02-29", high="2012-02-29")),
        of("y", lambda value: value.day != 29),
    ),
    "s among": (
        Count(what=NotAmong(column="s", values=("A1", "ä", "it's", "a\\d"))),
        of("s", lambda v: v not in {"A1", "ä", "it's", "a\\d"}),
    ),
    "f among": (Count(what=NotAmong(column="f", values=(0, 0.1, "x"))), of("f", lambda v: v not in {0, 0.1})),
    "g among": (Count(what=NotAmong(column="g", values=(0.1,))), of("g", lambda v: np.float32(v) != np.float32(0.1))),
    "i among": (Count(what=NotAmong(column="i", values=(2**53 + 1, 1))), of("i", lambda v: v not in {2**53 + 1, 1})),
    "b among": (Count(what=NotAmong(column="b", values=(True,))), of("b", lambda v: not v)),
    "s length": (
        Count(what=WrongLength(column="s", length=Bound(low=1, high=2, text="[1, 2]"))),
        of("s", lambda v: not 1 <= len(v) <= 2),
    ),
    "f under": (Count(what=Under(column="f", limit=0.1, inclusive=True)), of("f", lambda v: v <= 0.1)),
    "f over": (Count(what=Over(column="f", limit=0.1)), of("f", lambda v: v > 0.1)),
    "i under": (Count(what=Under(column="i", limit=1.5)), of("i", lambda v: v < 1.5)),
    "s equals": (Count(what=Equals(column="s", value="A1\n")), of("s", lambda v: v == "A1\n")),
    "b equals": (Count(what=Equals(column="b", value="false")), of("b", lambda v: v is False)),
    "y equals": (Count(what=Equals(column="y", value="2012-02-29")), of("y", lambda v: v.day == 29)),
    "f equals": (Count(what=Equals(column="f", value="0.1")), of("f", lambda v: v == 0.1)),
    "two words": (
        Count(what=Outside(column="two words", low=1, high=1)),
        lambda row: row["two words"] not in {1, None},
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_counts(root, engine, tables, name):
    with opened(root, name, engine) as table:
        answers = table.ask([aggregate for aggregate, _ in COUNTS.values()])
    assert not answers.failures
    for what, (aggregate, test) in COUNTS.items():
        assert answers.values[aggregate][()] == sum(map(test, tables[name])), what


NUMBERS = ["f", "g", "i", "h", "d", "n", "two words"]


@pytest.mark.parametrize("name", TABLES)
def test_numbers(root, engine, tables, name):
    asked = [Number(what=what, column=column) for column in NUMBERS for what in ("mean", "sum", "std")]
    asked += [Number(what="quantile", column=column, quantile=at) for column in NUMBERS for at in (0.25, 0.5, 0.9)]
    asked += [Number(what="quantile", column="i", quantile=0.4, among=Over(column="i", limit=0))]
    asked += [Number(what="newest", column=column) for column in "tzy"]
    with opened(root, name, engine) as table:
        answers = table.ask(asked)
    assert not answers.failures
    for aggregate in asked:
        found, expected = answers.values[aggregate][()], oracle(aggregate, tables[name])
        if expected is None or found is None:
            assert found is expected, aggregate
        elif aggregate.what == "std" and math.isinf(expected):
            assert found == INF, aggregate
        elif aggregate.what == "std":
            assert found == pytest.approx(expected, rel=1e-9), aggregate
        else:
            assert found == pytest.approx(expected, rel=1e-12, nan_ok=True), aggregate


def oracle(aggregate, found):
    held = values(found, aggregate.column)
    if aggregate.what == "newest":
        return newest(held)
    if aggregate.among is not None:
        held = held[held > aggregate.among.limit]
    if not len(held):
        return None
    numbers = held.astype(float)
    match aggregate.what:
        case "mean" | "sum":
            infinite = numbers[np.isinf(numbers)]
            if len(infinite):
                return sum(infinite.tolist())
            exact = sum(map(int, held)) if aggregate.column == "i" else math.fsum(numbers)
            return exact / (len(held) if aggregate.what == "mean" else 1)
        case "std":
            if np.isinf(numbers).any():
                return INF
            return float(numbers.std()) if len(numbers) > 1 else None
        case "quantile":
            return float(sorted(held)[math.ceil(aggregate.quantile * len(held) - 1e-9) - 1])


def newest(held):
    if not len(held):
        return None
    moment = max(held)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    apart = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (apart.days * 86_400 + apart.seconds) * 1_000_000 + apart.microseconds


KEYS = [("id",), ("s",), ("f",), ("i", "s"), ("k", "b"), ("e",)]


@pytest.mark.parametrize("name", TABLES)
def test_keys(root, engine, tables, name):
    repeats = [Repeats(columns=columns) for columns in KEYS]
    features = [("s",), ("k", "b"), ("h",)]
    conflicts = [Conflicting(label=label, features=columns) for label in ("b", "i") for columns in features]
    other = "other" if engine.name == "warehouse" else "the other table"
    shared = [Shared(other=other, columns=columns) for columns in (("id",), ("id", "s"))]
    with opened(root, name, engine) as table:
        answers = table.ask([*repeats, *shared, *conflicts])
    assert not answers.failures
    found = tables[name]
    for aggregate in repeats:
        keys = [tuple(row[name] for name in aggregate.columns) for row in found]
        keys = [key for key in keys if not any(map(is_missing, key))]
        assert answers.values[aggregate].get((), 0) == len(keys) - len(set(keys)), aggregate
    for aggregate in shared:
        others = {tuple(row[name] for name in aggregate.columns) for row in OTHER}
        keys = [tuple(row[name] for name in aggregate.columns) for row in found]
        expected = sum(key in others and None not in key for key in keys)
        assert answers.values[aggregate].get((), 0) == expected, aggregate
    for aggregate in conflicts:
        labels = {}
        for row in found:
            labels.setdefault(tuple(row[name] for name in aggregate.features), []).append(row[aggregate.label])
        expected = sum(len(met) for met in labels.values() if len(set(met)) > 1)
        assert answers.values[aggregate].get((), 0) == expected, aggregate


@pytest.mark.parametrize("column", ["k", "b", "h", "y", "t", "d", "g", "z"])
def test_slices_have_the_same_names(root, engine, same, column):
    if column == "z" and not holds_infinity(engine):
        pytest.skip("MariaDB has no moments with a zone: it keeps them in UTC, as `t`")
    asked = [Count(part=Part(by=(column,))), Number(what="mean", column="h", part=Part(by=(column,)))]
    asked += [Repeats(columns=("id",), part=Part(by=(column,)))]
    with opened(root, "full", engine) as table, opened(root, same.stem, Engine()) as duck:
        answers, expected = table.ask(asked), duck.ask(asked)
    assert not answers.failures
    assert len(expected.values[asked[0]]) > 1
    for aggregate in asked:
        one, two = answers.values[aggregate], expected.values[aggregate]
        assert set(one) == set(two)
        for key, value in two.items():
            assert one[key] == (value if value is None else pytest.approx(value, rel=1e-12))


CONDITIONS = [
    "f > 0.1",
    "f = 'NaN'::DOUBLE OR s IS NULL",
    "i / 2 > 0 AND h % 2 = 1",
    "h / (h - 1) > 1",
    "f / 0 > 0",
    "s LIKE 'A_' OR s NOT LIKE '%\\%'",
    "lower(s) = 'a1' OR length(s) > 2",
    "s IN ('ä', 'é') AND NOT b",
    "k IS DISTINCT FROM 'p'",
    "coalesce(h, -1) BETWEEN 0 AND 3",
    "t + INTERVAL 1 DAY > TIMESTAMP '2013-03-11'",
    "t < '2013-03-10T12:00:00'",
    "y >= DATE '2012-02-29'",
    "extract(month FROM t) = 12 OR year(y) = 2012",
    "CASE WHEN b THEN h ELSE 3 END > 2",
    '"two words" = 1 -- a comment',
    "isnan(f) OR NOT isfinite(f)",
    "d * 8 > 3.5 AND -d < 1",
    "s || k = 'A1p'",
    "K = 'q'",
    "b",
]


NOT_WITHOUT_INFINITY = ["f = 'NaN'::DOUBLE OR s IS NULL", "h / (h - 1) > 1", "f / 0 > 0"]


def test_the_policys_conditions_mean_the_same(root, engine, same):
    conditions = [sql for sql in CONDITIONS if holds_infinity(engine) or sql not in NOT_WITHOUT_INFINITY]
    asked = {
        sql: [Count(what=Breaks(sql=sql)), Count(what=Breaks(sql=sql, nulls=False)), Count(part=Part(where=(sql,)))]
        for sql in conditions
    }
    with duckdb.connect() as plain, opened(root, "full", engine, conditions=conditions) as table:
        plain.execute("SET TimeZone = 'UTC'")
        answers = table.ask(aggregate for three in asked.values() for aggregate in three)
        assert not answers.failures
        for sql, three in asked.items():
            counts = f"count(CASE WHEN NOT (\n{sql}\n) THEN 1 END), count(CASE WHEN (\n{sql}\n) THEN 1 END), count(*)"
            broken, held, every = plain.execute(f"SELECT {counts} FROM '{same}'").fetchone()
            assert [answers.values[aggregate][()] for aggregate in three] == [broken, every - held, held], sql


PATTERNS = [
    r"[A-Z]\d$",
    r"A1$\n?",
    r".*",
    r"(?s).*",
    r"\w+",
    r"[\w$]+",
    r"\W+",
    r"(?i)É|Ä",
    r"a\\d",
    r"\bA.*",
    r"\s.\s.",
    r"[[:alpha:]]\d|[^\x00-\x7F]+",
    r"\p{Han}+",
    r"(?P<x>A)(?:B)\$",
    r"[^a]*",
    r".{1,2}",
    r"\QAB$\E",
    r"it's",
]
TEXTS = [
    "",
    "A1",
    "A1\n",
    "a\r",
    "a\u2028b",
    "Ä",
    "É1",
    "日本",
    "a\\d",
    "AB$",
    "\ta b",
    "it's",
    "A_-1",
    "🙂",
    "a&&b[c",
    "x\x0bx",
]


NOT_IN_POSTGRES = [r"(?i)É|Ä", r"\p{Han}+"]


def test_patterns_match_what_re2_matches(root, engine):
    patterns = [
        each
        for each in PATTERNS
        if not engine.url or not engine.url.startswith("postgres") or each not in NOT_IN_POSTGRES
    ]
    asked = {pattern: Count(what=NoMatch(column="s", pattern=pattern)) for pattern in patterns}
    with duckdb.connect() as plain, opened(root, "full", engine, patterns=patterns) as table:
        answers = table.ask(asked.values())
        sql = f"SELECT count(CASE WHEN NOT regexp_full_match(s, ?) THEN 1 END) FROM '{root}/full.parquet'"
        for pattern, aggregate in asked.items():
            assert answers.values[aggregate][()] == plain.execute(sql, [pattern]).fetchone()[0], pattern


@pytest.mark.slow
@pytest.mark.parametrize("sql", [*NOT_WITHOUT_INFINITY, "greatest(h, 1) > 1", "CAST(s AS DOUBLE) > 1"])
def test_what_mariadb_can_not_be_told_is_refused(root, mariadb_warehouse, monkeypatch, sql):
    monkeypatch.setenv(*SECRETS["mariadb"])
    with (
        pytest.raises(PolicyError, match="which MariaDB is not told"),
        opened(root, "full", mariadb_warehouse, conditions=[sql]),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("pattern", NOT_IN_POSTGRES)
def test_what_postgres_can_not_be_told_is_refused(root, postgres_warehouse, monkeypatch, pattern):
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with (
        pytest.raises(PolicyError, match="PostgreSQL can't be told"),
        opened(root, "full", postgres_warehouse, patterns=[pattern]),
    ):
        pass


MORE = [r"[a&&b\[c]+", r"\S+", r"a\x{26}&b[[]c", r"\d+|[]x\x0b-]+", r"x\vx"]


@pytest.mark.slow
def test_java_is_told_what_re2_means(spark):
    patterns = [*PATTERNS, *MORE]
    frame = spark.createDataFrame([(text,) for text in TEXTS], "s STRING")
    found = frame.select(*(frame.s.rlike(translated(pattern, "java")) for pattern in patterns)).collect()
    with duckdb.connect() as plain:
        for place, pattern in enumerate(patterns):
            sql = "SELECT regexp_full_match(?, ?)"
            expected = [plain.execute(sql, [text, pattern]).fetchone()[0] for text in TEXTS]
            assert [row[place] for row in found] == expected, pattern


@pytest.mark.parametrize("pattern", [r"(?m)^a$", r"(?-s:.)", r"[\D]", r"\C"])
def test_what_java_can_not_be_told_is_refused(pattern):
    with pytest.raises(UntranslatableError):
        translated(pattern, "java")
