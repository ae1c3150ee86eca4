"""The floor: one scan for the smallest and largest value of every column. Checks nothing."""

from __future__ import annotations

import duckdb
from _common import answer, asked

path, _ = asked()
with duckdb.connect() as connection:
    connection.execute("SET threads = 2")
    # `+ 0` and `|| ''` keep the engine from answering out of the file's statistics.
    connection.execute(
        f"""SELECT min(id + 0), max(id + 0), min(account + 0), max(account + 0), min(amount), max(amount), min(score),
            max(score), min(quantity + 0), max(quantity + 0), min(age + 0), max(age + 0), min(country || ''),
            max(country || ''), min(status || ''), max(status || ''), min(code), max(code),
            min(created + INTERVAL 1 SECOND), max(created + INTERVAL 1 SECOND), min(shipped + INTERVAL 1 SECOND),
            max(shipped + INTERVAL 1 SECOND), bool_and(active), bool_or(active) FROM '{path}'"""
    ).fetchall()
answer([])
