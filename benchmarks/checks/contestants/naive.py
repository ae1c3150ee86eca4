"""One SQL aggregate as anybody would write it: count(DISTINCT), exact quantiles, NOT IN."""

from __future__ import annotations

import duckdb
import suite
from _common import answer, asked

path, rows = asked()
terms = {f"missing {column}": f"count(*) - count({column})" for column in suite.MISSING}
terms |= {
    f"range {column}": f"count_if({column} < {low} OR {column} > {high})"
    for column, (low, high) in suite.RANGES.items()
}
terms |= {f"allowed {column}": f"count_if({column} NOT IN {values})" for column, values in suite.ALLOWED.items()}
terms["unique"] = f"count({suite.UNIQUE}) - count(DISTINCT {suite.UNIQUE})"
terms["pattern"] = f"count_if(NOT regexp_full_match({suite.PATTERN[0]}, '{suite.PATTERN[1]}'))"
terms["mean"] = f"avg({suite.MEAN[0]})"
terms["median"] = f"quantile_cont({suite.MEDIAN[0]}, 0.5)"
terms["p95"] = f"quantile_cont({suite.P95[0]}, 0.95)"
terms["rows"] = "count(*)"
terms["fresh"] = f"max({suite.FRESH[0]}) >= TIMESTAMP '{suite.FRESH[1]}' - INTERVAL {suite.FRESH[2]} DAY"
terms["rule"] = f"count_if(NOT ({suite.RULE}))"

with duckdb.connect() as connection:
    connection.execute("SET threads = 2")
    columns = connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
    values = connection.execute(f"SELECT {', '.join(terms.values())} FROM '{path}'").fetchone()

KINDS = {
    "BIGINT": "integer",
    "INTEGER": "integer",
    "DOUBLE": "float",
    "VARCHAR": "string",
    "TIMESTAMP": "timestamp",
    "BOOLEAN": "boolean",
}
seen = dict(zip(terms, values or (), strict=True))
failed = [] if {name: KINDS.get(kind) for name, kind, *_ in columns} == suite.TYPES else ["types"]
for name, value in seen.items():
    match name.split()[0]:
        case "missing":
            holds = value <= suite.MISSING[name.split()[1]] * seen["rows"]
        case "mean" | "median" | "p95":
            _, low, high = {"mean": suite.MEAN, "median": suite.MEDIAN, "p95": suite.P95}[name]
            holds = low <= value <= high
        case "rows":
            holds = value <= rows
        case "fresh":
            holds = bool(value)
        case _:
            holds = value == 0
    if not holds:
        failed.append(name)
answer(failed)
