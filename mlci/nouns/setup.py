"""What `mlci init` is told, what it finds, and what it is about to write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from mlci.nouns.base import Noun
from mlci.nouns.metric import Task

if TYPE_CHECKING:
    from mlci.nouns.profile import ColumnProfile


Forge = Literal["github", "none"]


class Wishes(Noun):
    """What the command line says; what is None or empty is found or asked.

    Attributes:
        model: The model's file.
        data: Tables to check.
        test: The test table.
        label: Column that is predicted.
        id: Column that joins predictions and labels.
        name: Name of the model.
        task: What is predicted.
        positive: The label's positive value.
        predictions: Where the predictions are written.
        forge: Where pull requests are opened.
        owner: Who must approve a change of the policy, as CODEOWNERS names them.
        branch: The branch that changes are merged into.
        action: The action of mlci that the workflows use; None writes one into the repository.
        secrets: Names of the secrets that DVC's remote needs.
        serve: Whether to write what serves the model in a container.
        stage: The stage that is served; empty: as the manifest that is there says, else the last one of the policy.
        image: The image's name; empty: as the manifest that is there says, else the model's and the stage's.
    """

    model: str | None = None
    data: tuple[str, ...] = ()
    test: str | None = None
    label: str | None = None
    id: str | None = None
    name: str | None = None
    task: Task | None = None
    positive: str | None = None
    predictions: str | None = None
    forge: Forge = "github"
    owner: str = ""
    branch: str = ""
    action: str | None = None
    secrets: tuple[str, ...] = ()
    serve: bool = False
    stage: str = ""
    image: str = ""

    @property
    def of_own_files(self) -> bool:
        """Whether anything is said about files, so that an example is not what is wanted."""
        return bool(self.model or self.data or self.test or self.label or self.id or self.task or self.predictions)


class Manner(NamedTuple):
    """How to go about it.

    Attributes:
        dry: Write nothing.
        force: Replace files that differ, without asking.
        commit: Run the pipeline afterwards, and commit what is new.
    """

    dry: bool = False
    force: bool = False
    commit: bool = False


class Question(NamedTuple):
    """Something to ask.

    Attributes:
        text: The question.
        option: The option that answers it.
        default: The answer that is likely right; None where nothing is known.
        choices: What may be answered; empty: anything.
    """

    text: str
    option: str
    default: str | None = None
    choices: tuple[str, ...] = ()


class Found(Noun):
    """Files of a project, by what they look like.

    Attributes:
        tables: Files of data that are neither of the others.
        test: Tables of test data.
        train: Tables of training data.
        predictions: Tables of predictions.
        models: Models, those that always load first.
        made: Outputs of the pipeline's stages, present or not.
        empty: Whether there is nothing of a project yet.
    """

    tables: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    predictions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    empty: bool = False


class Answers(Noun):
    """Everything that must be known to write a project's files.

    Attributes:
        name: Name of the model.
        model: The model's file, which may not be there yet.
        data: Tables to check, by name.
        test: The test table.
        train: The training table, or empty.
        label: Column that is predicted.
        id: Column that joins predictions and labels.
        task: What is predicted.
        positive: The label's positive value as YAML, or empty where it is true or 1.
        predictions: Where the predictions are written.
        scored: Whether the predictions have scores.
    """

    name: str
    model: str
    data: dict[str, str]
    test: str
    train: str = ""
    label: str
    id: str
    task: Task
    positive: str = ""
    predictions: str
    scored: bool


class Container(NamedTuple):
    """What is known of the container that serves a model.

    Attributes:
        name: The model's.
        stage: The stage that is served.
        image: Name of the image.
        version: Of mlci.
        seconds: The longest time that a request may take.
        memory: Bytes that the server may need.
        cold_start: Seconds that the first answer may take; None where nobody says.
    """

    name: str
    stage: str
    image: str
    version: str
    seconds: float
    memory: float
    cold_start: float | None


class Looked(NamedTuple):
    """A table, and what its columns look like."""

    path: str
    columns: dict[str, ColumnProfile]
    rows: int


@dataclass(frozen=True)
class Edit:
    """A file before and after.

    Attributes:
        path: From the top of the repository or, for those of a project, from its folder.
        before: Its text; None where it is not there.
        after: Its text to be.
        root: Whose folder the path starts from.
        replaces: Whether anything that is there would be lost.
    """

    path: str
    before: str | None
    after: str
    root: Literal["top", "project"] = "project"
    replaces: bool = False


@dataclass(frozen=True)
class Setup:
    """What is to be done.

    Attributes:
        edits: Files to write.
        git: Whether `git init` is needed.
        dvc: Whether `dvc init` is needed.
        hints: What only a person can do.
        next: The commands to type next.
    """

    edits: tuple[Edit, ...]
    git: bool
    dvc: bool
    hints: tuple[str, ...] = ()
    next: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What came of it.

    Attributes:
        written: Files that are new or changed.
        left: Files that differ from what would be written, and were left as they are.
        diffs: What was changed, or would be, a unified diff a file.
        began: `git init` and `dvc init`, where they ran or would.
        hints: What only a person can do.
        next: The commands to type next.
    """

    written: tuple[str, ...]
    left: tuple[str, ...]
    diffs: tuple[str, ...]
    began: tuple[str, ...]
    hints: tuple[str, ...]
    next: tuple[str, ...]
