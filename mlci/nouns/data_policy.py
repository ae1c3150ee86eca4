"""What a policy promises of a table: the schema of `params.yaml: mlci.data`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from mlci.nouns.base import Level, Noun
from mlci.nouns.scalars import AtMost, Bound, Duration, Share
from mlci.nouns.shorthand import TEXT, TEXTS, Shorthand, either, one_or_many

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue

Scalar = bool | int | float | str
Type = Literal["string", "integer", "float", "number", "boolean", "timestamp", "date"]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed), WithJsonSchema({"anyOf": list(TEXTS)})]
"""One column name, or a list of them."""


class Scope(Noun):
    """Which rows a check speaks of, and how grave it is when it does not hold."""

    where: str | None = Field(None, description="SQL condition: only rows that meet it are checked")
    by: Names = Field((), description="columns: the check must hold for each of their values")
    level: Level | None = Field(None, description="block (default), warn or info")


class Limited(Shorthand, Scope):
    """A check with a limit of its own scope: `{limit: "<= 5%", where: "origin = 'JFK'", level: warn}`."""

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
        return value if isinstance(value, dict | Limited) else {"limit": value}

    @classmethod
    def _describe(cls, schema: JsonSchemaValue) -> None:
        either(schema, schema["properties"]["limit"])


class AtMostCheck(Limited):
    """A share that must stay at or under a limit: `5%`, `"<= 5%"`."""

    limit: AtMost


class BoundCheck(Limited):
    """A number that must lie in a range: `[10, 20]`, `">= 10"`."""

    limit: Bound


class RangeCheck(Limited):
    """Every value lies in a closed range: `[10, 6000]`, `["2013-01-01", "2013-12-31"]`; null leaves an end open."""

    limit: tuple[int | float | str | None, int | float | str | None]
    tolerance: Share | None = None


class AllowedCheck(Limited):
    """Every value is one of these."""

    limit: tuple[Scalar, ...] = Field(min_length=1)
    tolerance: Share | None = None


class PatternCheck(Limited):
    """Every value matches this regular expression as a whole (RE2 syntax, as DuckDB has it)."""

    limit: str
    tolerance: Share | None = None

    @field_validator("limit")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression: {error}") from error
        return value


class LengthCheck(Limited):
    """Every text has so many characters: `5`, `[2, 3]`, `"<= 10"`."""

    limit: Bound
    tolerance: Share | None = None


class Column(Scope):
    """The promises about one column; the column `"*"` stands for every column of the table."""

    type: Type | None = None
    optional: bool = Field(False, description="the column may be absent")
    missing: AtMostCheck | None = Field(None, description="share of rows that are null or NaN")
    unique: bool = False
    range: RangeCheck | None = None
    allowed: AllowedCheck | None = None
    pattern: PatternCheck | None = None
    length: LengthCheck | None = None
    tolerance: Share = Field(0.0, description="share of rows that may break range, allowed, pattern or length")
    mean: BoundCheck | None = None
    median: BoundCheck | None = None
    sum: BoundCheck | None = None
    std: BoundCheck | None = None
    quantiles: dict[float, BoundCheck] = Field({}, description="quantile (0 to 1) → bound, exact")
    share: dict[str, BoundCheck] = Field({}, description="value → bound of its share of the rows that are not null")
    new: AtMostCheck | None = Field(None, description="share of rows whose value the drift reference has not")

    @field_validator("quantiles")
    @classmethod
    def _proper(cls, value: dict[float, BoundCheck]) -> dict[float, BoundCheck]:
        for quantile in value:
            if not 0 < quantile < 1:
                raise ValueError(f"a quantile lies between 0 and 1, and {quantile} does not")
        return value

    @field_validator("share", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
        if not isinstance(value, dict):
            return value
        return {_text(key): bound for key, bound in value.items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Rule(Shorthand, Scope):
    """A condition in SQL that every row must meet."""

    shorthand: ClassVar[tuple[dict[str, Any], ...]] = TEXT

    sql: str
    tolerance: Share = 0.0
    nulls: bool = Field(True, description="whether a row holds for which the condition is null, as in SQL's own CHECK")

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
        return {"sql": value} if isinstance(value, str) else value


class Fresh(Scope):
    """The newest row is at most so old, seen from now or from `as_of` (an ISO date or time, UTC)."""

    column: str
    within: Duration
    as_of: str | None = None


class Unique(Shorthand, Scope):
    """These columns together identify a row."""

    shorthand: ClassVar[tuple[dict[str, Any], ...]] = TEXTS

    columns: Names
    tolerance: Share = 0.0

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
        return {"columns": value} if isinstance(value, list | tuple | str) else value


class Overlap(Scope):
    """No row of this table is also in another one, such as the training table; rows are told by `key`."""

    table: str = Field(alias="with", description="path of the other table")
    key: Names = Field(description="columns that tell a row")
    limit: AtMost = Bound(high=0.0, text="<= 0%")


class Conflicts(Scope):
    """Rows that agree in all features also agree in the label."""

    label: str
    features: Names = Field((), description="default: all columns but the label and the model's id")
    limit: AtMost = Bound(high=0.0, text="<= 0%")


class Drift(Scope):
    """How far the columns may have moved from a reference, judged by 95 % lower bounds of effect sizes."""

    reference: str = Field(description="a table, or statistics stored by `mlci data infer --reference`")
    ks: Share = 0.1
    psi: float = Field(0.1, ge=0)
    alpha: float = Field(0.05, gt=0, lt=1)
    columns: Names = Field((), description="default: every column that both tables have, but the model's id")


class Table(Scope):
    """The promises about one table: a Parquet, CSV or JSON lines file, or a glob of them."""

    path: str
    rows: BoundCheck | None = None
    fresh: Fresh | None = None
    columns: dict[str, Column] = {}
    unique: tuple[Unique, ...] = Field((), json_schema_extra=one_or_many)
    rules: dict[str, Rule] = {}
    overlap: Overlap | None = None
    conflicts: Conflicts | None = None
    drift: Drift | None = None

    @field_validator("unique", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:  # noqa: ANN401 - what YAML holds can be anything
        flat = isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value)
        return [value] if flat or isinstance(value, dict | str) else value
