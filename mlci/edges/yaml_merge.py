"""Add keys to a YAML file and leave every byte that is there as it is: comments, order, quotes, line ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from mlci.edges.yaml_file import parse_yaml
from mlci.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_LINES = re.compile(r"[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029]|$)")
"""A line as YAML counts them."""


def add_keys(text: str, path: tuple[str, ...], blocks: Mapping[str, str], shown: str, *, apart: bool = False) -> str:
    """Write keys into the mapping at a path, which is made where it is not there.

    Args:
        text: The file; may be empty.
        path: The mapping's keys from the top.
        blocks: By key that is not there yet, `key: ...` as lines that start in the first column.
        shown: How messages name the file.
        apart: Whether an empty line goes before each.

    Raises:
        PolicyError: The file is no YAML, or is written in a way that lines can't be added to.
    """
    before = parse_yaml(text, shown).value
    lines = [line for line in _LINES.findall(text) if line]
    end = "\r\n" if "\r\n" in text else "\n"
    depth, mapping, key = _deepest(yaml.compose(text), path)
    if mapping is None and key is None and before is not None:
        raise _by_hand(shown, path, blocks)
    inside = mapping is not None and bool(mapping.value)
    if mapping is not None and (mapping.flow_style or (not inside and key is not None)):
        raise _by_hand(shown, path, blocks)
    if mapping is not None and inside:
        indent = mapping.value[0][0].start_mark.column
        at = len(lines) if not depth and not _ended(lines) else _last_line(mapping)
    elif key is not None:
        indent, at = key.start_mark.column + 2, key.end_mark.line + 1
    else:
        indent, at = 0, len(lines)
    if at and not lines[at - 1].endswith(("\n", "\r")):
        lines[at - 1] += end
    body = _nested(path[depth:], blocks, apart=apart)
    if at and lines[at - 1].strip() and (not depth or (apart and inside)):
        body = ["", *body]
    added = [f"{' ' * indent}{line}{end}" if line else end for line in body]
    merged = "".join([*lines[:at], *added, *lines[at:]])
    try:
        after = parse_yaml(merged, shown).value
    except PolicyError as error:
        raise _by_hand(shown, path, blocks) from error
    if _without(after, path, blocks) != _bare(before, path):
        raise _by_hand(shown, path, blocks)
    return merged


def _deepest(
    node: yaml.Node | None, path: tuple[str, ...]
) -> tuple[int, yaml.MappingNode | None, yaml.ScalarNode | None]:
    """How far down the path the file goes, the mapping there, and the key that holds it."""
    key: yaml.ScalarNode | None = None
    depth = 0
    for name in path:
        if not isinstance(node, yaml.MappingNode):
            break
        pair = next(((own, child) for own, child in node.value if own.value == name), None)
        if pair is None:
            return depth, node, key
        (key, node), depth = pair, depth + 1
    if isinstance(node, yaml.MappingNode):
        return depth, node, key
    empty = node is None or (isinstance(node, yaml.ScalarNode) and not node.value)
    return depth, None, key if empty else None


def _last_line(node: yaml.Node, least: int = 0) -> int:
    """The number of lines up to the end of a node."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        key, child = node.value[-1]
        return _last_line(child, max(least, key.end_mark.line + 1))
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _last_line(node.value[-1], least)
    mark = node.end_mark
    return max(least, mark.line if not mark.column else mark.line + 1)


def _ended(lines: list[str]) -> bool:
    return any(re.match(r"\.\.\.(\s|$)", line) for line in lines)


def _nested(above: tuple[str, ...], blocks: Mapping[str, str], *, apart: bool) -> list[str]:
    """The blocks as lines, below the keys that are not there yet."""
    found = ("\n\n" if apart else "\n").join(block.strip("\n") for block in blocks.values()).split("\n")
    for name in reversed(above):
        found = [f"{name}:", *(f"  {line}" if line else "" for line in found)]
    return found


def _without(value: Any, path: tuple[str, ...], blocks: Mapping[str, str]) -> Any:  # noqa: ANN401 - any YAML
    """A file's value without what was added."""
    if not path:
        return {key: item for key, item in value.items() if key not in blocks} or None
    inner = _without(value[path[0]], path[1:], blocks)
    rest = {key: (inner if key == path[0] else item) for key, item in value.items()}
    return _pruned(rest, path[0])


def _bare(value: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any YAML
    """A file's value before, with an empty mapping on the path as if it were not there."""
    if not path or not isinstance(value, dict):
        return value or None
    inner = _bare(value[path[0]], path[1:]) if path[0] in value else None
    return _pruned({key: (inner if key == path[0] else item) for key, item in value.items()}, path[0])


def _pruned(value: dict[str, Any], key: str) -> dict[str, Any] | None:
    return {name: item for name, item in value.items() if name != key or item is not None} or None


def _by_hand(shown: str, path: tuple[str, ...], blocks: Mapping[str, str]) -> PolicyError:
    where = f"`{'.'.join(path)}`" if path else "the top"
    block = "\n".join(f"    {line}" for block in blocks.values() for line in block.splitlines())
    return PolicyError(
        f"{shown}: {where} is written so that no lines can be added to it",
        f"write it as `key:` lines rather than in braces, or add this by hand:\n{block}",
    )
