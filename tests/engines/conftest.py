"""One Spark for all tests that need it, and one policy asked of several engines."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mariadb_server import Mariadb, is_installed
from postgres_server import Postgres, binaries

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def spark():
    """The session that `mlci.engine: spark` joins."""
    if shutil.which("java") is None and os.environ.get("CI") != "true":
        pytest.skip("Java is not installed: see .ci/system-packages")
    from mlci.edges.spark.session import spark_session  # noqa: PLC0415 - heavy
    from mlci.nouns.engine import Engine  # noqa: PLC0415

    before = os.environ.get("JAVA_TOOL_OPTIONS")
    os.environ["JAVA_TOOL_OPTIONS"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    with spark_session(Engine(name="spark", master="local[2]")) as session:
        yield session
    os.environ.pop("JAVA_TOOL_OPTIONS")
    if before is not None:
        os.environ["JAVA_TOOL_OPTIONS"] = before


@pytest.fixture
def flights(flights_once, tmp_path):
    """The reference project with half a year of real flights, split; a copy for each test, which may write into it."""
    return shutil.copytree(flights_once, tmp_path / "flights")


@pytest.fixture(scope="session")
def flights_once(tmp_path_factory):
    """What the copies are made of."""
    root = tmp_path_factory.mktemp("flights")
    for folder in ("data", "models"):
        (root / folder).mkdir()
        for script in (REPOSITORY / folder).glob("*.py"):
            shutil.copy(script, root / folder)
    shutil.copy(REPOSITORY / "params.yaml", root)
    for script in ("data/ingest.py", "data/split.py"):
        subprocess.run([sys.executable, script], cwd=root, check=True, capture_output=True)
    return root


@pytest.fixture(scope="session")
def postgres():
    """A real server, as a warehouse and as a source."""
    if binaries() is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed: .ci/system-packages installs it")
        pytest.skip("PostgreSQL is not installed: see .ci/system-packages")
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def mariadb():
    """A real server of another family, which compares texts without case."""
    if not is_installed():
        if os.environ.get("CI") == "true":
            pytest.fail("MariaDB is not installed: .ci/system-packages installs it")
        pytest.skip("MariaDB is not installed: see .ci/system-packages")
    server = Mariadb()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _collected():
    """What pyspark leaves open is closed within the test that may ignore it."""
    yield
    gc.collect()
