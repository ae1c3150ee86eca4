"""Set the challenger against the previous model on a hold-out: rows of another season, that no model trains on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.edges.dvc_pull import pull_files
from mlci.errors import WorldError
from mlci.flows.compare import findings_of, look
from mlci.flows.data_findings import REPORTS
from mlci.judge.asks import ask_changes
from mlci.nouns.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.judge.asks import Ask
    from mlci.nouns.policy import PolicyFile

_PREDICTIONS = f"{REPORTS}/holdout-predictions.parquet"


def holdout_findings(
    root: Path, policy: PolicyFile, table: str, base: str, say: Callable[[str], None]
) -> tuple[Finding, ...]:
    """What the gate's promises about changes come to on the hold-out; its floors are of the test table alone.

    Args:
        root: Folder of the project, with the challenger in it.
        policy: Its model and its gate.
        table: The hold-out, relative to the project.
        base: The commit that holds the previous model.
        say: Told what is being done.

    Raises:
        PolicyError: The hold-out lacks a column.
        WorldError: It is not there, or a model can't be run on it.
    """
    gate, model = policy.policy.gate, policy.policy.model
    assert gate is not None  # noqa: S101 - a policy that retrains has both
    assert model is not None  # noqa: S101 - as above
    place = policy.place("retrain", "holdout")
    pull_files(root, [table], say)
    if not (root / table).is_file():
        raise WorldError(f"{place}: the hold-out {table} is not there", "let the pipeline make it, or `dvc add` it")
    # Only here: the runtime takes half a second to load.
    from mlci.flows.score import score_file  # noqa: PLC0415

    score_file(policy, root / model.path, str(root / table), root / _PREDICTIONS, project=root, say=say)
    held = gate.model_copy(
        update={"test": table, "predictions": _PREDICTIONS, "beats": (), "baseline": ("merge-base",)}
    )
    asked = type(policy)(policy.policy.model_copy(update={"gate": held}), policy.file, policy.lines)
    looked = look(root, asked, base=base, say=say)
    asks: list[Ask] = []
    for comparison, sample in looked.met:
        if sample is not None:
            asks += ask_changes(sample, held, model, comparison.baseline)
    found = tuple(_named(each) for each in findings_of(looked.case, looked.alone, looked.met, asks))
    compared = sum(comparison.rows for comparison, sample in looked.met if sample is not None)
    if compared or not any(comparison.status != "first_run" for comparison, _ in looked.met):
        return found
    nothing = Finding(
        check="holdout.rows",
        title="the hold-out has rows that neither model was trained on",
        area="gate",
        outcome="not_measured",
        message=f"No row of {table} could be compared: a model was trained on each of them, or none has a label.",
        mend=f"leave the rows of {table} out of the training data",
        place=place,
    )
    return (*found, nothing)


def _named(finding: Finding) -> Finding:
    check = f"holdout.{finding.check.removeprefix('gate.')}"
    return finding.model_copy(update={"check": check, "title": f"{finding.title}, on the hold-out"})
