"""The workflow files of a repository, as texts by path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.render.workflows import WORKFLOWS, render_action, render_workflow

if TYPE_CHECKING:
    from mlci.nouns.workflows import WorkflowOptions

FOLDER = ".github/workflows"


def render_workflows(options: WorkflowOptions) -> dict[str, str]:
    """All files that GitHub needs to run the loop: the workflows, and the repository's own action if they use one.

    Args:
        options: What differs between one repository's and another's.

    Returns:
        Text by path from the top of the repository.
    """
    unwanted = {"monitor": not options.monitored, "retrain": not options.retrained}
    wanted = [name for name in WORKFLOWS if not unwanted.get(name)]
    files = {f"{FOLDER}/{name}.yml": render_workflow(name, options) for name in wanted}
    if options.action.startswith("."):
        folder = options.action.removeprefix(".").strip("/")
        files[f"{folder}/action.yml" if folder else "action.yml"] = render_action()
    return dict(sorted(files.items()))
