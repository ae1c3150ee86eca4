"""Rows of a request as columns for the model, or every fault by field, value and expectation."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from mlci.edges.serve.http import RefusedError, read_json, shown
from mlci.edges.serve.typed import TypedRows
from mlci.nouns.serve import Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from mlci.edges.onnx.session import OnnxModel
    from mlci.edges.serve.typed import Tensor
    from mlci.nouns.signature import Input

Columns = dict[str, list[Any]]
"""Values of every input; None is a missing one."""

_ENCODE = msgspec.json.Encoder().encode
_TOLD = 10
_ONE = ([1, 1], [1])
"""Shapes of one row."""
_WHOLE = {"tensor(int32)": 2**31, "tensor(int64)": 2**63}
_KINDS: dict[str, Callable[[Any], Any]] = {"float": float, "integer": int}
_LARGEST_FLOAT = 3.4e38
"""What fits in 32 bits."""
DATATYPES = {"float": "FP64", "integer": "INT64", "string": "BYTES", "boolean": "BOOL"}
_INTEGERS = {f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}
_LIKE = {
    "float": {"FP16", "FP32", "FP64"} | _INTEGERS,
    "integer": _INTEGERS,
    "string": {"BYTES"},
    "boolean": {"BOOL"},
}


class Fields:
    """The inputs of a model, and what may stand in them.

    Args:
        model: The model.
        most_rows: Of a request.
        private: Inputs whose values no message quotes: messages end in other people's logs.
    """

    def __init__(self, model: OnnxModel, most_rows: int, private: Collection[str] = ()) -> None:
        self._inputs = model.signature.inputs
        self._names = [each.name for each in self._inputs]
        self._known = set(self._names)
        self._most = most_rows
        self._private = frozenset(private)
        self.taken = tuple(_taken(each, model.element(each.name)) for each in self._inputs)
        self._typed = TypedRows(self.taken)
        self.row_of = self._typed.one
        self._fits = {each.name: _fit(each) for each in self.taken}
        self._datatypes = {each.name: _LIKE[each.type] for each in self.taken}
        self._kinds = {each.name: _KINDS.get(each.type) for each in self.taken}
        self._expected = {each.name: each.expected for each in self.taken}

    def of_body(self, body: bytes) -> tuple[Columns, bool]:
        """Columns of a body that is one row or a list of rows, and whether it is a list.

        Raises:
            RefusedError: It is no JSON, or as for `of_rows`.
        """
        found = self._typed.read(body)
        if found is not None:
            self._count(len(found[0][self._names[0]]))
            return found
        asked = read_json(body)
        many = isinstance(asked, list)
        return self.of_rows(asked if many else [asked]), many

    def stored(self, row: msgspec.Struct) -> str:
        """A row as the log keeps it: JSON without what is private."""
        if not self._private:
            return _ENCODE(row).decode()
        values = zip(self._names, msgspec.structs.astuple(row), strict=True)
        return _ENCODE({name: value for name, value in values if name not in self._private}).decode()

    def of_rows(self, rows: Sequence[Any]) -> Columns:
        """Columns of rows with named fields.

        Raises:
            RefusedError: There are none or too many, or a field is unknown, missing or of another type: the first ten.
        """
        self._count(len(rows))
        problems: list[dict[str, Any]] = []
        columns: Columns = {name: [] for name in self._names}
        for place, row in enumerate(rows):
            if not isinstance(row, dict):
                wanted = "an object with the fields " + ", ".join(self._names[:20])
                problems.append(_problem(place, None, row, wanted, "is no object" if self._private else ""))
            else:
                self._row(place, row, columns, problems)
            if len(problems) >= _TOLD:
                break
        if problems:
            raise refused(problems[:_TOLD], many=len(rows) > 1)
        return columns

    def _row(self, place: int, row: dict[str, Any], columns: Columns, problems: list[dict[str, Any]]) -> None:
        for name, fits in self._fits.items():
            if name not in row:
                problems.append(_problem(place, name, None, self._expected[name], "is missing"))
            elif fits(row[name]):
                columns[name].append(_stored(row[name], self._kinds[name]))
            else:
                problems.append(self._wrong(place, name, row[name]))
        if len(row) > len(self._names) or not self._known.issuperset(row):
            problems += [self._unknown(place, name) for name in row if name not in self._known]

    def _wrong(self, place: int, name: str, value: object) -> dict[str, Any]:
        hidden = "is of another kind" if name in self._private else ""
        return _problem(place, name, value, self._expected[name], hidden)

    def _unknown(self, place: int, name: str) -> dict[str, Any]:
        near = difflib.get_close_matches(name, self._names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "one of " + ", ".join(self._names[:20])
        return {"row": place, "field": name[: _TOLD * 8], "expected": hint, "what": "is no field of the model"}

    def row_of_tensors(self, tensors: Sequence[Tensor]) -> msgspec.Struct | None:
        """The row that tensors are; None where they aren't plainly one row that is right."""
        named = {each.name: each for each in tensors}
        if len(tensors) != len(self._names) or self._known != named.keys():
            return None
        values = []
        for name in self._names:
            tensor = named[name]
            if tensor.datatype not in self._datatypes[name] or tensor.shape not in _ONE or len(tensor.data) != 1:
                return None
            value = tensor.data[0]
            if not self._fits[name](value):
                return None
            values.append(_stored(value, self._kinds[name]))
        return self._typed.row(*values)

    def of_tensors(self, tensors: Any) -> Columns:  # noqa: ANN401 - JSON can be anything
        """Columns of the tensors of an inference request.

        Raises:
            RefusedError: A tensor is missing, unknown, of another datatype or shape, or holds what it may not.
        """
        if not isinstance(tensors, list) or not all(isinstance(each, dict) for each in tensors):
            raise RefusedError(400, "`inputs` is expected to be a list of objects with name, shape, datatype and data")
        named: dict[str, dict[str, Any]] = {}
        for each in tensors:
            name = each.get("name")
            if not isinstance(name, str) or name in named:
                raise RefusedError(400, f"an input has no name of its own: {shown(name)}")
            if name not in self._known:
                told = self._unknown(0, name)
                raise RefusedError(400, f"input {shown(name)} is none of the model; {told['expected']}")
            named[name] = each
        missing = [name for name in self._names if name not in named]
        if missing:
            raise RefusedError(400, f"input {missing[0]!r} is missing; expected are {', '.join(self._names)}")
        columns = {each.name: self._tensor(each, named[each.name]) for each in self._inputs}
        sizes = {name: len(values) for name, values in columns.items()}
        if len(set(sizes.values())) > 1:
            raise RefusedError(400, f"the inputs differ in their rows: {shown(sizes)}")
        self._count(len(columns[self._names[0]]))
        return columns

    def _tensor(self, wanted: Input, tensor: dict[str, Any]) -> list[Any]:
        name, kind, shape = wanted.name, tensor.get("datatype"), tensor.get("shape")
        if not isinstance(kind, str) or kind not in self._datatypes[name]:
            raise RefusedError(
                400, f"input {name!r}: datatype is {shown(kind)}, and {DATATYPES[wanted.type]} is expected"
            )
        if not _is_column(shape):
            raise RefusedError(400, f"input {name!r}: shape is {shown(shape)}, and [rows] or [rows, 1] is expected")
        parameters = tensor.get("parameters", {})
        if not isinstance(parameters, dict):
            raise RefusedError(400, f"input {name!r}: parameters is {shown(parameters)}, and an object is expected")
        if "binary_data_size" in parameters:
            raise RefusedError(400, f"input {name!r}: binary data is not understood; send `data` as JSON")
        data = tensor.get("data")
        if not isinstance(data, list):
            told = "private" if name in self._private else shown(data)
            raise RefusedError(400, f"input {name!r}: data is {told}, and a list is expected")
        values = [each[0] if isinstance(each, list) and len(each) == 1 else each for each in data]
        if len(values) != shape[0]:
            raise RefusedError(400, f"input {name!r}: shape says {shape[0]} rows, and data holds {len(values)}")
        fits = self._fits[name]
        for place, value in enumerate(values):
            if not fits(value):
                raise refused([self._wrong(place, name, value)], many=len(values) > 1, status=400)
        return [_stored(value, self._kinds[name]) for value in values]

    def _count(self, rows: int) -> None:
        if not rows:
            raise RefusedError(400, "there is no row; at least one is expected")
        if rows > self._most:
            raise RefusedError(413, f"{rows:,} rows are more than the {self._most:,} that are allowed at once")


