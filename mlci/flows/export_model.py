"""Export the trained model for the pipeline: who it is, what it came from, and which rows it was trained on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlci.edges.dvc_lock import recorded_md5
from mlci.edges.files import digest
from mlci.edges.onnx.rows import Rows
from mlci.edges.row_digests import write_row_digests
from mlci.edges.yaml_file import read_yaml
from mlci.errors import GateError, PolicyError
from mlci.flows.export import export_model
from mlci.nouns.signature import Provenance, canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.nouns.parity import Export
    from mlci.nouns.policy import Model, PolicyFile

_BATCH = 1 << 17
_OURS = "mlci"


def export(
    root: Path,
    policy: PolicyFile,
    estimator: Path,
    data: Path,
    out: Path,
    *,
    commit: str = "",
    trust: bool = False,
    say: Callable[[str], None],
) -> list[str]:
    """Convert the estimator, prove that it answers the same, and write it with the digests of its training rows.

    Args:
        root: Folder of the project; `dvc.lock` there vouches for the estimator's file.
        policy: Names model, label and id.
        estimator: Pickle or joblib file that the training wrote.
        data: The training table.
        out: ONNX file to write; the digests go to `mlci.gate.trained_on`, or beside it without a gate.
        commit: To name inside the model.
        trust: Open the estimator's file whoever wrote it.
        say: Told what is being done.

    Returns:
        What to tell the user, a line each.

    Raises:
        GateError: The exported model does not answer as the estimator does; nothing is written.
        PolicyError: The policy names no model.
        WorldError: A file cannot be read or written, or the estimator cannot be converted.
    """
    model = policy.policy.model
    if model is None:
        raise PolicyError(f"{policy.file}: exporting needs `mlci.model`", "add `model: {name, label, id}`")
    say(f"exporting {estimator} and proving parity on {data}")
    done = export_model(
        estimator,
        data,
        out,
        name=model.name,
        task=model.task,
        md5=recorded_md5(root, estimator),
        trusted=trust,
        not_inputs=(model.id, model.label),
        positive=model.positive,
        threshold=model.threshold if model.task == "binary" else None,
        provenance=_provenance(root, policy, data, commit),
    )
    if not done.held:
        raise _broken(done, estimator)
    gate = policy.policy.gate
    manifest = root / gate.trained_on if gate is not None else out.with_name("trained_on.parquet")
    count = _write_manifest(data, model, manifest)
    proof = f"scores within {done.max_difference:.1g} of the estimator's on {len(done.parities)} groups of rows"
    return [
        f"wrote {out}: {done.size / 1e3:,.0f} kB by {done.converter}, {proof}, no decision flips",
        f"wrote {manifest}: digests of {count:,} training rows",
        *(f"`{name}` takes no missing value: the training never saw one" for name in done.refuses_missing),
    ]


def _provenance(root: Path, policy: PolicyFile, data: Path, commit: str) -> Provenance:
    parameters = read_yaml(root / policy.file, policy.file).value
    own = {key: value for key, value in parameters.items() if key != _OURS}
    # As text where it is no JSON, such as an infinity.
    params = canonical_json(json.loads(json.dumps(own, default=str)))
    return Provenance(data_digest=f"sha256:{digest(data)}", commit=commit, params=params)


def _write_manifest(data: Path, model: Model, out: Path) -> int:
    rows = Rows(data)
    if model.id not in rows.columns:
        return write_row_digests((), out)
    ids = (value for batch in rows.batches([model.id], _BATCH) for value in batch.column(model.id).to_pylist())
    return write_row_digests(ids, out)


def _broken(done: Export, estimator: Path) -> GateError:
    told = "; ".join(str(parity) for parity in done.broken[:5])
    more = f"; and {len(done.broken) - 5} more" if len(done.broken) > 5 else ""  # noqa: PLR2004 - enough to see
    return GateError(
        f"the exported model does not answer as {estimator} does: {told}{more}",
        "nothing was written; encode these columns before the model (docs/how-to/export.md), or write the predictions "
        "table yourself: any framework can",
    )
