"""Read and change one parameter in a file of parameters, as DVC reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlci.errors import PolicyError, WorldError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Parameter(NamedTuple):
    """Where a parameter stands.

    Attributes:
        file: Relative to the project.
        key: Its keys, joined by dots.
    """

    file: str
    key: str

    @classmethod
    def named(cls, text: str, default: str = "params.yaml") -> Parameter:
        """`train.seed`, or `config/train.yaml:seed` where it stands in another file than the default."""
        file, colon, key = text.rpartition(":")
        return cls(file, key) if colon else cls(default, text)

    def read_by(self, keys: tuple[str, ...]) -> bool:
        """Whether a stage that reads these keys (none: the whole file) reads it."""
        return not keys or any(key == self.key or self.key.startswith(f"{key}.") for key in keys)


def read_seed(root: Path, parameter: Parameter) -> int:
    """The whole number that a parameter is.

    Raises:
        PolicyError: There is no such parameter, or it is no whole number.
        WorldError: The file cannot be read.
    """
    holder = _holder(_load(root / parameter.file, parameter.file), parameter)
    value = holder[parameter.key.rpartition(".")[2]]
    if isinstance(value, bool) or not isinstance(value, int):
        raise PolicyError(
            f"`{parameter.key}` in {parameter.file} is {value!r}, and a seed is a whole number",
            "name the parameter that holds it in `mlci.train.seed`",
        )
    return value


def write_seed(root: Path, parameter: Parameter, seed: int) -> None:
    """Set a parameter that `read_seed` finds; raises as it does."""
    from dvc.utils.serialize import MODIFIERS  # noqa: PLC0415 - DVC takes a second to load

    file = root / parameter.file
    with MODIFIERS[file.suffix.lower()](str(file)) as content:
        _holder(content, parameter)[parameter.key.rpartition(".")[2]] = seed


def _load(file: Path, shown: str) -> Any:  # noqa: ANN401 - what a file holds can be anything
    from dvc.fs import localfs  # noqa: PLC0415
    from dvc.utils.serialize import ParseError, load_path  # noqa: PLC0415

    try:
        return load_path(str(file), localfs)
    except FileNotFoundError as error:
        raise PolicyError(f"{shown}, in which the seed should be, is not there", "correct `mlci.train.seed`") from error
    except (ParseError, OSError) as error:
        raise WorldError(f"{shown} cannot be read: {error}") from error


def _holder(content: Any, parameter: Parameter) -> Any:  # noqa: ANN401 - any mapping of a file
    *above, last = parameter.key.split(".")
    at = content
    for key in above:
        at = at.get(key) if isinstance(at, dict) else None
    if not isinstance(at, dict) or last not in at:
        raise PolicyError(
            f"{parameter.file} has no parameter `{parameter.key}`",
            "name the one that seeds the training in `mlci.train.seed`, and let the training read it",
        )
    return at


def write_parameters(root: Path, values: Mapping[str, object], default: str = "params.yaml") -> None:
    """Set parameters that are there already.

    Args:
        root: Folder of the project.
        values: By name: `data.until`, or `config/data.yaml:until` in another file than the default.
        default: The file of names without one.

    Raises:
        PolicyError: There is no such file or parameter.
    """
    from dvc.utils.serialize import MODIFIERS  # noqa: PLC0415 - DVC takes a second to load

    for name, value in values.items():
        parameter = Parameter.named(name, default)
        file = root / parameter.file
        if not file.is_file():
            raise PolicyError(f"{parameter.file}, in which `{parameter.key}` should be, is not there")
        with MODIFIERS[file.suffix.lower()](str(file)) as content:
            *above, last = parameter.key.split(".")
            at = content
            for key in above:
                at = at.get(key) if isinstance(at, dict) else None
            if not isinstance(at, dict) or last not in at:
                raise PolicyError(
                    f"{parameter.file} has no parameter `{parameter.key}`",
                    "add it, and let a stage of dvc.yaml read it",
                )
            at[last] = value


def read_parameter(root: Path, name: str, default: str = "params.yaml") -> object:
    """The value of a parameter; None where it is not there.

    Raises:
        PolicyError: Its file is not there.
        WorldError: That cannot be read.
    """
    parameter = Parameter.named(name, default)
    at = _load(root / parameter.file, parameter.file)
    for key in parameter.key.split("."):
        at = at.get(key) if isinstance(at, dict) else None
    return at
