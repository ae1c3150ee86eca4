"""Rows for a log, and what is in it, asked past our own code."""

import sqlite3
from contextlib import closing, contextmanager

from mlci.edges.log.records import Record, now


def prediction(name, *, at=None, model="m", inputs='{"x": 1}', request=None, role="current"):
    made = now() if at is None else at
    return Record(name, made, model, "v1", "c0", inputs, "true", '{"score": 0.5}', request or name, role)


def rows(url, query):
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)) as database, database:
            return database.execute(query).fetchall()
    import psycopg  # noqa: PLC0415 - tests that need no PostgreSQL run without it

    with psycopg.connect(url) as connection:
        asked = connection.execute(query)
        return asked.fetchall() if asked.description else []


def count(url, table):
    return rows(url, f"SELECT count(*) FROM {table}")[0][0]


@contextmanager
def held(url):
    """Nobody else writes meanwhile."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            yield
            database.execute("ROLLBACK")
        return
    import psycopg  # noqa: PLC0415 - as above

    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE predictions")
        yield
        connection.rollback()
