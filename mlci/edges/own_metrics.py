"""Metrics of the project's own: Python functions that the policy names, loaded from the project's folder."""

from __future__ import annotations

import difflib
import importlib
import math
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlci.errors import PolicyError
from mlci.nouns.sample import OwnMetric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from mlci.nouns.base import Place
    from mlci.nouns.policy import PolicyFile

_MEND = "it takes (label, prediction, score), arrays of one length, and returns a number"


def own_metrics(root: Path, policy: PolicyFile) -> dict[str, OwnMetric]:
    """The functions that `gate.metrics` names, by metric.

    Raises:
        PolicyError: A module or function is not there, lies outside of the project or cannot be imported. What the
            function does wrong later is a PolicyError of the same place.
    """
    found = {}
    for name, promise in (policy.policy.gate.metrics if policy.policy.gate else {}).items():
        if promise.function is not None:
            place = policy.place("gate", "metrics", name, "function")
            call = _function(root, promise.function, place)
            found[name] = OwnMetric(_guarded(call, promise.function, place), promise.good or "up")
    return found


def _function(root: Path, wanted: str, place: Place) -> Callable[..., Any]:
    module_name, _, name = wanted.partition(":")
    module = _module(root, module_name, place)
    call = getattr(module, name, None)
    if not callable(call):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"; did you mean `{close[0]}`?" if close else ""
        raise PolicyError(f"{place}: the module `{module_name}` has no function `{name}`{hint}", _MEND)
    return call  # type: ignore[no-any-return] # what the user's module holds has no type


def _module(root: Path, name: str, place: Place) -> ModuleType:
    with _importable(root.resolve(), name):
        try:
            module = importlib.import_module(name)
        except Exception as error:
            raise PolicyError(
                f"{place}: the module `{name}` cannot be imported: {type(error).__name__}: {error}",
                f"it is looked for in {root.resolve()}; see that it can be imported there",
            ) from error
    if not _inside(module, root.resolve()):
        raise PolicyError(
            f"{place}: the module `{name}` is not one of this project: {getattr(module, '__file__', 'built in')}",
            "write the function in a module of the project's folder, under a name of its own",
        )
    return module


@contextmanager
def _importable(root: Path, name: str) -> Iterator[None]:
    """The project first on the path; a module of the same name from another project is forgotten."""
    top = name.partition(".")[0]
    loaded = sys.modules.get(top)
    if (
        loaded is not None
        and (root / top).with_suffix(".py").exists() | (root / top).is_dir()
        and not _inside(loaded, root)
    ):
        for each in [each for each in sys.modules if each == top or each.startswith(f"{top}.")]:
            del sys.modules[each]
    importlib.invalidate_caches()
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path.remove(str(root))


def _inside(module: ModuleType, root: Path) -> bool:
    files = [module.__file__] if getattr(module, "__file__", None) else list(getattr(module, "__path__", []))
    return any(file is not None and Path(file).resolve().is_relative_to(root) for file in files)


def _guarded(call: Callable[..., Any], wanted: str, place: Place) -> Callable[[Any, Any, Any], float]:
    """A function that fails on all rows is wrong; one that fails on fewer, or on a resample, has no value there."""
    worked = 0

    def value(label: Any, prediction: Any, score: Any) -> float:  # noqa: ANN401 - arrays of three kinds
        nonlocal worked
        try:
            found = call(label, prediction, score)
        except Exception as error:
            if len(label) <= worked:
                return math.nan
            raise PolicyError(
                f"{place}: `{wanted}` failed on {len(label):,} rows: {type(error).__name__}: {error}", _MEND
            ) from error
        if isinstance(found, bool) or not isinstance(found, int | float | np.number):
            raise PolicyError(f"{place}: `{wanted}` returned {type(found).__name__} instead of a number", _MEND)
        worked = max(worked, len(label))
        return float(found)

    return value
