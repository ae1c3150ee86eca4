"""Who takes part: the interpreter and the command of each, peers in virtual environments of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import suite

from benchmarks.common import ours
from benchmarks.environments import interpreter

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Contestant:
    """A whole process that checks the table.

    Attributes:
        name: As the tables show it.
        script: File in `contestants/`; empty for mlci's own command.
        packages: What its virtual environment holds; empty for the one that runs this.
        most: Rows of the largest Parquet file and of the largest CSV that it is asked of: beyond, it takes more memory
            than there is, or longer than anybody waits.
    """

    name: str
    script: str = ""
    packages: tuple[str, ...] = ()
    most: tuple[int, int] = (10_000_000, 10_000_000)

    def too_large(self, rows: int, kind: str) -> str:
        """Why it is not asked of a table; empty where it is."""
        most = self.most[kind == "csv"]
        return f"not asked of more than {most:,} rows of {kind}" if rows > most else ""


ENDLESS, FEW = (10**12, 10_000_000), (10_000_000, 1_000_000)
OURS = (
    Contestant("mlci", most=ENDLESS),
    Contestant("floor: scan only", "floor.py", most=ENDLESS),
    Contestant("best design by hand", "best.py", most=ENDLESS),
    Contestant("naive SQL", "naive.py"),
)
PEERS = {
    "polars": Contestant("Polars by hand", "polars_by_hand.py", ("polars==2.1.0",)),
    "pandera": Contestant("Pandera on Polars", "pandera_polars.py", ("pandera[polars]==0.35.0", "polars==2.1.0")),
    "pointblank": Contestant(
        "Pointblank on Polars", "pointblank_polars.py", ("pointblank==1.1.1", "polars==2.1.0", "pyarrow"), FEW
    ),
    "soda": Contestant("Soda 4", "soda.py", ("soda-duckdb==4.28.0", "duckdb==2.0.0")),
    "great_expectations": Contestant(
        "Great Expectations",
        "great_expectations_duckdb.py",
        ("great-expectations==1.24.1", "duckdb-engine==0.17.0", "sqlalchemy<2.1", "duckdb<2"),
        FEW,
    ),
    "evidently": Contestant("Evidently", "evidently_pandas.py", ("evidently==0.7.23", "pandas<3", "pyarrow"), FEW),
}


def command(contestant: Contestant, table: Path, rows: int) -> list[str]:
    """What is run, in the table's folder."""
    if not contestant.script:
        return ours("data", "check")
    python = interpreter(contestant.script.removesuffix(".py"), contestant.packages)
    return [str(python), str(HERE / "contestants" / contestant.script), str(table), str(rows)]


def policy(table: Path, rows: int) -> str:
    """The suite as mlci's policy."""
    fresh, as_of, days = suite.FRESH
    lines = [
        "mlci:",
        "  engine: {threads: 2}",
        "  data:",
        "    events:",
        f"      path: {table.name}",
        f'      rows: "<= {rows}"',
        f'      fresh: {{column: {fresh}, within: {days}d, as_of: "{as_of}"}}',
        "      columns:",
    ]
    for column, share in suite.MISSING.items():
        lines.append(f"        {column}:")
        lines += [f"          {key}: {value}" for key, value in _promises(column, share).items()]
    lines += ["      rules:", f'        shipped after it was created: "{suite.RULE}"']
    return "\n".join(lines) + "\n"


def _promises(column: str, share: float) -> dict[str, str]:
    """What the policy says of one column."""
    found = {"type": suite.TYPES[column], "missing": f"{share:.0%}"}
    if column in suite.RANGES:
        found["range"] = str(list(suite.RANGES[column]))
    if column in suite.ALLOWED:
        found["allowed"] = f"[{', '.join(suite.ALLOWED[column])}]"
    if column == suite.UNIQUE:
        found["unique"] = "true"
    if column == suite.PATTERN[0]:
        found["pattern"] = f"'{suite.PATTERN[1]}'"
    if column == suite.MEAN[0]:
        found["mean"] = str(list(suite.MEAN[1:]))
    if column == suite.MEDIAN[0]:
        found["median"] = str(list(suite.MEDIAN[1:]))
    if column == suite.P95[0]:
        found["quantiles"] = f"{{0.95: {list(suite.P95[1:])}}}"
    return found
