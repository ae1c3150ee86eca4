"""Forests of one kind and different size."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from mlci.edges.onnx.convert import convert
from mlci.nouns.software import LOOKS, Artefact, Numbers, Session, Software
from mlci.render.json import to_json

if TYPE_CHECKING:
    from pathlib import Path


@cache
def forest(trees: int) -> bytes:
    """One as ONNX, which reads the age."""
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"age": rng.uniform(0, 90, 300)})
    ill = (rows["age"] > 50) ^ (rng.random(300) < 0.2)
    return convert(RandomForestClassifier(trees, random_state=1).fit(rows, ill), rows).content


def told_of(new: bytes, old: bytes | None, **numbers: tuple[float, float]) -> Software:
    """A measurement on a machine that rests: a number of each model by name, the same but for 2 % in every session."""
    rng = np.random.default_rng(1)

    def session() -> Session:
        noisy = {key: [value * float(rng.normal(1, 0.02)) for value in pair] for key, pair in numbers.items()}
        first, second = (Numbers(**{key: pair[at] for key, pair in noisy.items()}) for at in (0, 1))
        return Session(share=0.98, new=first, old=second if old is not None else None)

    return Software(
        tool="mlci 0",
        model=artefact(new),
        base=artefact(old) if old is not None else None,
        machine="A machine, 2 cores",
        concurrency=32,
        sessions=tuple(session() for _ in range(LOOKS[0])),
    )


def artefact(content: bytes) -> Artefact:
    """What is known of a file."""
    return Artefact(sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def keep(root: Path, software: Software) -> None:
    """As a stage of the pipeline writes it."""
    (root / "reports").mkdir(exist_ok=True)
    (root / "reports" / "budgets.json").write_text(to_json(software))
