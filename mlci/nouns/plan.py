"""What a test set can see, and how many rows and labels each promise needs."""

from __future__ import annotations

from typing import Literal

from mlci.nouns.base import Noun
from mlci.nouns.ledger import UsedTestSet

Adaptivity = Literal["none", "full"]


class Wish(Noun):
    """What somebody asks a plan for; None takes it from the policy and its test set.

    Attributes:
        rows: Test rows, where there is no test set yet.
        differ: Share of rows on which the two models will disagree.
        drop: The loss that is allowed, as a share.
        confidence: 1 minus the chance to pass a model that is worse by the tolerance.
        steps: How often the test set will be used.
        adaptivity: Whether developers see the outcomes and act on them.
        condition: A condition in ease.ml/ci's language.
        baseline: Revision to compare with.
    """

    rows: int | None = None
    differ: float | None = None
    drop: float | None = None
    confidence: float | None = None
    steps: int | None = None
    adaptivity: Adaptivity = "none"
    condition: str | None = None
    baseline: str | None = None

    @property
    def supposes(self) -> bool:
        """Whether it describes a test set instead of asking about the one at hand."""
        return self.rows is not None or self.differ is not None or self.drop is not None


class Need(Noun):
    """One promise: what today's rows can see, and what would keep it with 80 % power if the models are equally good.

    Attributes:
        metric: The metric.
        slice: The slice; None for all rows.
        baseline: What was compared with; None for a floor or ceiling, or where nothing was.
        kind: A change, or the value against a floor or ceiling.
        limit: The promise as the policy says it.
        critical: Whether 'not enough data' blocks, so that the risk is shared among all uses.
        risk: Chance to pass a model that is worse by the tolerance, for one use.
        tolerance: The allowed loss, or the distance to the floor or ceiling, in the metric's unit.
        rows: Rows today; None where there is no test set.
        differ: Share of rows on which the models disagree, for metrics of right and wrong.
        sees: The smallest loss that is caught 8 times in 10 if this were the only check.
        sees_first: The same as the first of all checks of the run: the correction for slices asks for more.
        needed_rows: Rows in all; None where no number would do, or it is not known.
        needed_labels: Labels in all: only rows on which the models disagree need one, where it is right or wrong.
        note: Why something is not known.
    """

    metric: str
    slice: str | None = None
    baseline: str | None = None
    kind: Literal["change", "value"] = "change"
    limit: str
    critical: bool = False
    risk: float
    tolerance: float
    rows: int | None = None
    differ: float | None = None
    sees: float | None = None
    sees_first: float | None = None
    needed_rows: int | None = None
    needed_labels: int | None = None
    note: str = ""

    @property
    def more_rows(self) -> int | None:
        """Rows that are missing, at least 0."""
        return None if self.needed_rows is None or self.rows is None else max(0, self.needed_rows - self.rows)

    @property
    def more_labels(self) -> int | None:
        """Labels that the missing rows need, at least 0."""
        if not self.needed_rows or self.needed_labels is None or self.more_rows is None:
            return 0 if self.more_rows == 0 else None
        return -(-self.more_rows * self.needed_labels // self.needed_rows)


class Peer(Noun):
    """Rows by ease.ml/ci's bounds for a comparable condition.

    Attributes:
        condition: In its language.
        risk: Chance of a wrong answer over all uses together.
        rows: By Hoeffding's inequality, whatever share of the predictions changes.
        changed: The share of changed predictions that the two below assume; None where the condition is no `n - o`.
        few_changed_rows: By Bennett's inequality.
        labels_per_commit: Labels that each use then asks for.
    """

    condition: str
    risk: float
    rows: int
    changed: float | None = None
    few_changed_rows: int | None = None
    labels_per_commit: int | None = None


class Plan(Noun):
    """What a gate needs.

    Attributes:
        project: Its name; empty where there is none.
        alpha: Chance to block a model that is no worse on any check.
        beta: Chance, per check, to pass a model that is worse by the tolerance.
        steps: Planned uses of the test set.
        adaptivity: Whether developers see the outcomes and act on them.
        tests: Checks that share alpha.
        needs: One for each promise.
        peers: What ease.ml/ci would need for the promises about accuracy.
        budget: How used the test set is; None without a repository or a test set.
        notes: What a reader must know.
    """

    project: str = ""
    alpha: float
    beta: float
    steps: int
    adaptivity: Adaptivity = "none"
    tests: int = 1
    needs: tuple[Need, ...] = ()
    peers: tuple[Peer, ...] = ()
    budget: UsedTestSet | None = None
    notes: tuple[str, ...] = ()
