"""A model that is at hand, loaded, and what is known of it: by its bundle, or by its file and the policy."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from mlci.edges.onnx.examples import differing
from mlci.edges.onnx.session import OnnxModel
from mlci.errors import MlciError, WorldError
from mlci.nouns.bundle import MANIFEST, MODEL, Manifest
from mlci.nouns.serve import Served

if TYPE_CHECKING:
    from mlci.nouns.policy import Policy
    from mlci.nouns.serve import Source

_DIGEST_LETTERS = 12


class Loaded(NamedTuple):
    """A model, and what is known of it.

    Attributes:
        model: Ready to be asked.
        content: Its file.
        served: What is said of it.
        manifest: Of the bundle that it is in; None where it is in none.
    """

    model: OnnxModel
    content: bytes
    served: Served
    manifest: Manifest | None


def loaded(source: Source, policy: Policy) -> Loaded:
    """A model and what is known of it: from the bundle that it is in, else from the file and the policy.

    Raises:
        WorldError: It can't be loaded, or isn't what its bundle says.
    """
    path = Path(source.path)
    folder = path if path.is_dir() else path.parent
    file = path / MODEL if path.is_dir() else path
    try:
        content = file.read_bytes()
    except OSError as error:
        raise WorldError(f"{file}: {error.strerror}", "run `dvc pull` or `dvc repro` to get the model") from error
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise WorldError(f"{file} changed while it was read", "write it in one step: beside, and renamed")
    manifest = _manifest(folder) if file.name == MODEL and (folder / MANIFEST).is_file() else None
    model = _opened(content, file, manifest)
    if manifest is None:
        return Loaded(model, content, _alone(model, source, policy), None)
    if source.sha256 != manifest.sha256:
        raise WorldError(f"{file} is not the model that {MANIFEST} tells of", "download the bundle again: `mlci pull`")
    return Loaded(model, content, served_by(manifest, _fault(model, manifest)), manifest)


def served_by(manifest: Manifest, fault: str = "") -> Served:
    """What a bundle says of its model."""
    return Served(
        name=manifest.name,
        version=manifest.version,
        commit=manifest.commit,
        signature=manifest.signature,
        threshold=manifest.threshold,
        fault=fault,
    )


def _opened(content: bytes, file: Path, manifest: Manifest | None) -> OnnxModel:
    try:
        return OnnxModel.load(content)
    except WorldError as error:
        if manifest is None:
            raise WorldError(error.problem.replace("the model", str(file), 1), error.mend) from error
    # A model of another tool that takes one matrix doesn't name its columns; its bundle does.
    return OnnxModel.load(content, signature=manifest.signature)


def _alone(model: OnnxModel, source: Source, policy: Policy) -> Served:
    known = policy.model
    name = source.name or (known.name if known is not None else model.signature.model)
    return Served(
        name=name,
        version=source.version or source.sha256[:_DIGEST_LETTERS],
        commit=source.commit or model.provenance.commit,
        signature=model.signature,
        threshold=known.threshold if known is not None and model.signature.task == "binary" else None,
    )


def _fault(model: OnnxModel, manifest: Manifest) -> str:
    """Why the model isn't the one that was released; empty: its examples are answered as they were."""
    if model.signature != manifest.signature:
        return f"it wants other columns than {MANIFEST} says"
    try:
        wrong = differing(model, manifest.examples, manifest.threshold, manifest.tolerance)
    except MlciError as error:
        return error.problem
    return f"example {wrong[0] + 1} of {len(manifest.examples)} is answered otherwise than released" if wrong else ""


def _manifest(folder: Path) -> Manifest:
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise WorldError(
            f"{folder / MANIFEST} is none of this version of mlci", "`mlci verify` says what is wrong"
        ) from error
