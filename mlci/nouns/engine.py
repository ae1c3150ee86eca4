"""Which engine measures the data, and how much it may take: the schema of `params.yaml: mlci.engine`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from mlci.nouns.base import Noun
from mlci.nouns.scalars import Size
from mlci.nouns.shorthand import TEXT, Shorthand
from mlci.nouns.warehouse_url import secret_in

EngineName = Literal["duckdb", "spark", "warehouse"]


class Engine(Shorthand, Noun):
    """What measures the data, and how much of the machine it may take: `spark`, `{memory: 2GB, threads: 4}`."""

    shorthand: ClassVar[tuple[dict[str, Any], ...]] = TEXT

    name: EngineName = Field("duckdb", description="what the tables of `mlci.data` are measured with")
    memory: Size = Field(400_000_000, description="limit; what does not fit is spilled to disk")
    threads: int | None = Field(None, ge=1, description="default: every core")
    master: str | None = Field(
        None,
        description="of Spark: `local[4]`, `yarn`, `spark://host:7077`, `k8s://…` or `sc://host` (Spark Connect);"
        " default: the session that runs already, else this machine",
    )
    url: str | None = Field(
        None,
        description="of a warehouse: `postgresql://user@host/database`, `mysql://…`, `duckdb://…`",
    )
    config: dict[str, str] = Field({}, description="of Spark: its own settings, such as `spark.executor.memory: 8g`")

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and isinstance(value.get("config"), dict):
            return {**value, "config": {key: _setting(each) for key, each in value["config"].items()}}
        return value

    @model_validator(mode="after")
    def _of_the_warehouse(self) -> Engine:
        if (self.name == "warehouse") != (self.url is not None):
            raise ValueError("url: a warehouse has one, and nothing else has: `{name: warehouse, url: postgresql://…}`")
        if self.url is not None and (secret := secret_in(self.url)) is not None:
            raise ValueError(
                f"url: {secret} does not belong into Git; give it by MLCI_WAREHOUSE_PASSWORD or the driver"
            )
        return self

    @model_validator(mode="after")
    def _of_spark(self) -> Engine:
        if self.name != "spark":
            for word in ("master", "config"):
                if word in self.model_fields_set:
                    raise ValueError(f"{word}: only Spark has it; add `name: spark`, or leave it out")
        return self


def _setting(value: object) -> object:
    """Spark's settings are texts, whatever YAML takes them for."""
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value
