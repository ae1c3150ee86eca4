"""What the workflow files of a repository are made from."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from mlci.nouns.base import Noun

ACTIONS = {
    "attest-build-provenance": "actions/attest-build-provenance@a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32 # v4.1.0",
    "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "setup-python": "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0",
    "setup-uv": "astral-sh/setup-uv@fac544c07dec837d0ccb6301d7b5580bf5edae39 # v8.2.0",
    "cache/restore": "actions/cache/restore@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5",
    "cache/save": "actions/cache/save@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5",
    "upload-artifact": "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1",
    "download-artifact": "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1",
}
"""Third-party actions by their full commit, with the version that the commit is."""


def _no_expression(text: str) -> str:
    """A text that a workflow file may hold: GitHub would evaluate an expression in it."""
    if "${{" in text:
        raise ValueError("a workflow expression is not allowed here")
    if any(not char.isprintable() and char != "\n" for char in text):
        raise ValueError("control characters are not allowed here")
    return text


Text = Annotated[str, AfterValidator(_no_expression)]
PINNED_ACTION = re.compile(r"\.(/[\w.-]+)*/?|[\w.-]+/[\w./-]+@[0-9a-f]{40}( # [\w.-]+)?")


class WorkflowOptions(Noun):
    """What differs between one repository's workflows and another's.

    Attributes:
        projects: Folders that hold a params.yaml; empty: all that do.
        branch: The branch that changes are merged into.
        python: Version of Python.
        version: Version of mlci that the project's own action installs; empty: the action's own commit.
        action: The action that the workflows use: pinned by commit, or a folder of the repository.
        install: Commands that set up the project's packages in `.venv`; empty: by its lock or requirements.
        secrets: Names of the secrets that DVC's remote needs, which are also the environment variables it reads.
        runner: Label of the machines.
        monitored: Folders of projects whose production is watched; empty: no workflow for that.
        retrained: Folders of projects whose model is trained again; empty: no workflow for that.
        log_variable: Whether nothing is watched unless the repository's variable MLCI_LOG names a log.
        timeout: Minutes after which a run of the pipeline is given up.
    """

    projects: tuple[Text, ...] = ()
    branch: Text = "main"
    python: Text = "3.12"
    version: Text = ""
    action: Annotated[str, Field(pattern=f"^(?:{PINNED_ACTION.pattern})$")] = "./.github/actions/mlci"
    install: Text = ""
    secrets: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ...] = ()
    monitored: tuple[Text, ...] = ()
    retrained: tuple[Text, ...] = ()
    log_variable: bool = False
    runner: Text = "ubuntu-latest"
    timeout: int = Field(60, ge=1, le=6 * 60)
