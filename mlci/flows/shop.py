"""Where releases are looked up and fetched: a project's repository, or another one that is borrowed."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlci.edges.borrowed import borrowed
from mlci.edges.git import History
from mlci.flows.forge_access import home
from mlci.flows.obtain import Place
from mlci.flows.pull import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.flows.market import Market


@contextmanager
def opened(project: Path, policy: str, market: Market) -> Iterator[Shop]:
    """Where to look releases up, for as long as the context is open."""
    repo, source, token_env, trust = market
    if repo:
        with borrowed(repo) as root:
            remote = repo if not Path(repo).exists() else History(root).remotes().get("origin", "")
            yield Shop(root, policy, Place(source, home(remote, os.environ, token_env) if remote else None), trust)
        return
    history = History(project)
    remote = history.remotes().get("origin", "") if history.repo is not None else ""
    known = home(remote, os.environ, token_env) or home("", os.environ, token_env)
    yield Shop(project, policy, Place(source, known), trust)
