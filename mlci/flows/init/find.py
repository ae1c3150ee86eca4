"""What a folder holds: tables, models and predictions by the looks of their names, and columns by what is in them."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from mlci.edges.duck import session
from mlci.edges.dvc_stages import read_stages
from mlci.edges.new_repository import list_files
from mlci.edges.profile_tables import profile_table
from mlci.edges.tables import find_table, materialise, open_table
from mlci.edges.write_together import text_of
from mlci.errors import WorldError
from mlci.nouns.engine import Engine
from mlci.nouns.setup import Found, Looked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mlci.nouns.metric import Task
    from mlci.nouns.profile import ColumnProfile

_TABLE = re.compile(r"\.(parquet|pq|csv|tsv|jsonl|ndjson)(\.(gz|zst))?$", re.IGNORECASE)
_MODELS = (".onnx", ".pkl", ".pickle", ".joblib", ".ubj", ".cbm", ".pt")
_TEST = re.compile(r"(^|[^a-z])(test|holdout|hold-out|eval|evaluation)([^a-z]|$)", re.IGNORECASE)
_TRAIN = re.compile(r"(^|[^a-z])train(ing)?([^a-z]|$)", re.IGNORECASE)
_PREDICTED = re.compile(r"(^|[^a-z])(pred|preds|prediction|predictions|scores|scored)([^a-z]|$)", re.IGNORECASE)
_PLAIN = re.compile(r"(readme|licen[cs]e|changelog|contributing|code_of_conduct|security)(\..*)?", re.IGNORECASE)
_LABELS = ("label", "target", "y", "class", "outcome", "ground_truth", "y_true", "response")
_LABEL = re.compile(r"(^|[^a-z])(label|target|class|outcome|truth)$|^(is|has|will)_", re.IGNORECASE)
_ID = re.compile(r"^(id|uuid|guid|key|index)$|[^a-zA-Z](id|uuid|key|no|number)$|[a-z](Id|ID|Key)$", re.IGNORECASE)
_CLASSES = 20
"""Up to so many different whole numbers are classes."""
_FIRST_WORDS = ("yes", "true", "positive", "pos", "1", "y", "t", "good")


def find_files(root: Path) -> Found:
    """Sort a folder's files by what they look like; outputs of its pipeline count, whether or not they are there.

    Raises:
        PolicyError: `dvc.yaml` is no YAML.
    """
    here = list_files(root)
    pipeline = text_of(root / "dvc.yaml", "dvc.yaml")
    made = tuple(dict.fromkeys(out for stage in read_stages(pipeline or "") for out in stage.outs))
    tables = [path for path in here if _TABLE.search(path)]
    predictions = [path for path in dict.fromkeys((*tables, *made)) if _TABLE.search(path) and _is(_PREDICTED, path)]
    rest = [path for path in tables if path not in predictions]
    models = [path for path in dict.fromkeys((*here, *made)) if path.endswith(_MODELS)]
    return Found(
        tables=tuple(rest),
        test=tuple(path for path in rest if _is(_TEST, path)),
        train=tuple(path for path in rest if _is(_TRAIN, path)),
        predictions=tuple(predictions),
        models=tuple(sorted(models, key=lambda path: (_rank(path), path))),
        made=made,
        empty=all("/" not in path and _PLAIN.fullmatch(path) for path in here),
    )


def _is(pattern: re.Pattern[str], path: str) -> bool:
    return pattern.search(PurePath(path).name) is not None


def _rank(path: str) -> int:
    return next(place for place, ending in enumerate(_MODELS) if path.endswith(ending))


def look(root: Path, path: str, keys: Iterable[str] = ()) -> Looked:
    """A table's columns and what is in them.

    Args:
        root: Where the path starts.
        path: Of the table, or a glob.
        keys: Columns whose uniqueness is asked for in any case.

    Raises:
        WorldError: It is no table, or has no rows.
    """
    table = find_table(root, path)
    with session(Engine()) as connection:
        schema = materialise(connection, table, open_table(connection, table, "looked"))
        likely = {name for name in schema.columns if _ID.search(name)}
        wanted = likely | (set(keys) & set(schema.columns))
        profile = profile_table(connection, schema, sorted(wanted))
    if not profile.rows:
        raise WorldError(f"{path} has no rows to learn anything from", "write the table first")
    return Looked(path, {column.name: column for column in profile.columns}, profile.rows)


def likely_id(table: Looked) -> str | None:
    """The column that is called like an id and never repeats, else the first one that never does."""
    whole = [each for each in table.columns.values() if each.unique and not each.missing]
    named = [each.name for each in whole if _ID.search(each.name)]
    return named[0] if named else (whole[0].name if whole else None)


def likely_label(table: Looked, id_column: str | None) -> str | None:
    """The column that is called like a label; None where none is."""
    names = [name for name in table.columns if name != id_column]
    exact = [name for wanted in _LABELS for name in names if name.lower() == wanted]
    return next(iter([*exact, *(name for name in names if _LABEL.search(name))]), None)


def likely_task(label: ColumnProfile) -> Task:
    """What is predicted, by the values of the label."""
    if label.kind == "boolean" or _values(label) == 2:  # noqa: PLR2004 - a yes and a no
        return "binary"
    if label.kind == "string" or (label.kind == "integer" and label.distinct <= _CLASSES):
        return "multiclass"
    return "regression"


def _values(label: ColumnProfile) -> int:
    return len(label.values) if label.values is not None else label.distinct


def likely_positive(label: ColumnProfile) -> str | None:
    """The value of a label of two that is likely the positive one; empty where true or 1 is, None where unknown."""
    if label.kind == "boolean":
        return ""
    if label.kind == "integer" and label.low is not None and label.high is not None:
        return "" if label.high == "1" else label.high
    if label.kind == "float" and label.high is not None:
        return "" if float(label.high) == 1 else label.high
    for word in _FIRST_WORDS:
        for value in label.values or ():
            if value.lower() == word:
                return value
    return None
