"""What a repository runs by itself: workflows, the stages of its pipeline and the recipes of its Makefile."""

from __future__ import annotations

import re

from mlci.nouns.base import Noun, Place

_OWN = re.compile(r"^(?!\./)[\w.-]+/mlci(/[\w./-]+)?@")

BY_HAND = frozenset({"workflow_dispatch", "workflow_call", "repository_dispatch"})
"""Events that only happen when somebody or something else asks for them."""


class Step(Noun):
    """One step of a job: an action that it uses, or what it runs.

    Attributes:
        uses: The action, as written; empty where the step runs something.
        run: The lines that it runs, joined where a line goes on.
        place: Where it is written.
        given: What `with:` says, as text.
    """

    uses: str = ""
    run: tuple[str, ...] = ()
    place: Place
    given: dict[str, str] = {}

    @property
    def commands(self) -> tuple[str, ...]:
        """What it runs, and what the action of mlci, wherever it comes from, runs for it."""
        if _OWN.search(self.uses) and self.given.get("command", "ci") == "ci":
            return (*self.run, "mlci ci")
        return self.run


class Job(Noun):
    """One job of a workflow.

    Attributes:
        id: Its key in the file.
        name: What GitHub calls its check.
        place: Where it is written.
        steps: What it does, those of the project's own actions and reusable workflows included.
        uses: The reusable workflow that it calls; empty where it has steps.
        permissions: Whether it says what its token may do.
        writes: What its token may write, by its own word or the workflow's; None where neither says, or that it is all.
        runner: Label of the machine, where it is one.
    """

    id: str
    name: str
    place: Place
    steps: tuple[Step, ...] = ()
    uses: str = ""
    permissions: bool = False
    writes: tuple[str, ...] | None = None
    runner: str = ""


class Workflow(Noun):
    """A file in `.github/workflows/`.

    Attributes:
        file: Its path from the top of the repository.
        events: What starts it.
        filtered: Those events that only start it for some paths or branches.
        jobs: What it does.
        permissions: Whether it says at the top what the token may do.
        secrets: Names of the secrets that it speaks of.
        problem: Why it cannot be read; empty where it can.
    """

    file: str
    events: tuple[str, ...] = ()
    filtered: tuple[str, ...] = ()
    jobs: tuple[Job, ...] = ()
    permissions: bool = False
    secrets: tuple[str, ...] = ()
    problem: str = ""

    @property
    def repeated(self) -> bool:
        """Whether it runs without anybody asking for it."""
        return any(event not in BY_HAND for event in self.events)

    @property
    def scheduled(self) -> bool:
        """Whether the clock starts it."""
        return "schedule" in self.events


class Stage(Noun):
    """A stage of `dvc.yaml`; its paths are relative to the project."""

    name: str
    commands: tuple[str, ...] = ()
    deps: tuple[str, ...] = ()
    outs: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    place: Place
    locked: bool = False


class Recipe(Noun):
    """A target of a Makefile: what it needs first, and what it runs."""

    needs: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    place: Place