def refused(problems: list[dict[str, Any]], *, many: bool, status: int = 422) -> RefusedError:
    """One answer for all faults of a request."""
    told = "; ".join(_told(problem, many=many) for problem in problems)
    return RefusedError(status, told, {"problems": problems})


def _told(problem: dict[str, Any], *, many: bool) -> str:
    where = f"row {problem['row'] + 1}: " if many else ""
    field = f"field {problem['field']!r}" if problem["field"] is not None else "the row"
    return f"{where}{field} {problem['what']}; expected: {problem['expected']}"


def _problem(place: int, field: str | None, value: object, expected: str, what: str = "") -> dict[str, Any]:
    said = what or f"is {shown(value)}"
    problem = {"row": place, "field": field, "expected": expected, "what": said}
    return problem if what else {**problem, "value": shown(value)}


def _is_column(shape: object) -> TypeGuard[list[int]]:
    if not isinstance(shape, list) or not 1 <= len(shape) <= 2:  # noqa: PLR2004 - rows, and perhaps columns
        return False
    return type(shape[0]) is int and shape[0] >= 0 and (len(shape) == 1 or (type(shape[1]) is int and shape[1] == 1))


def _taken(wanted: Input, element: str) -> Taken:
    name, kind = wanted.name, wanted.type
    # Tensors of whole numbers and of booleans have no missing value.
    missing = wanted.nullable and element not in {*_WHOLE, "tensor(bool)"}
    if kind == "integer":
        most = _WHOLE.get(element, 2**53)
        return Taken(name=name, type=kind, missing=missing, low=-most, high=most - 1)
    if kind == "float":
        largest = _LARGEST_FLOAT if element == "tensor(float)" else sys.float_info.max
        return Taken(name=name, type=kind, missing=missing, low=-largest, high=largest)
    # An empty text is what a missing one becomes.
    return Taken(name=name, type=kind, missing=missing, empty=kind != "string" or wanted.nullable)


def _fit(taken: Taken) -> Callable[[Any], bool]:
    """Whether a value may stand in an input."""
    missing, low, high, empty = taken.missing, taken.low, taken.high, taken.empty
    if taken.type == "boolean":
        return lambda value: type(value) is bool or (missing and value is None)
    if taken.type == "string":
        return lambda value: (type(value) is str and (empty or value != "")) or (missing and value is None)
    if taken.type == "integer":
        return lambda value: (_is_whole(value) and low <= value <= high) or (missing and value is None)
    return lambda value: (type(value) in {float, int} and low <= value <= high) or (missing and value is None)


def _stored(value: Any, kind: Callable[[Any], Any] | None) -> Any:  # noqa: ANN401 - JSON can be anything
    """The same value as its input has it: 3 of an input of numbers is 3.0, and 3.0 of one of whole numbers is 3."""
    return value if kind is None or value is None else kind(value)


def _is_whole(value: object) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())
