"""What must be known of a project: said on the command line, found, or asked."""

from __future__ import annotations

import difflib
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Protocol, get_args

from mlci.errors import PolicyError, WorldError
from mlci.flows.init.find import likely_id, likely_label, likely_positive, likely_task, look
from mlci.nouns.metric import Task
from mlci.nouns.setup import Answers, Question
from mlci.nouns.yaml_text import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.profile import ColumnProfile
    from mlci.nouns.setup import Found, Looked, Wishes

MOST_TABLES = 8
_TASKS: tuple[str, ...] = get_args(Task)


class Talk(Protocol):
    """A person, or nobody."""

    def ask(self, question: Question) -> str:
        """The answer; nobody answers with the default, and raises PolicyError where there is none."""

    def agree(self, question: str, *, alone: bool) -> bool:
        """Whether to go on; nobody answers with `alone`."""

    def show(self, text: str) -> None:
        """Show something that a question is about."""


def collect(root: Path, wishes: Wishes, found: Found, talk: Talk) -> Answers:
    """Everything that the policy needs.

    Args:
        root: Folder of the project.
        wishes: What the command line says.
        found: What the folder holds.
        talk: Who is asked for the rest.

    Raises:
        PolicyError: Something is not known and nobody answers, or is wrong: no such column, no such task.
        WorldError: There is no table, or one can't be read.
    """
    test = inside(root, wishes.test) if wishes.test else _test_table(root, wishes, found, talk)
    table = look(root, test, [wishes.id] if wishes.id else [])
    id_column = _column(table, wishes.id, "Which column names a row?", "--id", likely_id(table), talk)
    label = _column(table, wishes.label, "Which column is predicted?", "--label", likely_label(table, id_column), talk)
    if label == id_column:
        raise PolicyError(f"`{label}` can't be both the label and the id", "name two columns with --label and --id")
    column = table.columns[label]
    if column.missing == table.rows:
        raise PolicyError(
            f"the label `{label}` of {test} has no value in any row", "name the right column with --label"
        )
    task = wishes.task or _task(column, talk)
    predictions = inside(root, wishes.predictions) if wishes.predictions else _predictions(found, talk)
    data = _tables(root, wishes, found, test, talk)
    model = inside(root, wishes.model) if wishes.model else _model(found, talk)
    return Answers(
        name=_name(wishes.name, root, talk),
        model=model,
        data=_named(data),
        test=test,
        train=next((path for path in found.train if path != test), ""),
        label=label,
        id=id_column,
        task=task,
        positive=_positive(column, wishes.positive, talk) if task == "binary" else "",
        predictions=predictions,
        scored=_scored(root, predictions, model, found),
    )


def _test_table(root: Path, wishes: Wishes, found: Found, talk: Talk) -> str:
    known = list(dict.fromkeys((*found.test, *wishes.data, *found.tables)))
    if not known:
        gone = [path for path in found.made if not (root / path).exists()]
        if gone:
            raise WorldError(f"{', '.join(gone[:3])} is not here", "`dvc pull` or `dvc repro`, then `mlci init` again")
        raise WorldError(
            "there is no table here: nothing to check, and nothing to test a model on",
            "name one with --test PATH: Parquet, CSV or JSON lines",
        )
    sure = known[0] if found.test or len(known) == 1 or len(wishes.data) == 1 else None
    return inside(root, talk.ask(Question(f"Which table is the model tested on: {_listed(known)}?", "--test", sure)))


def _column(table: Looked, said: str | None, text: str, option: str, likely: str | None, talk: Talk) -> str:
    names = tuple(table.columns)
    name = said or talk.ask(Question(f"{text} {table.path} has {_listed(names)}", option, likely, names))
    if name not in table.columns:
        close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"; did you mean `{close[0]}`?" if close else f"; it has {_listed(names)}"
        raise PolicyError(f"{table.path} has no column `{name}`{hint}", f"name a column of it with {option}")
    return name


