"""Write a reference and a current table of 12 columns, two of which have moved: `generate.py FOLDER ROWS`."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

NUMBERS = ("n0", "n1", "n2", "n3", "heavy", "uniform", "count", "age")
TEXTS = ("country", "status", "city", "channel")
MOVED = ("n0", "country")
"""n0 by half a standard deviation; of country, a quarter of the rows became one value."""


def select(rows: int, start: int, *, moved: bool) -> str:
    def uniform(salt: int) -> str:
        return f"(hash(i * 64 + {salt}) / 18446744073709551616.0)"

    def normal(salt: int) -> str:
        return f"sqrt(-2 * ln(1 - {uniform(salt)})) * cos(2 * pi() * {uniform(salt + 1)})"

    columns = [f"{normal(2 * j)}{' + 0.5' if moved and j == 0 else ''} AS n{j}" for j in range(4)]
    columns += [
        f"exp(2 * {normal(8)}) AS heavy",
        f"{uniform(10)} AS uniform",
        "(hash(i * 64 + 11) % 100)::INTEGER AS count",
        "(18 + hash(i * 64 + 12) % 70)::INTEGER AS age",
    ]
    for salt, (name, values) in enumerate(zip(TEXTS, (12, 5, 40, 3), strict=True), start=13):
        value = f"'v' || (hash(i * 64 + {salt}) % {values})"
        columns.append(
            f"CASE WHEN {moved and name == 'country'} AND {uniform(20)} < 0.25 THEN 'v0' ELSE {value} END AS {name}"
        )
    return f"SELECT {', '.join(columns)} FROM range({start}, {start + rows}) AS numbers(i)"


def main() -> None:
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '1GB'")
        for name, start in (("reference", 0), ("current", rows)):
            query = select(rows, start, moved=name == "current")
            connection.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")


if __name__ == "__main__":
    main()
