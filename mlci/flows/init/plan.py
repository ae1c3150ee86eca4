"""Which files to write, and what each is to hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlci import __version__
from mlci.edges.dvc_stages import read_stages
from mlci.edges.installed import installed_action
from mlci.edges.new_repository import branch_merged_into, list_files
from mlci.edges.policy_file import parse_policy
from mlci.edges.write_together import text_of
from mlci.edges.yaml_file import parse_yaml
from mlci.edges.yaml_merge import add_keys
from mlci.errors import PolicyError
from mlci.flows.infer_data import infer_data
from mlci.flows.init.find import look
from mlci.flows.workflows import FOLDER, render_workflows
from mlci.nouns.setup import Edit
from mlci.nouns.workflows import WorkflowOptions
from mlci.render.setup import (
    EXAMPLE,
    GUARDED,
    IGNORED,
    check_stage,
    example_file,
    ignore_lines,
    owner_lines,
    policy_blocks,
    predict_stage,
)

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.policy import Policy
    from mlci.nouns.setup import Answers, Found, Wishes

POLICY, PIPELINE, IGNORE = "params.yaml", "dvc.yaml", ".gitignore"
_OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
_GLOB = set("*?[")
_ACTION = re.compile(r"uses: ([\w.-]+/mlci(?:/[\w./-]+)?@[0-9a-f]{40}(?: # [\w.-]+)?)")
_OURS = re.compile(r"\bmlci\b")
_PYTHON = re.compile(r'^ +python-version: "([\d.]+)"$', re.MULTILINE)
_VERSION = re.compile(r"^(\d+\.\d+(?:\.\d+)?)$", re.MULTILINE)
_SECRET = re.compile(r"^ +(\w+): \$\{\{ secrets\.\1 \}\}", re.MULTILINE)


def example_edits(root: Path, name: str, branch: str) -> list[Edit]:
    """The example project; a file that is there, such as a README, stays. Arguments as for `example_file`."""
    texts = {path: text_of(root / path, path) for path in EXAMPLE}
    return [Edit(path, None, example_file(path, name, branch)) for path, before in texts.items() if before is None]


def told_branch(top: Path, wishes: Wishes) -> str:
    """The branch that changes are merged into, where nobody would look for it: empty for `main` and `master`."""
    branch = wishes.branch or branch_merged_into(top)
    return "" if branch in {"main", "master"} else branch


def existing_policy(root: Path) -> Policy | None:
    """What the key `mlci` of `params.yaml` says; None where it is not there. Raises as `parse_policy` does."""
    text = text_of(root / POLICY, POLICY)
    value = parse_yaml(text, POLICY).value if text is not None else None
    if not isinstance(value, dict) or value.get("mlci") is None:
        return None
    return parse_policy(text or "", POLICY).policy


def policy_edit(root: Path, answers: Answers, policy: Policy | None, branch: str) -> Edit:
    """`params.yaml` with those parts of the policy that it lacks.

    Args:
        root: Folder of the project.
        answers: What is known of the project.
        policy: What is there.
        branch: The branch that changes are merged into, or empty.

    Raises:
        PolicyError: It is written in a way that lines can't be added to, or the outcome is no policy.
    """
    before = text_of(root / POLICY, POLICY)
    tables = {} if policy is not None and policy.data else _promises(root, answers)
    blocks = policy_blocks(answers, tables, branch)
    there = {
        "model": policy is not None and policy.model is not None,
        "data": not tables,
        "gate": policy is not None and policy.gate is not None,
    }
    wanted = {key: block for key, block in blocks.items() if not there[key]}
    after = add_keys(before or "", ("mlci",), wanted, POLICY) if wanted else before or ""
    parse_policy(after, POLICY)
    return Edit(POLICY, before, after)


def _promises(root: Path, answers: Answers) -> dict[str, str]:
    """What each table would pass today, as YAML by its name."""
    found = {}
    for name, path in answers.data.items():
        columns = look(root, path).columns
        id_column, label = (role if role in columns else None for role in (answers.id, answers.label))
        text = infer_data(root, path, name, id_column, label)
        lines = [line.removeprefix("    ") for line in text.splitlines()[2:]]
        found[name] = "\n".join(line for line in lines if not line.lstrip().startswith("# drift:"))
    return found


def pipeline_edit(root: Path, answers: Answers, found: Found) -> Edit:
    """`dvc.yaml` with stages that run mlci, beside those that are there.

    Raises:
        PolicyError: It is written in a way that lines can't be added to.
    """
    before = text_of(root / PIPELINE, PIPELINE)
    stages = read_stages(before or "")
    names = {stage.name for stage in stages}
    commands = [command for stage in stages for command in stage.commands]
    blocks = {}
    report = "reports/data.json"
    tables = [path for path in answers.data.values() if not _GLOB & set(path)]
    if tables and report not in found.made and not any("mlci data check" in command for command in commands):
        name = _free("check", names)
        blocks[name] = check_stage(name, tables, report)
    if _predicts(root, answers, found) and not any("mlci score" in command for command in commands):
        name = _free("predict", names)
        blocks[name] = predict_stage(name, answers)
    after = add_keys(before or "", ("stages",), blocks, PIPELINE, apart=True) if blocks else before or ""
    return Edit(PIPELINE, before, after)


def _predicts(root: Path, answers: Answers, found: Found) -> bool:
    """Whether mlci is to write the predictions: an ONNX model is there, and nothing else writes them."""
    model = answers.model.endswith(".onnx") and (answers.model in found.made or (root / answers.model).is_file())
    return model and answers.predictions not in found.made and not (root / answers.predictions).exists()


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else f"mlci-{name}"


def ignore_edit(root: Path) -> Edit:
    """`.gitignore` with the lines that it lacks."""
    before = text_of(root / IGNORE, IGNORE)
    return Edit(IGNORE, before, ignore_lines(before or "", IGNORED))


def forge_edits(top: Path, prefix: str, wishes: Wishes) -> list[Edit]:
    """Workflows, and who must approve a change of the policy.

    Args:
        top: Top of the repository.
        prefix: The project's folder as seen from there; `.` for itself.
        wishes: What the command line says.
    """
    if wishes.forge == "none":
        return []
    edits = []
    for wanted, text in render_workflows(_options(top, prefix, wishes)).items():
        path = _place(top, wanted)
        before = text_of(top / path, path)
        edits.append(Edit(path, before, text, "top", replaces=before is not None and before != text))
    if wishes.owner:
        edits.append(_owners_edit(top, prefix, wishes.owner))
    return edits


def _place(top: Path, wanted: str) -> str:
    """Where a workflow of ours goes: `release.yml`, or `mlci-release.yml` where that is somebody else's."""
    folder, _, name = wanted.rpartition("/")
    beside = f"{folder}/mlci-{name}"
    if folder != FOLDER or not (top / wanted).exists():
        return beside if (top / beside).exists() else wanted
    return wanted if _OURS.search(text_of(top / wanted, wanted) or "") else beside


