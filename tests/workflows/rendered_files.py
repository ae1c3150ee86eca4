"""This repository's own workflows, as the templates give them."""

import os
from pathlib import Path

from mlci.flows.workflows import render_workflows
from mlci.nouns.workflows import WorkflowOptions

REPOSITORY = Path(__file__).parents[2]

OURS = WorkflowOptions(
    action="./", install="make setup", timeout=30, monitored=(".",), retrained=(".",), log_variable=True
)
"""What this repository's workflows are made with."""

THEIRS = {
    "plain": WorkflowOptions(version="0.1.0", monitored=(".",), retrained=(".",)),
    "several": WorkflowOptions(
        projects=("models/churn", "models/price"),
        monitored=("models/churn", "models/price"),
        retrained=("models/churn", "models/price"),
        branch="trunk",
        python="3.13",
        version="0.1.0",
        install="pip install 'x: y' # \"quoted\"\nmake all",
        secrets=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        runner="ubuntu-24.04",
        timeout=300,
    ),
    "remote": WorkflowOptions(action=f"acme/mlci@{'0123456789' * 4} # v1.0.0"),
}
"""Options as `mlci init` may choose them."""


def rendered(options, folder):
    """Write what the templates give to a folder."""
    for path, text in render_workflows(options).items():
        file = Path(folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Path(folder)


def regenerate():
    return os.environ.get("MLCI_REGEN") == "1"
