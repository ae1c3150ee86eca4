"""What a repository shows of how it is worked in: files, pipeline, workflows, tests, history and tags."""

from __future__ import annotations

from mlci.nouns.automation import Recipe, Stage, Workflow
from mlci.nouns.base import Noun


class Change(Noun):
    """A commit of the branch's own line.

    Attributes:
        commit: In full.
        subject: The first line of its message.
        reviewed: Whether it came by a pull request or names a reviewer.
    """

    commit: str
    subject: str
    reviewed: bool


class Traces(Noun):
    """Everything that evidence is looked for in. Paths are relative to the project, but those of workflows.

    Attributes:
        files: All files that Git tracks.
        texts: Content of the code, build and settings files among them, by path.
        stages: The pipeline, in the order of the file.
        workflows: What the forge runs.
        recipes: Targets of the Makefile by name.
        spec_changes: The newest changes of the model's specification, newest first.
        owned: Patterns of the CODEOWNERS file that name somebody, and their lines.
        owners_file: That file; empty where there is none.
        tags: All tags, oldest first.
        uses: How often a test set was used, by the ledger.
    """

    files: tuple[str, ...] = ()
    texts: dict[str, str] = {}
    stages: tuple[Stage, ...] = ()
    workflows: tuple[Workflow, ...] = ()
    recipes: dict[str, Recipe] = {}
    spec_changes: tuple[Change, ...] = ()
    owned: dict[str, int] = {}
    owners_file: str = ""
    tags: tuple[str, ...] = ()
    uses: int = 0
