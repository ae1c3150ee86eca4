"""Serve models: find them, ask them what they answered when they were released, listen."""

from __future__ import annotations

import difflib
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlci.edges.serve.listen import listen
from mlci.edges.serve.side import Cast, Side, must_stand_in
from mlci.errors import PolicyError, WorldError
from mlci.flows.loaded import loaded
from mlci.flows.serve_sources import lineup, names_release
from mlci.nouns.serve import Served, ServePolicy
from mlci.render.openapi import openapi, openapi_page

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from mlci.flows.serve_sources import Order
    from mlci.nouns.policy import Policy
    from mlci.nouns.serve import Lineup

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
    current, _, served, _ = loaded(wanted.current, policy)
    _private(asked, served)
    side = Side(current, served, asked, aside)
    beside: dict[str, Side | None] = {"shadow": None, "canary": None}
    for role, source in (("shadow", wanted.shadow), ("canary", wanted.canary)):
        if source is not None:
            model, _, about, _ = loaded(source, policy)
            if about.fault:
                raise WorldError(f"the {role} {about.name} {about.version} is not ready: {about.fault}")
            must_stand_in(about, served, role)
            beside[role] = Side(model, about, asked, aside)
    for each in (side, *beside.values()):
        if each is not None and not each.served.fault:
            _warm(each)
    described = openapi(served, asked, side.fields.taken)
    pages = json.dumps(described).encode(), openapi_page(served, described, side.fields.taken).encode()
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
