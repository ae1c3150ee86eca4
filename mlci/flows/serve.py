"""Serve a model: read it, ask it what it answered when it was released, listen."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlci.edges.files import digest
from mlci.edges.onnx.examples import differing
from mlci.edges.onnx.session import OnnxModel
from mlci.edges.policy_file import load_policy
from mlci.edges.serve.server import listen
from mlci.errors import MlciError, PolicyError, WorldError
from mlci.nouns.bundle import MANIFEST, MODEL, Manifest
from mlci.nouns.policy import Policy
from mlci.nouns.serve import Served, ServePolicy
from mlci.render.openapi import openapi, openapi_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_DIGEST_LETTERS = 12


def serve(
    project: Path, file: str, model: Path | None, changes: Mapping[str, object], *, say: Callable[[str], None]
) -> None:
    """Serve a model until the process is told to end.

    Args:
        project: Folder that the policy's paths begin at.
        file: Of the policy; one that isn't there is needed only to find the model.
        model: The ONNX file or the bundle's folder; default: what the policy names.
        changes: Keys of `mlci.serve` that the command gave instead of the policy.
        say: Told what is being done.

    Raises:
        PolicyError: There is no model to serve, or a key is wrong.
        WorldError: The model can't be loaded, the address is taken, or the log can't be opened.
    """
    here = model is None or (project / file).is_file()
    policy = load_policy(project, file).policy if here else Policy()
    asked = _asked(policy.serve or ServePolicy(), changes)
    if model is None and policy.model is None:
        raise PolicyError("no model is named", "name an ONNX file or a bundle's folder, or write `mlci.model`")
    path = model or project / (policy.model.path if policy.model is not None else "")
    loaded, served = load(path, policy)
    _private(asked, served)
    log = None if asked.log_file is None else project / asked.log_file
    described = openapi(served, asked)
    pages = (json.dumps(described).encode(), openapi_page(served, described).encode())
    listen(loaded, served, asked, log, pages, say)


def load(path: Path, policy: Policy) -> tuple[OnnxModel, Served]:
    """A model and what is known of it: from the bundle that it is in, else from the file and the policy.

    Raises:
        WorldError: It can't be loaded, or the bundle holds another model than it says.
    """
    folder = path if path.is_dir() else path.parent
    file = path / MODEL if path.is_dir() else path
    manifest = _manifest(folder) if file.name == MODEL and (folder / MANIFEST).is_file() else None
    loaded = OnnxModel.load(file)
    sha256 = digest(file)
    if manifest is None:
        known = policy.model
        threshold = known.threshold if known is not None and loaded.signature.task == "binary" else None
        name = known.name if known is not None else loaded.signature.model
        return loaded, Served(
            name=name,
            version=sha256[:_DIGEST_LETTERS],
            commit=loaded.provenance.commit,
            signature=loaded.signature,
            threshold=threshold,
        )
    if sha256 != manifest.sha256:
        raise WorldError(f"{file} is not the model that {MANIFEST} tells of", "download the bundle again: `mlci pull`")
    return loaded, Served(
        name=manifest.name,
        version=manifest.version,
        commit=manifest.commit,
        signature=loaded.signature,
        threshold=manifest.threshold,
        fault=_fault(loaded, manifest),
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


def _asked(policy: ServePolicy, changes: Mapping[str, object]) -> ServePolicy:
    given = {key: value for key, value in changes.items() if value is not None}
    try:
        return ServePolicy.model_validate({**policy.model_dump(), **given})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        said = first["msg"].removeprefix("Value error, ")
        raise PolicyError(f"--{first['loc'][0]}: {said}", "see `mlci serve --help`") from error


def _private(policy: ServePolicy, served: Served) -> None:
    names = [each.name for each in served.signature.inputs]
    for name in policy.private:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            # A column that is misspelt would be stored.
            raise PolicyError(
                f"serve.private: {name!r} is no input of the model",
                f"did you mean {near[0]!r}?" if near else "see its inputs",
            )
