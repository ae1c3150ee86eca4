"""How labels become data: `params.yaml: mlci.feedback`."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator, model_validator

from mlci.nouns.base import Noun
from mlci.nouns.data_policy import Names
from mlci.nouns.retrain_policy import branch_name
from mlci.nouns.scalars import Duration

Conflicts = Literal["hand", "newest", "majority", "sources"]


class FeedbackPull(Noun):
    """The pull request that offers the labels."""

    branch: str = Field("", description="its branch, which is ours; default: `feedback/` and the model's name")
    labels: Names = Field(("mlci", "feedback"), description="labels of the pull request")
    assignees: Names = Field((), description="who is assigned to it")

    @field_validator("branch")
    @classmethod
    def _a_branch(cls, branch: str) -> str:
        return branch_name(branch)


class FeedbackPolicy(Noun):
    """Where labels are collected from, what decides where they contradict, and into which table they go."""

    log: str = Field("", description="sqlite:///FILE, postgresql://…, or files; default: that of monitoring or serving")
    table: str = Field(
        "data/feedback.parquet", description="labelled rows of production, for the pipeline to read beside its own"
    )
    conflicts: Conflicts = Field(
        "hand",
        description="who decides where sources contradict: a person, the newest, most, or the first of `sources`",
    )
    sources: Names = Field((), description="sources of labels, the most trusted first; others are trusted least")
    private: Names = Field((), description="inputs that the table must not hold, beside `mlci.serve.private`")
    store: Literal["dvc", "git"] = Field("dvc", description="what keeps the table")
    within: Duration = Field(timedelta(days=365), description="how old a prediction may be whose label is collected")
    settle: Duration = Field(timedelta(0), description="how long after its newest label a prediction is left alone")
    pull: FeedbackPull = FeedbackPull()

    @field_validator("table")
    @classmethod
    def _inside(cls, table: str) -> str:
        parts = table.split("/")
        if not table.endswith(".parquet") or table.startswith("/") or ".." in parts or "*" in table:
            raise ValueError(f"{table!r} is no Parquet file in the project")
        return table

    @model_validator(mode="after")
    def _ordered(self) -> FeedbackPolicy:
        if self.conflicts == "sources" and not self.sources:
            raise ValueError("conflicts: `sources` decides by the order of `sources`, and none is named")
        return self
