"""What a check found: the nouns between judging and reporting."""

from __future__ import annotations

import hashlib
import json
import operator
from typing import Literal

from pydantic import Field

from mlci.nouns.base import Level, Noun, Place
from mlci.nouns.budgets import BudgetName

Outcome = Literal["pass", "fail", "inconclusive", "too_small", "not_comparable", "not_measured"]
Area = Literal["data", "gate", "pipeline"]


class Rows(Noun):
    """Rows that broke a check, as text; every cell may be hostile.

    Attributes:
        columns: Names of the columns shown.
        rows: At most ten rows, each as long as `columns`; a missing value is None.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...] = ()


class DataEvidence(Noun):
    """The measurement behind a finding on a table.

    Attributes:
        table: Name of the table in the policy.
        column: The column, or None for a check of the whole table.
        slice: The part of the rows that was checked, such as `origin = JFK`; None for all rows.
        rows: Rows that were checked.
        count: Rows that broke the check, where it is one of rows.
        share: `count / rows`, or the share measured.
        measured: The number measured, where the check bounds a number.
        low: Lower confidence bound of `measured`, where it is an estimate.
        high: Upper confidence bound of `measured`, where it is an estimate.
        limit: The limit as the policy says it.
        examples: Some of the rows that broke the check.
    """

    table: str
    column: str | None = None
    slice: str | None = None
    rows: int | None = None
    count: int | None = None
    share: float | None = None
    measured: float | str | None = None
    low: float | None = None
    high: float | None = None
    limit: str = ""
    examples: Rows | None = None


class GateEvidence(Noun):
    """The measurement behind a finding on a model.

    Attributes:
        metric: The metric's name.
        good: Which way is good, where the metric is one of the project's own.
        slice: Name of the slice, or None for all rows.
        baseline: What the candidate was compared with (`merge-base`, `release`, …; kind `beats`: the simple model);
            None for a floor or ceiling.
        kind: Whether the finding is about a change, about the absolute value, or about being better than a simple
            model.
        rows: Test rows that both models scored.
        positives: Rows with the positive label, where the task is binary.
        old: The baseline's value of the metric.
        new: The candidate's value of the metric.
        low: Lower end of the two-sided interval of the change (kind `change`) or of the value (kind `value`).
        high: Upper end of it.
        worst: How large a loss in the bad direction cannot be ruled out, at least 0 (kind `change`).
        gained: Rows that only the candidate has right, for metrics of right and wrong.
        lost: Rows that only the baseline has right.
        p_value: One-sided p-value of 'the candidate is no worse' (kind `beats`: 'is better by the
            tolerance'; 1 where it is above alpha).
        p_adjusted: The same after correcting for all checks of the run.
        tests: Number of checks that it was corrected for.
        tolerance: The allowed loss in the metric's unit (kind `change`), or the advantage that matters (kind `beats`).
        bound: The floor or ceiling, in the metric's unit (kind `value`).
        limit: The limit as the policy says it, such as `drop <= 0.01` or `floor 0.85`.
        more_rows: Further rows that would settle an inconclusive check 4 times in 5 if the models are equally good.
        more_labels: How many of those rows need a label.
        detectable: The smallest loss that this check sees 8 times in 10.
        method: The statistical test, in the field's words.
    """

    metric: str
    good: Literal["up", "down"] | None = None
    slice: str | None = None
    baseline: str | None = None
    kind: Literal["change", "value", "beats"]
    rows: int
    positives: int | None = None
    old: float | None = None
    new: float | None = None
    low: float | None = None
    high: float | None = None
    worst: float | None = None
    gained: int | None = None
    lost: int | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    tests: int | None = None
    tolerance: float | None = None
    bound: float | None = None
    limit: str = ""
    more_rows: int | None = None
    more_labels: int | None = None
    detectable: float | None = None
    method: str = ""


class BudgetEvidence(Noun):
    """The measurement behind a finding on what running the model takes: seconds, requests per second, bytes or money.

    Attributes:
        budget: Which.
        kind: Whether the finding is about the previous model's value (`change`) or about the candidate's (`limit`).
        old: The previous model's value: the median over the sessions.
        new: The candidate's (kind `limit`: the centre of its interval).
        ratio: New over old, session by session (kind `change`).
        low: Lower end of the interval of the ratio (kind `change`) or of the value.
        high: Upper end of it.
        bound: The ratio or value that the budget allows.
        limit: The same as the policy says it, such as `rise <= 20%` or `5ms`.
        sessions: How often both were measured, in processes of their own; None where nothing had to be timed.
        share: Share of a core that a process got that wanted all of it.
        machine: Where it was measured.
    """

    budget: BudgetName
    kind: Literal["change", "limit"]
    old: float | None = None
    new: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    bound: float
    limit: str
    sessions: int | None = None
    share: float | None = None
    machine: str = ""


class Finding(Noun):
    """What one check found.

    Attributes:
        check: Its id, made of the policy's keys: `data.flights.distance.range`, `gate.accuracy`.
        title: The check in a few words: `distance lies in [10, 6000]`.
        area: Data, gate, or the pipeline that made them.
        level: How grave it is when it does not hold.
        critical: Whether 'not enough data' blocks too.
        outcome: What came out.
        message: One or two sentences with the numbers, for a reader who is no statistician.
        mend: What to do about it; empty where it holds.
        place: Where the policy asks for it.
        waived: Who excuses the failure, until when and why; empty where nobody does.
        output: The last lines that a failed stage wrote; they may be hostile.
    """

    check: str
    title: str
    area: Area
    level: Level = "block"
    critical: bool = False
    outcome: Outcome
    message: str
    mend: str = ""
    place: Place | None = None
    waived: str = ""
    output: tuple[str, ...] = ()
    data: DataEvidence | None = None
    gate: GateEvidence | None = None
    # Left out where there is none, so that the reports of stages, which are in Git, keep their bytes.
    budget: BudgetEvidence | None = Field(None, exclude_if=operator.not_)

    @property
    def blocks(self) -> bool:
        """Whether this finding alone keeps a pull request from being merged."""
        if self.level != "block" or self.waived:
            return False
        return self.outcome in {"fail", "not_measured"} or (self.critical and self.outcome != "pass")

    @property
    def warns(self) -> bool:
        """Whether a reader should look at it although it does not block."""
        return not self.blocks and self.level != "info" and self.outcome in {"fail", "not_measured", "inconclusive"}


Status = Literal["compared", "first_run", "unchanged", "not_comparable"]


class Comparison(Noun):
    """How the candidate was set against one baseline.

    Attributes:
        baseline: `merge-base`, `previous`, `release` or the revision that was asked for.
        status: Whether there was anything to compare.
        reason: Why not, or what the reader must know (rows left out, old model scored again).
        commit: The baseline's commit, in full; empty where there is none.
        model: Digest of the baseline's model or predictions.
        rows: Test rows compared.
        leaked: Test rows left out because a model was trained on them.
        rescored: Whether the baseline's model was run again on today's test rows.
        flips: Rows that changed between right and wrong, by slice.
    """

    baseline: str
    status: Status
    reason: str = ""
    commit: str = ""
    model: str = ""
    rows: int = 0
    leaked: int = 0
    rescored: bool = False
    flips: tuple[Flips, ...] = ()


class Flips(Noun):
    """Rows of a slice that only one of the two models has right."""

    slice: str | None = None
    rows: int
    gained: int
    lost: int
    examples: Rows | None = Field(None, description="rows that the old model had right and the new one breaks")


class Digests(Noun):
    """What a verdict speaks of, so that nobody can pass it off for something else: SHA-256, in hex."""

    policy: str = ""
    model: str = ""
    predictions: str = ""
    data: dict[str, str] = Field({}, description="path of a table → its content")
    checks: dict[str, str] = Field({}, description="name of a table in the policy → what the policy promised of it")
    versions: dict[str, str] = Field(
        {}, description="path → how the repository names its content: `git:…` (a blob) or `md5:…` (DVC)"
    )

    # Left out where empty, so that the reports of stages, which are in Git, keep their bytes.
    test: str = Field("", exclude_if=operator.not_, description="the test table; empty where no gate was judged")
    gate: str = Field("", exclude_if=operator.not_, description="the gate as it was understood, without the rest")

    @property
    def subject(self) -> str:
        """SHA-256 of what a release needs a verdict on: the versions that a commit names, and the policy."""
        told = json.dumps({"policy": self.policy, "versions": self.versions}, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


class Verdict(Noun):
    """The outcome of a run and everything that led to it.

    Attributes:
        schema_version: Of this noun; a reader refuses one that it does not know.
        project: Name of the model, or of the folder.
        outcome: `fail` blocks the merge; `inconclusive` is neutral.
        headline: The verdict and the number that decided it, in one line.
        findings: Everything that was asked, in the policy's order.
        comparisons: One for each baseline.
        tool: Name and version of the tool that judged.
        commit: Commit whose files were judged, or empty outside of Git.
        dirty: Whether tracked files differed from that commit.
        digests: What was judged.
        alpha: Chance to block a model that is no worse on any check: of a pull request where `look` is known, else of
            a run.
        look: Which look of its pull request this is: it spends alpha / 2^look; null where that is not known.
        beta: Chance, per check, to pass a model that is worse by the tolerance.
        footer: What the verdict promises, and how used the test set is, in words.
    """

    schema_version: Literal[1] = 1
    project: str
    outcome: Literal["pass", "inconclusive", "fail"]
    headline: str
    findings: tuple[Finding, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    tool: str
    commit: str = ""
    dirty: bool = False
    digests: Digests = Digests()
    alpha: float | None = None
    look: int | None = None
    beta: float | None = None
    footer: str = ""

    @property
    def blocked(self) -> bool:
        """Whether the merge is refused."""
        return self.outcome == "fail"

    def without_rows(self) -> Verdict:
        """The same without rows of anybody's data, to be kept where many can read it."""
        findings = tuple(
            one.model_copy(update={"data": one.data.model_copy(update={"examples": None})}) if one.data else one
            for one in self.findings
        )
        comparisons = tuple(
            one.model_copy(update={"flips": tuple(flip.model_copy(update={"examples": None}) for flip in one.flips)})
            for one in self.comparisons
        )
        return self.model_copy(update={"findings": findings, "comparisons": comparisons})


Comparison.model_rebuild()
