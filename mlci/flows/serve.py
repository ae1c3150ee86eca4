"""Serve models: find them, ask them what they answered when they were released, listen."""

from __future__ import annotations

import difflib
import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlci.edges.onnx.examples import differing
from mlci.edges.onnx.session import OnnxModel
from mlci.edges.serve.listen import listen
from mlci.edges.serve.side import Cast, Side, must_stand_in
from mlci.errors import MlciError, PolicyError, WorldError
from mlci.flows.serve_sources import lineup, names_release
from mlci.nouns.bundle import MANIFEST, MODEL, Manifest
from mlci.nouns.serve import Served, ServePolicy
from mlci.render.openapi import openapi, openapi_page

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from mlci.flows.serve_sources import Order
    from mlci.nouns.policy import Policy
    from mlci.nouns.serve import Lineup, Source

_DIGEST_LETTERS = 12
_WARM_ROWS = (1, 32)


def serve(order: Order) -> None:
    """Serve models until the process is told to end.

    Raises:
        PolicyError: There is no model to serve, or a key is wrong.
        GateError: A release was withdrawn, or can't be trusted.
        WorldError: A model can't be loaded, the address is taken, or the log can't be opened.
    """
    asked = asked_of(order)
    found = look(order, None)
    listen(found, partial(load, order.policy(), asked), partial(look, order), asked, order.project, order.say)


def asked_of(order: Order) -> ServePolicy:
    """The policy's key with the command's changes. Raises PolicyError where one is wrong."""
    policy = order.policy().serve or ServePolicy()
    given = {key: value for key, value in order.changes.items() if value is not None}
    try:
        asked = ServePolicy.model_validate({**policy.model_dump(), **given})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        said = first["msg"].removeprefix("Value error, ")
        raise PolicyError(f"--{first['loc'][0]}: {said}", "see `mlci serve --help`") from error
    if asked.shadow or asked.canary:
        raise PolicyError("serve.shadow and serve.canary are not built yet", "leave them out")
    return asked


def look(order: Order, known: Lineup | None) -> Lineup:
    """The models that are wanted now, at hand; raises as `lineup` does.

    Releases are fetched and verified by a process of its own: what that loads would stay in the server, and take time
    from its answers.
    """
    asked = asked_of(order)
    if not names_release(order, asked):
        return lineup(order, asked, known)
    with ProcessPoolExecutor(1, get_context("spawn")) as apart:
        return apart.submit(lineup, order, asked, known).result()


def load(policy: Policy, asked: ServePolicy, wanted: Lineup, aside: Executor) -> Cast:
    """Models, ready to answer.

    Args:
        policy: Names the model where no bundle does.
        asked: Limits, and what is not stored.
        wanted: Which models.
        aside: Where many rows are answered beside the event loop.

    Raises:
        WorldError: One can't be loaded, or isn't what its bundle says.
        PolicyError: A private column is none of the model.
    """
    current, served = _loaded(wanted.current, policy)
    _private(asked, served)
    side = Side(current, served, asked, aside)
    beside: dict[str, Side | None] = {"shadow": None, "canary": None}
    for role, source in (("shadow", wanted.shadow), ("canary", wanted.canary)):
        if source is not None:
            model, about = _loaded(source, policy)
            if about.fault:
                raise WorldError(f"the {role} {about.name} {about.version} is not ready: {about.fault}")
            must_stand_in(about, served, role)
            beside[role] = Side(model, about, asked, aside)
    for each in (side, *beside.values()):
        if each is not None and not each.served.fault:
            _warm(each)
    described = openapi(served, asked, side.fields.taken)
    pages = json.dumps(described).encode(), openapi_page(served, described).encode()
    return Cast(side, beside["shadow"], beside["canary"], wanted.share, *pages)


def _warm(side: Side) -> None:
    """Ask it something, so that the first request isn't slower than others."""
    blank = {"float": 0.0, "integer": 0, "string": "", "boolean": False}
    for rows in _WARM_ROWS:
        columns = {each.name: [blank[each.type]] * rows for each in side.served.signature.inputs}
        try:
            side.batcher.answer(columns)
        except Exception:  # noqa: BLE001 - no row that anybody asked: not every model has an answer to zeros
            return


def _loaded(source: Source, policy: Policy) -> tuple[OnnxModel, Served]:
    """A model and what is known of it: from the bundle that it is in, else from the file and the policy."""
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
    loaded = _opened(content, file, manifest)
    if manifest is None:
        return loaded, _alone(loaded, source, policy)
    if source.sha256 != manifest.sha256:
        raise WorldError(f"{file} is not the model that {MANIFEST} tells of", "download the bundle again: `mlci pull`")
    return loaded, Served(
        name=manifest.name,
        version=manifest.version,
        commit=manifest.commit,
        signature=loaded.signature,
        threshold=manifest.threshold,
        fault=_fault(loaded, manifest),
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
