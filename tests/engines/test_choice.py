"""Which engine a policy chooses, and what is said where it can't be had."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from pydantic import ValidationError

from mlci.edges.warehouse.connect import warehouse
from mlci.errors import WorldError
from mlci.flows.data_open import running
from mlci.nouns.engine import Engine
from mlci.nouns.policy import Policy


def test_a_name_alone_will_do_and_settings_are_texts():
    assert Policy.model_validate({"engine": "spark"}).engine == Engine(name="spark")
    config = {"spark.executor.cores": 4, "spark.speculation": True}
    engine = Policy.model_validate({"engine": {"name": "spark", "config": config}}).engine
    assert engine.config == {"spark.executor.cores": "4", "spark.speculation": "true"}


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("sparc", "'duckdb', 'spark' or 'warehouse'"),
        ({"master": "yarn"}, "only Spark has it"),
        ({"config": {"a": "b"}, "memory": "1GB"}, "only Spark has it"),
        ({"name": "warehouse"}, "a warehouse has one"),
        ({"url": "postgresql://h/d"}, "a warehouse has one"),
        ({"name": "warehouse", "url": "postgresql://me:secret@h/d"}, "a password does not belong into Git"),
        ({"memori": "1GB"}, "memori"),
    ],
)
def test_what_makes_no_sense_is_refused(engine, said):
    with pytest.raises(ValidationError, match=said):
        Policy.model_validate({"engine": engine})


def test_a_machine_without_java_is_told_what_to_install(monkeypatch):
    from pyspark.sql import SparkSession  # noqa: PLC0415 - slow to load

    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(WorldError, match="there is no Java") as caught, running(Engine(name="spark")):
        pass
    assert "Java 17" in caught.value.mend


@pytest.mark.skipif(find_spec("grpc") is not None, reason="what Spark Connect needs is installed")
def test_spark_connect_tells_what_it_needs():
    engine = Engine(name="spark", master="sc://127.0.0.1:1")
    with pytest.raises(WorldError, match="sc://127") as caught, running(engine):
        pass
    assert "pyspark[connect]" in caught.value.mend


@pytest.mark.slow
def test_a_warehouse_whose_words_are_not_known_is_refused_by_name(tmp_path):
    for url, said in (
        (f"sqlite://{tmp_path}/x.db", "mlci does not speak sqlite's dialect"),
        ("postgresql://me@127.0.0.1:1/d", "can't be reached"),
        ("nothing://h/d", "can't be reached"),
    ):
        with pytest.raises(WorldError, match=said), warehouse(Engine(name="warehouse", url=url)):
            pass
