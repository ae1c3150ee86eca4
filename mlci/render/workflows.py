"""Workflow files as text, from the templates that this project uses too."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from mlci.nouns.workflows import ACTIONS

if TYPE_CHECKING:
    from mlci.nouns.workflows import WorkflowOptions

WORKFLOWS = ("pr", "report", "main", "release", "promote", "monitor", "retrain")


def render_workflow(name: str, options: WorkflowOptions) -> str:
    """One file of `.github/workflows/`.

    Args:
        name: One of `WORKFLOWS`.
        options: What differs between repositories; every text of it becomes a quoted YAML scalar.
    """
    alone = {"python-version": options.python, "version": options.version}
    inputs = {"project": "\n".join(options.projects), **alone, "install": options.install}
    return _render(
        name,
        action=_uses(options.action),
        alone=_told(alone),
        branch=options.branch,
        inputs=_told(inputs),
        log_variable=options.log_variable,
        monitored="\n".join(options.monitored or (".",)),
        retrained="\n".join(options.retrained or (".",)),
        runner=options.runner,
        secrets=options.secrets,
        setup=_told({**alone, "install": options.install}),
        timeout=options.timeout,
    )


def render_action() -> str:
    """The composite action that the workflows use."""
    return _render("action")


def _uses(action: str) -> str:
    """The action as a workflow names it; linters would rather see `$/`, which only github.com knows."""
    local = " # zizmor: ignore[self-repository] GitHub Enterprise Server has no other way"
    return f"{action}{local}" if action.startswith(".") else action


def _told(inputs: dict[str, str]) -> dict[str, str]:
    """The inputs that differ from what the action takes by itself."""
    return {name: value for name, value in inputs.items() if value}


def _render(name: str, **values: object) -> str:
    return _templates().get_template(f"{name}.yml").render(actions=ACTIONS, yaml=_scalar, **values)


def _scalar(value: str) -> str:
    """A text as YAML; JSON's strings are YAML's."""
    return json.dumps(value, ensure_ascii=False)


@cache
def _templates() -> Environment:
    # Other brackets than usual: GitHub's expressions are in braces. Nothing is escaped as HTML: these files are YAML.
    return Environment(  # noqa: S701 - YAML, not HTML
        loader=PackageLoader("mlci", "templates/workflows"),
        undefined=StrictUndefined,
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
