"""The models of a trial, found by the versions that the log names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mlci.edges.log.trial import stored_inputs
from mlci.edges.onnx.score import decide
from mlci.edges.onnx.session import OnnxModel
from mlci.errors import MlciError, WorldError
from mlci.flows.loaded import loaded
from mlci.flows.serve_sources import Order, source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.edges.log.trial import Who
    from mlci.flows.loaded import Loaded
    from mlci.flows.market import Market
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.serve import ServePolicy
    from mlci.nouns.signature import Signature


class Models:
    """Finds and asks them.

    Args:
        root: Folder of the project.
        policy: Its policy, which names a model.
        serve: What is served by it.
        market: Where releases are, and whom to believe.
        say: Told what is being done.
    """

    def __init__(
        self, root: Path, policy: PolicyFile, serve: ServePolicy, market: Market, say: Callable[[str], None]
    ) -> None:
        assert policy.policy.model is not None  # noqa: S101 - asked before
        self._policy = policy.policy
        self._path = root / policy.policy.model.path
        self._serve = serve
        self._order = Order(root, policy.file, "", {}, market, say)

    def signature(self) -> Signature:
        """Types of inputs, scores and labels. Raises WorldError where the policy's model is not at hand."""
        return OnnxModel.load(self._path).signature

    def again(self, who: Who, rows: pa.Table) -> pa.Table:
        """What a model says of rows that the other one answered.

        Raises:
            WorldError: It is not at hand, or not every input was stored.
        """
        inputs = stored_inputs(rows, self._serve.private)
        self._order.say(f"asking {who.model} {who.version} about {rows.num_rows:,} rows that the other one answered")
        model, _, served, _ = self._found(who)
        scores = model.score(inputs)
        decision = decide(scores, served.signature, served.threshold)
        columns = {"prediction": pa.array(np.asarray(decision).tolist(), rows.schema.field("prediction").type)}
        names = served.signature.score_columns
        return pa.table(columns | {name: pa.array(scores.score[:, at]) for at, name in enumerate(names)})

    def _found(self, who: Who) -> Loaded:
        beside = [self._serve.shadow, self._serve.canary.model if self._serve.canary is not None else None]
        project = self._order.project
        for text in (str(self._path), *(str(project / one) for one in beside if one is not None)):
            try:
                found = loaded(source(self._order, text), self._policy)
            except MlciError:
                # Not this one; a release may be named that is no file.
                continue
            if found.served.version == who.version:
                return found
        try:
            return loaded(source(self._order, f"{who.model}@{who.version}"), self._policy)
        except MlciError as error:
            raise WorldError(
                f"{who.model} {who.version}, which answered the other rows, is not at hand: {error.problem}",
                "keep it where the policy names it, or release it; a shadow needs no model to be asked again",
            ) from error
