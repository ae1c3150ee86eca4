"""Start Spark, or join the session that runs already."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from mlci.nouns.engine import Engine

SETTINGS = {
    # One meaning of a moment and of an overflow, whichever machine computes them.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.legacy.parquet.nanosAsLong": "false",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # A column of many partitions would else be counted in 200 tasks of a few rows each.
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.debug.maxToStringFields": "10",
    # Tables that are laid out by their ids are joined by id and number as they lie.
    "spark.sql.requireAllClusterKeysForCoPartition": "false",
}
"""What measuring needs; set in a session of our own, so that nobody else's is changed."""
_LEAST_HEAP = 1_000_000_000
"""Spark refuses to start with less than 450 MB, and hardly does anything with less than this."""
_CONNECT = "sc://"


@contextmanager
def spark_session(engine: Engine) -> Iterator[SparkSession]:
    """A session with settings of its own: on the running Spark, or on one that is started and stopped here.

    Raises:
        WorldError: pyspark or Java is not installed, or Spark can't be reached.
    """
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - heavy, and not everybody has it
    except ImportError as error:
        raise WorldError(
            "the policy measures with Spark (`mlci.engine.name: spark`), and pyspark is not installed",
            "Install it with `pip install 'mlci[spark]'`, or leave `mlci.engine.name` out to measure with DuckDB.",
        ) from error
    running = None if _is_connect(engine) else SparkSession.getActiveSession()
    root = running or _started(engine, SparkSession.builder)
    session = root if _is_connect(engine) else root.newSession()
    try:
        for name, value in SETTINGS.items():
            session.conf.set(name, value)
        yield session
    finally:
        if running is None:
            with suppress(Exception):  # Java may be gone already
                root.stop()


def _is_connect(engine: Engine) -> bool:
    return (engine.master or "").startswith(_CONNECT)


def _started(engine: Engine, builder: Any) -> SparkSession:  # noqa: ANN401 - its type is private
    from pyspark.errors import PySparkException  # noqa: PLC0415 - heavy

    master = engine.master or f"local[{engine.threads or '*'}]"
    try:
        if _is_connect(engine):
            return builder.remote(master).getOrCreate()  # type: ignore[no-any-return]
        _needs_java()
        builder = builder.appName("mlci").master(master)
        for name, value in {**_here(engine, master), **engine.config}.items():
            builder = builder.config(name, value)
        with _this_python(here=master.startswith("local")):
            return builder.getOrCreate()  # type: ignore[no-any-return]
    except (PySparkException, RuntimeError, OSError, ImportError) as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        mend = "Check `mlci.engine.master` and `mlci.engine.config`, that the cluster is reached, and `java -version`."
        if isinstance(error, ImportError):
            mend = "Install what Spark Connect needs: `pip install 'mlci[spark]' 'pyspark[connect]'`."
        raise WorldError(f"Spark can't be started on {master}: {said[0]}", mend) from error


@contextmanager
def _this_python(*, here: bool) -> Iterator[None]:
    """Let Spark's workers on this machine run in the environment that has what they need."""
    word = "PYSPARK_PYTHON"
    if not here or word in os.environ:
        yield
        return
    os.environ[word] = sys.executable
    try:
        yield
    finally:
        del os.environ[word]


def _here(engine: Engine, master: str) -> dict[str, str]:
    """How much of this machine Spark may take."""
    quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    if not master.startswith("local"):
        return quiet
    heap = max(engine.memory, _LEAST_HEAP) // 1_000_000
    loopback = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return {**quiet, **loopback, "spark.driver.memory": f"{heap}m", "spark.sql.shuffle.partitions": "8"}


def _needs_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") is None and not (home and os.access(f"{home}/bin/java", os.X_OK)):
        raise WorldError(
            "the policy measures with Spark (`mlci.engine.name: spark`), and there is no Java",
            "Install Java 17 or newer (Debian: `apt-get install openjdk-17-jre-headless`), or set JAVA_HOME.",
        )
