"""Read the policy out of `params.yaml`, and name the line and the mend of everything that is wrong with it."""

from __future__ import annotations

import difflib
import types
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from mlci.edges.yaml_file import Document, parse_yaml, read_yaml
from mlci.errors import PolicyError
from mlci.nouns.metric import METRICS
from mlci.nouns.policy import Policy, PolicyFile, Slice

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

KEY = "mlci"
_LONGEST = 60
_KEYS, _LIST, _TEXT = "keys with their values are needed", "a list is needed", "a text, between quotes, is needed"
_WHOLE, _NUMBER, _YES = "a whole number is needed", "a number is needed", "true or false is needed"
_NEEDED = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type", "mapping_type"), _KEYS),
    **dict.fromkeys(("tuple_type", "list_type"), _LIST),
    "string_type": _TEXT,
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), _NUMBER),
    **dict.fromkeys(("bool_type", "bool_parsing"), _YES),
}
"""What the schema's library says in words of its own, by its names of errors."""


def load_policy(root: Path, file: str = "params.yaml") -> PolicyFile:
    """Read the key `mlci` of a YAML file.

    Raises:
        WorldError: The file cannot be read.
        PolicyError: It is no YAML, has no key `mlci`, or the policy breaks the schema; all problems at once.
    """
    return _policy(read_yaml(root / file, file), file)


def parse_policy(text: str, file: str = "params.yaml") -> PolicyFile:
    """The same from a text, such as the file of another revision."""
    return _policy(parse_yaml(text, file), file)


def _policy(document: Document, file: str) -> PolicyFile:
    if not isinstance(document.value, dict) or KEY not in document.value:
        raise PolicyError(
            f"{file} has no key `{KEY}`",
            f"add `{KEY}:` with `model`, `data` and `gate`; `mlci data infer TABLE` proposes the data part",
        )
    lines = {path[1:]: line for path, line in document.lines.items() if path[:1] == (KEY,)}
    try:
        policy = Policy.model_validate(document.value[KEY])
    except ValidationError as error:
        bare = PolicyFile(Policy(), file, lines)
        problems = [_problem(detail, bare) for detail in error.errors()]
        told = "\n  ".join(dict.fromkeys(problems))
        raise PolicyError(
            told if len(problems) == 1 else f"the policy has {len(problems)} problems:\n  {told}",
            "the whole vocabulary is in docs/reference/policy.md",
        ) from error
    return PolicyFile(policy, file, lines)


def _problem(detail: ErrorDetails, policy: PolicyFile) -> str:
    path = _written(tuple(str(part) for part in detail["loc"]), policy)
    place = policy.place(*path)
    name = ".".join((KEY, *path))
    said = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        key = str(detail["loc"][-1])
        close = difflib.get_close_matches(key, _keys(detail["loc"][:-1]), n=1, cutoff=0.5)
        hint = f"; did you mean `{close[0]}`?" if close else f"; known: {', '.join(_keys(detail['loc'][:-1]))}"
        return f"{place}: unknown key `{name}`{hint}"
    if detail["type"] == "missing":
        parent = ".".join((KEY, *path))
        return f"{place}: `{parent}` lacks the key `{detail['loc'][-1]}`"
    if detail["type"] == "literal_error":
        return f"{place}: {name}: {_choice(detail['ctx']['expected'], detail['input'])}"
    if needed := _NEEDED.get(detail["type"]):
        return f"{place}: {name}: {needed} here, not {_shown(detail['input'])}"
    return f"{place}: {name}: {said}" if path else f"{place}: {said}"


def _choice(expected: str, value: object) -> str:
    """Which words are known, from the library's own list of them: `'one', 'two' or 'three'`."""
    close = difflib.get_close_matches(str(value), expected.split("'")[1::2], n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{expected} is needed here, not {_shown(value)}{hint}"


def _shown(value: object) -> str:
    """What stands in the file, cut where it is long."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _written(loc: tuple[str, ...], policy: PolicyFile) -> tuple[str, ...]:
    """The keys of an error's location that are really in the file: the schema adds some of its own."""
    path: tuple[str, ...] = ()
    for part in loc:
        if (*path, part) in policy.lines:
            path = (*path, part)
    return path


def _keys(loc: tuple[int | str, ...]) -> list[str]:
    """Which keys the schema knows at this location."""
    kind: Any = Policy
    for part in loc:
        kind = _inner(kind, str(part))
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return []
    known = [field.alias or name for name, field in kind.model_fields.items()]
    return [*known, *METRICS] if kind is Slice else known


def _inner(kind: Any, key: str) -> Any:  # noqa: ANN401 - walks over type annotations
    """The annotation of a key inside an annotation."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(key)
        return _bare(field.annotation) if field else None
    arguments = get_args(kind)
    return _bare(arguments[1] if get_origin(kind) is dict else arguments[0]) if arguments else None


def _bare(kind: Any) -> Any:  # noqa: ANN401 - walks over type annotations
    """Without Annotated and without `| None`."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in {Union, types.UnionType}:
        return _bare(next(part for part in get_args(kind) if part is not type(None)))
    return kind
