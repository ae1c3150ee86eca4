"""What `mlci init` writes, as texts."""

from __future__ import annotations

import difflib
import shlex
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from mlci.nouns.yaml_text import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlci.nouns.setup import Answers, Edit

EXAMPLE = (
    "README.md",
    "data/make.py",
    "dvc.yaml",
    "models/train.py",
    "params.yaml",
    "requirements.txt",
)
"""The files of the example project."""
IGNORED = (
    "/.venv/",
    "/.cache/",
    "/reports/*",
    "!/reports/data*.json",
    "!/reports/metrics.json",
    "!/reports/model.json",
    "!/reports/plots/",
)
"""Lines of `.gitignore`: reports of a run are no part of the repository, those that a stage makes are."""
GUARDED = ("params.yaml", "dvc.yaml")
"""Files of a project whose changes the policy's owner must approve."""


def example_file(path: str, name: str, branch: str) -> str:
    """A file of the example project.

    Args:
        path: One of `EXAMPLE`.
        name: Name of the model.
        branch: The branch that changes are merged into, or empty where the policy need not say so.
    """
    return init_templates().get_template(f"example/{path}").render(name=name, branch=branch)


def policy_blocks(answers: Answers, tables: dict[str, str], branch: str) -> dict[str, str]:
    """The policy by key of `mlci`.

    Args:
        answers: What is known of the project.
        tables: The promises about each table as YAML that starts with its name, by name.
        branch: The branch that changes are merged into, or empty where the policy need not say so.
    """
    data = "".join(f"  {line}\n" if line else "\n" for text in tables.values() for line in text.splitlines())
    return {
        "model": init_templates().get_template("policy/model.yaml").render(answers=answers),
        "data": f"data:\n{data}",
        "gate": init_templates().get_template("policy/gate.yaml").render(answers=answers, branch=branch),
    }


def check_stage(name: str, tables: Sequence[str], report: str) -> str:
    """A stage that checks tables: all of the policy's."""
    return _stage(
        name, "mlci data check", tables, ("mlci.data",), report, desc="The data against the policy", cache=False
    )


def predict_stage(name: str, answers: Answers) -> str:
    """A stage that writes the predictions of an ONNX model on the test table."""
    command = f"mlci score {_word(answers.model)} {_word(answers.test)} --out {_word(answers.predictions)}"
    return _stage(name, command, (answers.model, answers.test), ("mlci.model",), answers.predictions)


def _stage(
    name: str,
    command: str,
    deps: Sequence[str],
    params: Sequence[str],
    out: str,
    *,
    desc: str = "",
    cache: bool = True,
) -> str:
    lines = [f"{name}:"]
    lines += [f"  desc: {desc}"] if desc else []
    lines += [f"  cmd: {quoted(command)}", "  deps:", *(f"    - {quoted(path)}" for path in sorted(set(deps)))]
    lines += ["  params:", *(f"    - {key}" for key in params)]
    lines += (
        ["  outs:", f"    - {quoted(out)}"] if cache else ["  outs:", f"    - {quoted(out)}:", "        cache: false"]
    )
    return "\n".join(lines) + "\n"


def _word(text: str) -> str:
    return shlex.quote(text)


def ignore_lines(text: str, wanted: Sequence[str]) -> str:
    """A `.gitignore` with the lines that it lacks at its end."""
    there = {line.strip() for line in text.splitlines()}
    closed = there & {"reports", "reports/", "/reports", "/reports/"}
    missing = [line for line in (*(["!/reports/"] if closed else []), *wanted) if line not in there]
    return _appended(text, missing)


def owner_lines(text: str, paths: Sequence[str], owner: str) -> str:
    """A CODEOWNERS file with the paths that it does not speak of at its end."""
    there = {line.split()[0] for line in text.splitlines() if line.strip()}
    return _appended(text, [f"{path} {owner}" for path in paths if path not in there])


def _appended(text: str, lines: Sequence[str]) -> str:
    if not lines:
        return text
    end = "\r\n" if "\r\n" in text else "\n"
    head = text if not text or text.endswith("\n") else text + end
    return head + "".join(f"{line}{end}" for line in lines)


def diff(edit: Edit) -> str:
    """What an edit changes, as a unified diff that `git apply` takes."""
    old = edit.before.splitlines(keepends=True) if edit.before is not None else []
    new = edit.after.splitlines(keepends=True)
    before = f"a/{edit.path}" if edit.before is not None else "/dev/null"
    lines = difflib.unified_diff(old, new, before, f"b/{edit.path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


@cache
def init_templates() -> Environment:
    """The files' templates, with brackets that YAML and Python do not have."""
    # Other brackets than usual, as the workflows' templates have; nothing here is HTML.
    found = Environment(  # noqa: S701 - YAML and Python, not HTML
        loader=PackageLoader("mlci", "templates/init"),
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
    found.filters["yaml"] = quoted
    return found
