"""What the gate reads: the model, its predictions, the test table, and something to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.edges.revisions import Revisions
from mlci.errors import MlciError
from mlci.flows.baseline import Finder
from mlci.flows.doctor.patient import Look, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.flows.doctor.patient import Patient
    from mlci.nouns.diagnosis import Diagnosed

_PICKLES = (".pkl", ".pickle", ".joblib", ".dill")


def files(patient: Patient) -> Iterator[Diagnosed]:
    """The files that the policy names are here, or something makes them."""
    look = Look("model.files", "Model")
    if patient.policy is None or patient.policy.policy.gate is None:
        return
    gate = patient.policy.policy.gate
    made = _made(patient)
    there = True
    for key, path in (("test", gate.test), ("predictions", gate.predictions)):
        if (patient.root / path).is_file():
            continue
        there = False
        place = patient.policy.place("gate", key)
        if path in made:
            yield look.warning(f"{path} is not here yet", "`dvc pull`, or `dvc repro` makes it", place)
        else:
            yield look.failure(
                f"{path} is not here, and no stage makes it", f"name the right file in `mlci.gate.{key}`", place
            )
    if there:
        yield look.fine("the test table and the predictions are here")


def _made(patient: Patient) -> set[str]:
    stages = () if isinstance(patient.stages, MlciError) else patient.stages
    cached = () if isinstance(patient.pipeline, MlciError) else patient.pipeline.cached
    return {out for stage in stages for out in stage.outs} | set(cached)


def model(patient: Patient) -> Iterator[Diagnosed]:
    """The model is here, and can be run."""
    look = Look("model.readable", "Model")
    promised = patient.policy.policy.model if patient.policy is not None else None
    if promised is None or patient.policy is None:
        return
    place = patient.policy.place("model", "path")
    if not (patient.root / promised.path).is_file():
        if promised.path in _made(patient):
            yield look.warning(f"{promised.path} is not here yet", "`dvc pull`, or `dvc repro` makes it", place)
        else:
            yield look.warning(
                f"{promised.path} is not here, and no stage makes it: an earlier model can't be run on new test rows",
                "`mlci model export` in a stage writes it, or name the right file in `mlci.model.path`",
                place,
            )
        return
    if not promised.path.endswith(".onnx"):
        yield look.warning(
            f"{promised.path} is no ONNX model: an earlier version of it can't be run on new test rows",
            "`mlci model export` writes one that always loads",
            place,
        )
        return
    from mlci.edges.onnx.session import OnnxModel  # noqa: PLC0415 - the runtime is heavy

    try:
        OnnxModel.load(patient.root / promised.path)
    except MlciError as error:
        yield look.broken(error)
    else:
        yield look.fine(f"{promised.path} can be read and run")


def pickles(patient: Patient) -> Iterator[Diagnosed]:
    """No pickle is in Git."""
    look = Look("model.pickles", "Model")
    found = [file for file in patient.files if file.endswith(_PICKLES)]
    if found:
        yield look.warning(
            f"Git tracks {listed(found)}: a pickle runs code when it is opened, and stays in the history for ever",
            f"`git rm --cached {found[0]}`, and let DVC keep it; the model that is released is the ONNX file",
        )


def baseline(patient: Patient) -> Iterator[Diagnosed]:
    """What the candidate is compared with is at hand."""
    look = Look("model.baseline", "Model")
    policy = patient.policy.policy if patient.policy is not None else None
    if policy is None or policy.gate is None or policy.model is None or not patient.history.head:
        return
    revisions = Revisions(patient.root, patient.history)
    try:
        found = Finder(patient.history, revisions, policy.model, policy.gate).find(None)
    except MlciError:
        return  # what is wrong with the history was told there
    for one in found:
        if one.status == "first_run":
            yield look.fine(f"nothing to compare with yet: {one.reason[:1].lower()}{one.reason[1:].rstrip('.')}")
        elif one.status == "unchanged":
            yield look.fine(f"the {one.name} {one.commit[:10]} has the same model")
        else:
            paths = (policy.gate.predictions, policy.model.path)
            kept = [path for path in paths if revisions.at_hand(one.commit, path) is not None]
            if kept:
                yield look.fine(f"the {one.name} {one.commit[:10]} is at hand: {kept[-1]}")
            elif patient.has_remote:
                yield look.warning(
                    f"{listed(paths)} of the {one.name} {one.commit[:10]} must be fetched from the remote",
                    "nothing, if the remote has them: `mlci compare` fetches what it needs",
                )
            else:
                yield look.failure(
                    f"{listed(paths)} of the {one.name} {one.commit[:10]} are neither in Git nor in DVC's cache",
                    "keep the model in Git (`cache: false`), or configure a remote and `dvc push`",
                )


CHECKS = (files, model, pickles, baseline)
