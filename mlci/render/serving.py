"""What `mlci init --serve` writes, as texts: an image, and manifests for Kubernetes."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from mlci.render.setup import init_templates

if TYPE_CHECKING:
    from mlci.nouns.setup import Container

_MEBI = 1 << 20
_LONGEST = 50
"""Letters of a name in Kubernetes, with room for an ending."""
FILES = {
    "Dockerfile": "Dockerfile",
    ".dockerignore": "dockerignore",
    "deploy/requirements.in": "deploy/requirements.in",
    "deploy/deployment.yaml": "deploy/deployment.yaml",
    "deploy/inferenceservice.yaml": "deploy/inferenceservice.yaml",
}
"""Where each goes, and its template."""


def serving_files(asked: Container) -> dict[str, str]:
    """Every file by its path in the project."""
    known = {
        "name": asked.name,
        "stage": asked.stage,
        "version": asked.version,
        "image": asked.image,
        "label": label(asked.name),
        "grace": math.ceil(asked.seconds) + 5,
        "starts": max(15, math.ceil((asked.cold_start or 0.0) / 2) * 3),
        # Room above the budget: what is just within it is not killed.
        "memory": math.ceil(1.25 * asked.memory / _MEBI),
    }
    templates = init_templates()

    def container(container_name: str) -> str:
        return templates.get_template("serve/container.yaml").render(known, container_name=container_name)

    more = {"pod": templates.get_template("serve/pod.yaml").render(known), "container": container}
    return {path: templates.get_template(f"serve/{name}").render(known, **more) for path, name in FILES.items()}


def label(name: str) -> str:
    """The model's name as Kubernetes takes it: small letters, digits and `-`, a letter first (RFC 1035).

    >>> label("flights"), label("2nd_model-")
    ('flights', 'model-2nd-model')
    """
    plain = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")
    return (plain if plain[:1].isalpha() else f"model-{plain}")[:_LONGEST].strip("-")