def _options(top: Path, prefix: str, wishes: Wishes) -> WorkflowOptions:
    """What the workflows are made from: as said, else as the workflow that is there says, so that it stays."""
    main = _place(top, f"{FOLDER}/main.yml")
    there = text_of(top / main, main) or ""
    # A version that no index has is installed from where this one came from.
    action = wishes.action or _found(_ACTION, there) or ("" if there else installed_action())
    # The repository's own action installs this version; one that is pinned is a version by itself.
    chosen = {"version": __version__} if not action or action.startswith(".") else {}
    chosen |= {"action": action} if action else {}
    python = _found(_PYTHON, there) or _found(_VERSION, text_of(top / ".python-version", ".python-version") or "")
    chosen |= {"python": python} if python else {}
    try:
        return WorkflowOptions(
            branch=wishes.branch or _branch(there) or branch_merged_into(top),
            monitored=_speaking(top, prefix, "monitor"),
            retrained=_speaking(top, prefix, "retrain"),
            secrets=wishes.secrets or tuple(dict.fromkeys(_SECRET.findall(there))),
            **chosen,
        )
    except ValueError as error:
        raise PolicyError(
            "--action, --secret or --branch is not what a workflow may hold",
            "pin the action by its commit, `owner/mlci@<40 hex digits>`; a secret's name has letters, digits and `_`",
        ) from error


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def _speaking(top: Path, prefix: str, key: str) -> tuple[str, ...]:
    """Folders of the repository's projects whose policy speaks of something, such as `monitor`; this one may be new."""
    folders = {path.rpartition("/")[0] or "." for path in list_files(top) if path.rpartition("/")[2] == POLICY}
    return tuple(folder for folder in sorted(folders | {prefix}) if _says(top, folder, key))


def _says(top: Path, prefix: str, key: str) -> bool:
    """Whether the policy of a project speaks of something."""
    path = f"{prefix}/{POLICY}".removeprefix("./")
    try:
        told = parse_yaml(text_of(top / path, path) or "", path).value
    except PolicyError:
        return False
    own = told.get("mlci") if isinstance(told, dict) else None
    return isinstance(own, dict) and key in own


def _branch(workflow: str) -> str:
    """The branch whose pushes start a workflow, or empty."""
    try:
        return str(parse_yaml(workflow, "main.yml").value["on"]["push"]["branches"][0])
    except (PolicyError, KeyError, TypeError, IndexError):
        return ""


def _owners_edit(top: Path, prefix: str, owner: str) -> Edit:
    path = owners_file(top)
    before = text_of(top / path, path)
    folder = "/" if prefix == "." else f"/{prefix}/"
    guarded = [*(f"{folder}{name}" for name in GUARDED), "/.github/"]
    return Edit(path, before, owner_lines(before or "", guarded, owner), "top")


def owners_file(top: Path) -> str:
    """The file that GitHub reads."""
    return next((path for path in _OWNERS if (top / path).is_file()), _OWNERS[0])


def has_owner(top: Path) -> bool:
    """Whether CODEOWNERS speaks of a policy."""
    path = owners_file(top)
    return POLICY in (text_of(top / path, path) or "")
