"""A warehouse is held to rows whose answers are known before it is asked of real ones."""

from __future__ import annotations

import re

import pytest
from edge_cases import TYPES
from mariadb_server import PASSWORD as MARIADB_PASSWORD
from postgres_server import PASSWORD

from mlci.edges.policy_file import load_policy
from mlci.edges.warehouse.connect import warehouse
from mlci.flows.data_probe import prove
from mlci.flows.report_data import check_and_report
from mlci.measure.data.dialects.mysql import MariadbDialect
from mlci.measure.data.probe.kinds import kinds_of
from mlci.nouns.engine import Engine

pytestmark = pytest.mark.slow


@pytest.fixture
def duck(tmp_path):
    return Engine(name="warehouse", url=f"duckdb://{tmp_path}/x.db")


@pytest.fixture
def maria(mariadb, monkeypatch):
    monkeypatch.setenv("MLCI_WAREHOUSE_PASSWORD", MARIADB_PASSWORD)
    return Engine(name="warehouse", url=mariadb.url)


def test_duckdb_answers_everything_right(duck):
    with warehouse(duck) as connection:
        proof = prove(connection)
    assert proof.engine.startswith("DuckDB")
    assert len(proof.kinds) > 70
    assert proof.refused == ()


def test_mariadb_answers_everything_right_that_it_can_be_told(maria):
    with warehouse(maria) as connection:
        proof = prove(connection)
    assert proof.engine.startswith("MariaDB 1")
    assert len(proof.kinds) > 70
    assert proof.refused == ()


def test_a_postgres_whose_locale_has_no_letters_beyond_ascii_is_not_asked_for_upper_case(postgres, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    url = re.sub(":[^:/@]*@", "@", postgres.url("postgres"), count=1)
    with warehouse(Engine(name="warehouse", url=url)) as connection:
        proof = prove(connection)
    assert [each.kind for each in proof.refused] == ["`upper`"]
    assert proof.refused[0].wrong == "it says 0 where 1 is right"


def test_every_kind_of_question_is_in_the_probe():
    """Of each aggregate and each family of columns: what is not probed would be asked without being known."""
    from itertools import product  # noqa: PLC0415

    from mlci.measure.data.probe.cases import probe_cases  # noqa: PLC0415
    from mlci.nouns.aggregate import Conflicting, Count, Number, Part, Repeats  # noqa: PLC0415
    from mlci.nouns.condition import Equals, Missing, NoMatch, NotAmong, Outside, Under, WrongLength  # noqa: PLC0415
    from mlci.nouns.scalars import Bound  # noqa: PLC0415

    schema, cases = probe_cases("postgres")
    probed = {kind for case in cases for kind in case.kinds}
    columns = [column for column in TYPES if column in schema.columns]
    asked = [Count(), *(Count(what=Missing(column=column)) for column in columns)]
    asked += [Count(what=NotAmong(column=column, values=(1,))) for column in "sfgidby"]
    asked += [Count(what=Equals(column=column, value="1")) for column in "sfgidby"]
    asked += [Count(what=Outside(column=column)) for column in "sfgidtzy"]
    asked += [Count(what=Under(column=column, limit=1)) for column in "fgid"]
    asked += [Count(what=NoMatch(column="s", pattern="a")), Conflicting(label="b", features=("s",))]
    asked += [Count(what=WrongLength(column="s", length=Bound(low=1, high=2, text="")))]
    asked += [Number(what=what, column=column) for what, column in product(("sum", "mean", "std", "quantile"), "fid")]
    asked += [Number(what="newest", column=column) for column in "tzy"]
    asked += [Repeats(columns=(column,)) for column in "sfidbtzy"]
    asked += [Count(part=Part(by=(column,))) for column in "sbiy"]
    for aggregate in asked:
        assert set(kinds_of(aggregate, schema, {})) <= probed, aggregate


def test_a_question_that_is_answered_wrong_is_refused_by_name_and_the_rest_runs(maria, mariadb, tmp_path, monkeypatch):
    """Without its collation, the server takes `a` for `A`: promises about texts are not judged, of numbers they are."""
    with mariadb.connection(database="warehouse") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE TABLE codes (id BIGINT, code VARCHAR(20))")
        cursor.execute("INSERT INTO codes VALUES (1, 'a'), (2, 'A'), (3, 'a ')")
    (tmp_path / "params.yaml").write_text(f"""
mlci:
  engine: {{name: warehouse, url: "{maria.url}"}}
  data:
    codes:
      path: codes
      rows: 3
      columns:
        id: {{unique: true}}
        code: {{unique: true, allowed: [a, A, "a "]}}
""")
    policy = load_policy(tmp_path, "params.yaml")
    report, found = check_and_report(tmp_path, policy, explain=True)
    assert {each.outcome for each in report.verdict.findings} == {"pass"}
    assert "0 answered wrong" in found.explain
    monkeypatch.setattr(MariadbDialect, "compared", lambda _, value, __: value)
    report, found = check_and_report(tmp_path, policy, explain=True)
    outcomes = {each.check: each for each in report.verdict.findings}
    wrong = outcomes["data.codes.code.unique"]
    assert wrong.outcome == "not_measured"
    assert "keys of text can't be checked in MariaDB 10." in wrong.message
    assert outcomes["data.codes.code.allowed"].outcome == "not_measured"
    assert outcomes["data.codes.id.unique"].outcome == "pass"
    assert "--   refused: keys of text: it says 3 where 0 is right" in found.explain


def test_the_doctor_tells_what_a_warehouse_answers_wrong(postgres, duck, tmp_path, monkeypatch):
    from mlci.flows.doctor.patient import Patient  # noqa: PLC0415
    from mlci.flows.doctor.promises import engine  # noqa: PLC0415

    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    url = re.sub(":[^:/@]*@", "@", postgres.url("postgres"), count=1)
    for address, standing, said in (
        (url, "warning", "answers `upper` wrong: of the probe's rows it says 0 where 1 is right"),
        (duck.url, "fine", "kinds of question of the probe right"),
        ("mysql://me@127.0.0.1:1/db", "failure", "can't be reached"),
    ):
        (tmp_path / "params.yaml").write_text(f'mlci: {{engine: {{name: warehouse, url: "{address}"}}}}\n')
        (line,) = engine(Patient(tmp_path))
        assert (line.standing, said in line.says) == (standing, True), line
    assert [line.standing for line in engine(Patient(tmp_path, offline=True))] == ["not_asked"]
