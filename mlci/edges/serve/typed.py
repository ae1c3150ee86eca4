"""Bodies whose rows are right are read in one pass: parsed, checked and split into fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlci.nouns.serve import Taken


class Tensor(msgspec.Struct, forbid_unknown_fields=True):
    """One input of an inference request, as most clients write it."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class Inference(msgspec.Struct, forbid_unknown_fields=True):
    """An inference request that asks for nothing of its own."""

    inputs: list[Tensor]
    id: str = ""


_READ_INFERENCE = msgspec.json.Decoder(Inference).decode


def inference(body: bytes) -> Inference | None:
    """A request as most clients write it; None where it has more, or isn't plainly right."""
    try:
        return _READ_INFERENCE(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


class TypedRows:
    """Reads what is right, and leaves to others to say what is wrong with the rest.

    Args:
        taken: What may stand in every input.
    """

    def __init__(self, taken: Sequence[Taken]) -> None:
        fields = [(f"f{place}", _type(each), msgspec.field(name=each.name)) for place, each in enumerate(taken)]
        row: Any = msgspec.defstruct("Row", fields, forbid_unknown_fields=True, gc=False)
        self.row: Callable[..., msgspec.Struct] = row
        self._read = msgspec.json.Decoder(row | list[row]).decode
        self._read_one: Callable[[bytes], msgspec.Struct] = msgspec.json.Decoder(row).decode
        self._names = [each.name for each in taken]

    def read(self, body: bytes) -> tuple[dict[str, list[Any]], bool] | None:
        """The columns of a body, and whether it was a list; None where a row isn't plainly right, or there is none."""
        try:
            rows = self._read(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        values = msgspec.structs.astuple
        if not isinstance(rows, list):
            return dict(zip(self._names, ([value] for value in values(rows)), strict=True)), False
        if not rows:
            return None
        return dict(zip(self._names, map(list, zip(*map(values, rows), strict=True)), strict=True)), True

    def one(self, body: bytes) -> msgspec.Struct | None:
        """The row of a body that is nothing else; None where it isn't plainly right."""
        try:
            return self._read_one(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None


def _type(taken: Taken) -> Any:  # noqa: ANN401 - types are values here
    kinds: dict[str, Any] = {
        "boolean": bool,
        "string": str if taken.empty else Annotated[str, msgspec.Meta(min_length=1)],
        "integer": Annotated[int, msgspec.Meta(ge=taken.low, le=taken.high)],
        "float": Annotated[float, msgspec.Meta(ge=taken.low, le=taken.high)],
    }
    kind = kinds[taken.type]
    return kind | None if taken.missing else kind
