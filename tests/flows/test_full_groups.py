"""`mlci compare` of rows that come in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from full_gate import N, findings, policy, two_models, write

if TYPE_CHECKING:
    from conftest import Project


def test_copies_of_rows_in_groups_do_not_settle_anything(project: Project):
    rng = np.random.default_rng(1)
    users = 40
    user = rng.integers(0, users, N)
    label = rng.random(N) < 0.4
    old = label ^ (rng.random(N) < 0.1)
    # Two users for whom the new model is always wrong.
    new = np.where(user < 2, ~label, label ^ (rng.random(N) < 0.1))
    names = np.array([f"user {i}" for i in range(users)])[user]
    write(project, label, old, new, user=names)
    policy(project, "    metrics: {accuracy: {drop: 0.01}, f1: {drop: 0.01}}\n")
    assert project.mlci("compare").returncode == 1
    policy(project, "    metrics: {accuracy: {drop: 0.01}, f1: {drop: 0.01}}\n    group: user\n")
    assert project.mlci("compare").returncode == 0
    found = findings(project)
    assert found["gate.accuracy.drop"]["outcome"] == "inconclusive"
    assert "cluster-robust" in found["gate.f1.drop"]["gate"]["method"]


def test_rows_without_a_group_stand_alone(project: Project):
    label, old, new = two_models()
    user = np.where(np.arange(N) < 100, None, np.array([f"u{i % 20}" for i in range(N)]))
    write(project, label, old, new, user=user.astype(object))
    policy(project, "    metrics: {accuracy: {drop: 0.1}}\n    group: user\n")
    run = project.mlci("compare")
    assert run.returncode == 0, run.stderr
    first = findings(project)["gate.accuracy.drop"]
    assert first["outcome"] == "pass"
    project.mlci("compare")
    assert findings(project)["gate.accuracy.drop"] == first


def test_few_groups_are_too_few(project: Project):
    label, old, new = two_models()
    write(project, label, old, new, day=np.arange(N) % 7)
    policy(project, "    metrics: {accuracy: {drop: 0.1}}\n    group: day\n")
    assert project.mlci("compare").returncode == 0
    assert findings(project)["gate.accuracy.drop"]["outcome"] == "too_small"
