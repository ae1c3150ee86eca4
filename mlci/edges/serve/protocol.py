"""The Open Inference Protocol, version 2, over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlci.edges.serve.fields import DATATYPES
from mlci.edges.serve.http import RefusedError, shown

if TYPE_CHECKING:
    from mlci.edges.serve.fields import Columns
    from mlci.edges.serve.service import Predicted
    from mlci.edges.serve.side import Side
    from mlci.nouns.serve import Served

_KEYS = {"id", "parameters", "inputs", "outputs"}


def metadata(served: Served, versions: list[str]) -> dict[str, Any]:
    """What the model wants and gives; beside which other versions it is served."""
    return {
        "name": served.name,
        "versions": versions,
        "platform": "onnx_onnxv1",
        "inputs": [
            {"name": each.name, "datatype": DATATYPES[each.type], "shape": [-1, 1]} for each in served.signature.inputs
        ],
        "outputs": [{"name": name, "datatype": kind, "shape": [-1, 1]} for name, kind in _outputs(served).items()],
        "parameters": {"commit": served.commit},
    }


def _outputs(served: Served) -> dict[str, str]:
    kinds: dict[type, str] = {bool: "BOOL", int: "INT64"}
    first = served.signature.classes[0] if served.signature.classes else None
    prediction = "FP64" if first is None else kinds.get(type(first), "BYTES")
    return {"prediction": prediction, **dict.fromkeys(served.signature.score_columns, "FP64"), "prediction_id": "BYTES"}


def columns_of(side: Side, asked: object) -> tuple[Columns, list[str]]:
    """The columns of an inference request, and the names of the outputs that it wants.

    Raises:
        RefusedError: It is not as the protocol says.
    """
    if not isinstance(asked, dict):
        raise RefusedError(400, f"an inference request is expected to be an object, not {shown(asked)}")
    strange = sorted(asked.keys() - _KEYS)
    if strange:
        raise RefusedError(400, f"an inference request has no key {shown(strange[0])}; expected: inputs, outputs, id")
    if not isinstance(asked.get("id", ""), str):
        raise RefusedError(400, f"`id` is {shown(asked['id'])}, and a text is expected")
    if not isinstance(asked.get("parameters", {}), dict):
        raise RefusedError(400, f"`parameters` is {shown(asked['parameters'])}, and an object is expected")
    return side.fields.of_tensors(asked.get("inputs")), _wanted(side.served, asked.get("outputs"))


def _wanted(served: Served, outputs: object) -> list[str]:
    known = list(_outputs(served))
    if outputs is None or outputs == []:
        return known
    if not isinstance(outputs, list) or not all(isinstance(each, dict) for each in outputs):
        raise RefusedError(400, "`outputs` is expected to be a list of objects with name")
    names = [each.get("name") for each in outputs]
    for name in names:
        if name not in known:
            raise RefusedError(400, f"output {shown(name)} is none of the model; expected: {', '.join(known)}")
    return [name for name in known if name in names]


def short(predicted: Predicted, request: str) -> dict[str, Any]:
    """The answer to a request that asks for no outputs by name."""
    return answer(predicted, list(_outputs(predicted.side.served)), request)


def answer(predicted: Predicted, wanted: list[str], request: str | None) -> dict[str, Any]:
    """The answer to an inference request."""
    side, rows = predicted.side, len(predicted.ids)
    data: dict[str, list[Any]] = {"prediction": predicted.predictions, "prediction_id": predicted.ids}
    for place, name in enumerate(side.score_columns):
        data[name] = [each[place] for each in predicted.scores]
    kinds = _outputs(side.served)
    parameters: dict[str, Any] = {"commit": side.served.commit, "prediction_id": predicted.ids[0]}
    return {
        "model_name": side.served.name,
        "model_version": side.served.version,
        "id": request or predicted.ids[0],
        "parameters": parameters if predicted.logged else {**parameters, "logged": False},
        "outputs": [{"name": name, "datatype": kinds[name], "shape": [rows, 1], "data": data[name]} for name in wanted],
    }
