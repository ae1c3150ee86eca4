"""What serves the model in a container: an image, and manifests for a stage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlci import __version__
from mlci.edges.write_together import text_of
from mlci.errors import PolicyError
from mlci.flows.init.answers import likely_name
from mlci.flows.init.plan import existing_policy
from mlci.nouns.serve import ServePolicy
from mlci.nouns.setup import Container, Edit
from mlci.render.serving import serving_files

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.nouns.policy import Policy
    from mlci.nouns.setup import Answers, Wishes

_DEPLOYMENT = "deploy/deployment.yaml"
_THERE = re.compile(r'mlci/release: "[^"#]+#([^"]+)"')
_IMAGE_THERE = re.compile(r"^\s+image: (\S+)$", re.MULTILINE)
_STAGE = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_IMAGE = re.compile(r"[a-z0-9][\w.:/@-]*", re.ASCII)
_MEMORY = 400e6
"""Bytes of a server whose policy has no budget: twice what a small model takes."""


def serving_edits(root: Path, wishes: Wishes, answers: Answers | None) -> list[Edit]:
    """The Dockerfile, what goes into it, and the manifests; what a person changed in them is not replaced unasked.

    Args:
        root: Folder of the project.
        wishes: What the command line says.
        answers: What is known of the project; None where it is the example.

    Raises:
        PolicyError: The stage or the image has a name that it can't have.
    """
    policy = existing_policy(root)
    name = answers.name if answers is not None else wishes.name or likely_name(root)
    texts = serving_files(_container(root, name, wishes, policy))
    edits = []
    for path, text in texts.items():
        before = text_of(root / path, path)
        edits.append(Edit(path, before, text, replaces=before is not None and before != text))
    return edits


def _container(root: Path, name: str, wishes: Wishes, policy: Policy | None) -> Container:
    there = text_of(root / _DEPLOYMENT, _DEPLOYMENT) or ""
    stages = tuple(policy.release.stages) if policy is not None and policy.release is not None else ()
    stage = wishes.stage or _first(_THERE, there) or (stages[-1] if stages else "prod")
    if not _STAGE.fullmatch(stage) or (stages and stage not in stages):
        known = f"the policy has {', '.join(stages)}" if stages else "use small letters, digits, `_`, `.` and `-`"
        raise PolicyError(f"`{stage}` is no stage", f"{known}: --stage")
    # Quotes are none of the name: YAML may need them.
    image = wishes.image or _first(_IMAGE_THERE, there).strip("'\"") or f"{name}:{stage}"
    if not _IMAGE.fullmatch(image):
        raise PolicyError(f"`{image}` is no image", "such as registry.example/flights:v1.2.0: --image")
    serve = policy.serve if policy is not None and policy.serve is not None else ServePolicy()
    budgets = policy.budgets if policy is not None else None
    memory = budgets.memory.limit if budgets is not None and budgets.memory is not None else None
    cold = budgets.cold_start.limit if budgets is not None and budgets.cold_start is not None else None
    return Container(
        name=name,
        stage=stage,
        image=image,
        version=__version__,
        seconds=serve.time.total_seconds(),
        memory=memory.value if memory is not None else _MEMORY,
        cold_start=cold.value if cold is not None else None,
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
