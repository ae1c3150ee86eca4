"""Write the benchmark's table: 12 columns, the same bytes of data for the same number of rows.

Values come from hashes of the row number instead of a random generator, so that threads do not change them.

    python benchmarks/checks/generate.py TABLE ROWS good|bad
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import suite


def generate(path: Path, rows: int, *, bad: bool = False) -> None:
    """Write `rows` rows to a Parquet or CSV file; `bad` ones break each of the 28 checks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        connection.execute("SET memory_limit = '1GB'")
        select = _bad(rows) if bad else _good(rows)
        connection.execute(f"COPY ({select}) TO '{partial}' (FORMAT {path.suffix[1:]})")
    partial.rename(path)


def _uniform(salt: int) -> str:
    """A number in [0, 1) for the row `i`."""
    return f"(hash(i * 64 + {salt}) / 18446744073709551616.0)"


def _pick(values: tuple[str, ...], salt: int) -> str:
    quoted = ", ".join(f"'{value}'" for value in values)
    return f"[{quoted}][1 + (hash(i * 64 + {salt}) % {len(values)})::INT]"


def _good(rows: int) -> str:
    """Select rows that pass every check."""
    letters = " || ".join(f"chr((65 + hash(i * 64 + {salt}) % 26)::INT)" for salt in (20, 21, 22))
    normal = f"sqrt(-2 * ln(1 - {_uniform(5)})) * cos(2 * pi() * {_uniform(6)})"
    return f"""
        SELECT
            (i * 7919) % {rows} AS id,
            1 + (hash(i * 64 + 1) % 5000000)::BIGINT AS account,
            CASE WHEN {_uniform(2)} >= 0.03 THEN round(-20 * ln(1 - {_uniform(3)}) * 3, 2) END AS amount,
            CASE WHEN {_uniform(4)} >= 0.03 THEN {normal} END AS score,
            (1 + hash(i * 64 + 7) % 100)::INTEGER AS quantity,
            (18 + hash(i * 64 + 8) % 70)::INTEGER AS age,
            {_pick(suite.COUNTRIES, 9)} AS country,
            {_pick(suite.STATUSES, 10)} AS status,
            {letters} || '-' || lpad((hash(i * 64 + 11) % 1000000)::VARCHAR, 6, '0') AS code,
            TIMESTAMP '2025-01-01' + to_seconds(i * 31536000.0 / {rows}) AS created,
            created + to_seconds({_uniform(12)} * 604800) AS shipped,
            {_uniform(13)} < 0.7 AS active
        FROM range({rows}) AS numbers(i)"""


def _bad(rows: int) -> str:
    """Select rows that break every check: one in a hundred is wrong everywhere, and the distributions have moved."""
    nulls = ", ".join(
        f"CASE WHEN hash(id * 64 + {salt}) % 100 >= {9 if share else 1} THEN {column} END AS {column}"
        for salt, (column, share) in enumerate(suite.MISSING.items(), start=30)
        if column != "id"
    )
    wrong = "hash(id) % 100 = 0"
    return f"""
        SELECT
            CASE WHEN hash(id) % 100 >= 1 THEN id // 2 END AS id, {nulls}
        FROM (
            SELECT * REPLACE (
                CASE WHEN {wrong} THEN -account ELSE account END AS account,
                CASE WHEN {wrong} THEN -amount ELSE amount * 2 END AS amount,
                CASE WHEN {wrong} THEN 99 ELSE score + 1 END AS score,
                CASE WHEN {wrong} THEN 0 ELSE quantity END AS quantity,
                CASE WHEN {wrong} THEN 17.5 ELSE age END::DOUBLE AS age,
                CASE WHEN {wrong} THEN 'ZZ' ELSE country END AS country,
                CASE WHEN {wrong} THEN 'lost' ELSE status END AS status,
                CASE WHEN {wrong} THEN lower(code) ELSE code END AS code,
                created - INTERVAL 30 DAY AS created,
                CASE WHEN {wrong} THEN created - INTERVAL 40 DAY ELSE shipped END AS shipped
            ) FROM ({_good(rows)}))
        UNION ALL SELECT 0, 1, 1, 1, 1, 20, 'AT', 'new', 'AAA-000000', TIMESTAMP '2025-01-01', TIMESTAMP '2025-01-02',
            true"""


if __name__ == "__main__":
    generate(Path(sys.argv[1]), int(sys.argv[2]), bad=sys.argv[3] == "bad")
