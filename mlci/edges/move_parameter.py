"""Read and move one parameter of a file: its one line changes, and no other byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from mlci.edges.files import write_bytes
from mlci.edges.parameters import Parameter
from mlci.errors import PolicyError

if TYPE_CHECKING:
    from pathlib import Path

_READ = (".yaml", ".yml", ".json")


def parameter_in(text: bytes | None, name: str) -> str:
    """The value of a parameter, as text.

    Args:
        text: The file that holds it; None where there is no such file.
        name: `data.until`, or `config/data.yaml:until` in another file than params.yaml.

    Raises:
        PolicyError: The file or the parameter is not there, or it is more than one value.
    """
    parameter = Parameter.named(name)
    return str(_scalar(_decoded(text, parameter), parameter).value)


def move_parameter(root: Path, name: str, value: str) -> None:
    """Give a parameter of a project another value. Raises as `parameter_in`."""
    parameter = Parameter.named(name)
    file = root / parameter.file
    text = _decoded(file.read_bytes() if file.is_file() else None, parameter)
    node = _scalar(text, parameter)
    written = _written(node, value)
    end = node.end_mark.index
    moved = f"{text[: node.start_mark.index]}{written}{text[end:]}"
    write_bytes(root / parameter.file, moved.encode())


def _decoded(text: bytes | None, parameter: Parameter) -> str:
    shown = parameter.file
    if not shown.endswith(_READ):
        raise PolicyError(
            f"`mlci.retrain.data.parameter` is in {shown}, and only YAML and JSON can be changed",
            "keep the parameter in params.yaml, or let `mlci.retrain.data.command` change it",
        )
    if text is None:
        raise PolicyError(
            f"{shown}, in which `{parameter.key}` should be, is not there", "correct `mlci.retrain.data.parameter`"
        )
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PolicyError(f"{shown} is no text in UTF-8", "write it as such") from error


def _scalar(text: str, parameter: Parameter) -> yaml.ScalarNode:
    mend = "name the parameter up to which the data reaches in `mlci.retrain.data.parameter`"
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise PolicyError(f"{parameter.file}: no valid YAML: {error}", "mend it there") from error
    for key in parameter.key.split("."):
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        node = next((child for name, child in pairs if name.value == key), None)
    if node is None:
        raise PolicyError(f"{parameter.file} has no parameter `{parameter.key}`", mend)
    if not isinstance(node, yaml.ScalarNode) or node.style in {"|", ">"}:
        line = node.start_mark.line + 1
        raise PolicyError(f"{parameter.file}:{line}: `{parameter.key}` is not one value in one line", mend)
    return node


def _written(node: yaml.ScalarNode, value: str) -> str:
    """The value in the style of the one before, quoted where it would be read as another kind of value."""
    if node.style == "'":
        return f"'{value}'" if "'" not in value else json.dumps(value)
    same = yaml.safe_load(value) if value else None
    if node.style is None and type(same) is type(yaml.safe_load(node.value)) and "\n" not in value and "#" not in value:
        return value
    return json.dumps(value, ensure_ascii=False)