def _task(label: ColumnProfile, talk: Talk) -> Task:
    likely = likely_task(label)
    told = talk.ask(Question(f"What kind of model predicts `{label.name}`?", "--task", likely, _TASKS))
    return next((task for task in get_args(Task) if task == told), likely)


def _positive(label: ColumnProfile, said: str | None, talk: Talk) -> str:
    """The positive value as YAML; empty where the policy need not name it."""
    values = label.values or (("true", "false") if label.kind == "boolean" else _ends(label))
    value = said if said is not None else likely_positive(label)
    if value is None:
        value = talk.ask(Question(f"Which value of `{label.name}` is the positive one?", "--positive", None, values))
    if value and value not in values:
        raise PolicyError(
            f"`{label.name}` is never `{value}`, but {_listed(values)}", "name one of these by --positive"
        )
    return quoted(value) if label.kind == "string" and value else value


def _ends(label: ColumnProfile) -> tuple[str, ...]:
    """The two values of a label of numbers."""
    return tuple(end for end in (label.low, label.high) if end is not None)


def _predictions(found: Found, talk: Talk) -> str:
    likely = found.predictions[0] if found.predictions else "models/predictions.parquet"
    return talk.ask(Question("Where are, or will be, the model's predictions?", "--predictions", likely))


def _model(found: Found, talk: Talk) -> str:
    likely = found.models[0] if found.models else "models/model.onnx"
    return talk.ask(Question("Where is, or will be, the model?", "--model", likely))


def _tables(root: Path, wishes: Wishes, found: Found, test: str, talk: Talk) -> tuple[str, ...]:
    if wishes.data:
        return tuple(inside(root, path) for path in wishes.data)
    likely = tuple(dict.fromkeys((*found.train, test, *found.tables)))[:MOST_TABLES]
    told = talk.ask(Question("Which tables are checked (separated by spaces)?", "--data", " ".join(likely)))
    return likely if told == " ".join(likely) else tuple(inside(root, path) for path in told.split())


def _named(paths: Sequence[str]) -> dict[str, str]:
    """Tables by a name each: the file's, up to its first dot."""
    found: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        stem = re.sub(r"\W+", "_", PurePath(path).name.partition(".")[0]).strip("_") or "table"
        name, count = stem, 1
        while name in found:
            count += 1
            name = f"{stem}_{count}"
        found[name] = path
    return found


def _name(said: str | None, root: Path, talk: Talk) -> str:
    return checked_name(said or talk.ask(Question("What is the model called?", "--name", likely_name(root))))


def likely_name(root: Path) -> str:
    """The folder's name as a model may have it."""
    return re.sub(r"[^a-z0-9_-]+", "-", root.resolve().name.lower()).strip("-_") or "model"


def checked_name(name: str) -> str:
    """A model's name as it may be. Raises PolicyError."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise PolicyError(
            f"`{name}` is no name for a model",
            "use small letters, digits, `-` and `_`, a letter or digit first: --name",
        )
    return name


def _scored(root: Path, predictions: str, model: str, found: Found) -> bool:
    """Whether the predictions have scores: by their columns, else if an ONNX model writes them."""
    if (root / predictions).is_file():
        return any(name == "score" or name.startswith("score_") for name in look(root, predictions).columns)
    return model.endswith(".onnx") and (model in found.models or (root / model).is_file())


def inside(root: Path, path: str) -> str:
    """A path as seen from the project. Raises PolicyError where it leads out of it."""
    full = Path(path) if Path(path).is_absolute() else root / path
    if not path.isprintable() or "${" in path:
        raise PolicyError(f"{path!r} is no path that DVC takes", "rename the file: no control characters, no `${`")
    try:
        return full.resolve().relative_to(root.resolve()).as_posix() if full.exists() else _plain(path)
    except ValueError:
        raise PolicyError(f"{path} is outside of {root.resolve()}", "name a file inside of the project") from None


def _plain(path: str) -> str:
    if Path(path).is_absolute() or ".." in PurePath(path).parts:
        raise ValueError(path)
    return PurePath(path).as_posix()


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown  # noqa: PLR2004 - as above
