"""A password is in no file of the repository, and in nothing that anybody reads."""

from __future__ import annotations

import sys
from urllib.parse import quote

import pytest
from mariadb_server import PASSWORD

from mlci.__main__ import main
from mlci.edges.policy_file import load_policy
from mlci.edges.warehouse.connect import warehouse
from mlci.errors import PolicyError, WorldError
from mlci.nouns.engine import Engine
from mlci.nouns.warehouse_url import secret_in, without_secrets

SECRET = "hunter2/é@:"  # noqa: S105 - a made-up one


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://me:{quote(SECRET, safe='')}@host/db",
        f"postgresql://me:{SECRET}@host/db",
        f"snowflake://me@account/db?password={quote(SECRET)}",
        f"duckdb://md:db?motherduck_token={quote(SECRET)}",
        f"databricks://host/db?access_token={quote(SECRET)}",
        f"postgresql://host/db?user=me&sslpassword={quote(SECRET)}",
    ],
)
def test_a_policy_that_holds_a_secret_is_refused_without_showing_it(tmp_path, url):
    (tmp_path / "params.yaml").write_text(f"mlci:\n  engine:\n    name: warehouse\n    url: '{url}'\n")
    with pytest.raises(PolicyError) as caught:
        load_policy(tmp_path, "params.yaml")
    assert "does not belong into Git" in str(caught.value)
    assert "params.yaml:" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert secret_in(url)
    assert "hunter2" not in without_secrets(url)


@pytest.mark.slow
@pytest.mark.parametrize("form", [str, lambda text: quote(text, safe=""), repr])
def test_what_a_driver_says_of_a_password_is_not_repeated(monkeypatch, form):
    import ibis  # noqa: PLC0415 - slow to load

    def refuse(url, **_):
        raise RuntimeError(f"can't connect to {url} with {form(SECRET)}, 'password': {form(SECRET)}")

    monkeypatch.setenv("MLCI_WAREHOUSE_PASSWORD", SECRET)
    monkeypatch.setattr(ibis, "connect", refuse)
    with pytest.raises(WorldError) as caught, warehouse(Engine(name="warehouse", url="postgresql://me@h/d")):
        pass
    assert "can't be reached: can't connect to postgresql://" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.slow
def test_a_wrong_password_is_told_without_it(mariadb, monkeypatch):
    monkeypatch.setenv("MLCI_WAREHOUSE_PASSWORD", SECRET)
    with (
        pytest.raises(WorldError, match="Access denied") as caught,
        warehouse(Engine(name="warehouse", url=mariadb.url)),
    ):
        pass
    assert "MLCI_WAREHOUSE_PASSWORD" in caught.value.mend
    assert "hunter2" not in str(caught.value)


@pytest.mark.slow
def test_nothing_that_is_told_or_written_holds_the_password(mariadb, tmp_path, monkeypatch, capfd):
    with mariadb.connection(database="warehouse") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE TABLE customers (id BIGINT, age INT)")
        cursor.execute("INSERT INTO customers VALUES (1, 30), (1, 300)")
    (tmp_path / "params.yaml").write_text(f"""
mlci:
  engine: {{name: warehouse, url: "{mariadb.url}"}}
  data:
    customers:
      path: customers
      columns:
        id: {{unique: true}}
        age: {{range: [18, 120]}}
    away: {{path: not_there}}
""")
    monkeypatch.setenv("MLCI_WAREHOUSE_PASSWORD", PASSWORD)
    monkeypatch.chdir(tmp_path)
    told = ""
    for words, code in (("customers --explain", 1), ("customers --json --rows rows", 1), ("away", 3)):
        monkeypatch.setattr(sys, "argv", ["mlci", "data", "check", *words.split()])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        assert ended.value.code == code, said
        told += said.out + said.err
    assert "-- probe of MariaDB" in told
    assert "the warehouse has no table not_there" in told
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 3
    for form in (PASSWORD, quote(PASSWORD, safe="")):
        assert form not in told
        assert not [file for file in files if form.encode() in file.read_bytes()]
