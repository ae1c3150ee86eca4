"""YAML as people mean it: YAML 1.2 scalars, no duplicate keys, and the line of every key.

DVC reads `params.yaml` by YAML 1.2, so `no`, `on` and dates are texts here too. Aliases are followed, but an alias
inside itself and a file that unfolds to more than `MOST_NODES` nodes are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from mlci.errors import PolicyError, WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_NODES = 100_000
_INTEGER = re.compile(r"[-+]?[0-9][0-9_]*")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = {"", "~", "null", "Null", "NULL"}
_SPECIAL = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}


_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str")}


class _Loader(yaml.SafeLoader):
    """Leaves the reading of plain scalars to us: PyYAML's own rules are those of YAML 1.1."""


_Loader.yaml_implicit_resolvers = {}


class Document(NamedTuple):
    """What a YAML file says, and on which line (from 1) each of its keys and items stands."""

    value: Any
    lines: dict[tuple[str, ...], int]


def read_yaml(path: Path, shown: str) -> Document:
    """Read a YAML file.

    Args:
        path: Where it is.
        shown: How messages name it.

    Raises:
        WorldError: The file cannot be read.
        PolicyError: It is no YAML, has a duplicate key, a tag of its own, or unfolds without end.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise WorldError(f"{shown} is not there", f"write it, or run `mlci` in the folder that has {shown}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise WorldError(f"{shown} cannot be read: {error}", "it must be a readable text file in UTF-8") from error
    return parse_yaml(text, shown)


def parse_yaml(text: str, shown: str) -> Document:
    """The same for a text. Raises PolicyError as `read_yaml` does."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{shown}:{mark.line + 1}" if mark else shown
        what = getattr(error, "problem", None) or str(error)
        raise PolicyError(
            f"{where}: no valid YAML: {what}", "mend the indentation, quotes or brackets there"
        ) from error
    except RecursionError as error:
        raise PolicyError(f"{shown}: nested too deeply", "use fewer levels") from error
    reader = _Reader(shown)
    return Document(reader.value(node, (), ()) if node else None, reader.lines)


class _Reader:
    """Builds values from nodes and remembers where they stood."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.lines: dict[tuple[str, ...], int] = {}
        self.count = 0

    def value(self, node: yaml.Node, path: tuple[str, ...], above: tuple[int, ...]) -> Any:  # noqa: ANN401 - any YAML
        self.count += 1
        if self.count > MOST_NODES or id(node) in above:
            raise PolicyError(
                f"{self._at(node)}: the aliases unfold without end",
                "write the values out instead of repeating them by alias",
            )
        if node.tag not in _TAGS:
            raise PolicyError(f"{self._at(node)}: the tag {node.tag} is not allowed", "write a plain value")
        self.lines.setdefault(path, node.start_mark.line + 1)
        inside = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            return {key: self.value(child, (*path, str(key)), inside) for key, child in self._pairs(node, path, above)}
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*path, str(i)), inside) for i, child in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - the third and last kind of node
        return self._scalar(node)

    def _pairs(
        self, node: yaml.MappingNode, path: tuple[str, ...], above: tuple[int, ...]
    ) -> Iterator[tuple[Any, yaml.Node]]:
        """The pairs of a mapping, with the ones that `<<` merges in behind them."""
        own: dict[Any, yaml.Node] = {}
        merged: list[yaml.Node] = []
        for key_node, child in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise PolicyError(f"{self._at(key_node)}: a key must be a plain text", "quote it")
            if key_node.value == "<<" and key_node.style is None:
                merged += child.value if isinstance(child, yaml.SequenceNode) else [child]
                continue
            key = self._scalar(key_node)
            key = key if isinstance(key, str | float | int) else key_node.value
            if key in own:
                raise PolicyError(
                    f"{self._at(key_node)}: the key `{key}` stands here a second time; the first is on line "
                    f"{own[key].start_mark.line + 1}",
                    "keep one of them",
                )
            own[key] = child
            self.lines[*path, str(key)] = key_node.start_mark.line + 1
        for source in merged:
            if not isinstance(source, yaml.MappingNode) or id(source) in above:
                raise PolicyError(f"{self._at(node)}: `<<` merges mappings only", "write the keys out")
            for key, child in self._pairs(source, path, (*above, id(source))):
                own.setdefault(key, child)
        yield from own.items()

    def _scalar(self, node: yaml.ScalarNode) -> bool | int | float | str | None:
        return plain(node.value) if node.style is None else str(node.value)

    def _at(self, node: yaml.Node) -> str:
        return f"{self.shown}:{node.start_mark.line + 1}"


def plain(text: str) -> bool | int | float | str | None:
    """Read an unquoted scalar by YAML 1.2, plus underscores in numbers."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if text.lower() in _SPECIAL:
        return float(_SPECIAL[text.lower()])
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return text
