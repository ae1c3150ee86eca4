"""Serve with one process or with several, and reload when a signal or the clock asks for it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from mlci.edges.serve.reloads import Reloads
from mlci.edges.serve.server import listen_alone
from mlci.edges.serve.workers import listen_together

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.edges.serve.server import Load
    from mlci.nouns.serve import Lineup, ServePolicy


def listen(
    found: Lineup,
    load: Load,
    look: Callable[[Lineup | None], Lineup],
    policy: ServePolicy,
    root: Path,
    say: Callable[[str], None],
) -> None:
    """Serve models until SIGTERM or SIGINT; requests that are under way get their answers.

    SIGHUP looks again for what is to be served, as `policy.follow` does from time to time.

    Args:
        found: What to serve at first.
        load: Makes it ready.
        look: Finds what is to be served now.
        policy: Where to listen, limits, and what to keep.
        root: Folder that the log's file begins at.
        say: Told where it listens, and what is reloaded.

    Raises:
        WorldError: The address is taken, a model can't be loaded, or the log can't be opened.
    """
    every = policy.follow.total_seconds() if policy.follow is not None else None
    reloads = Reloads(look, found, every, say)
    signal.signal(signal.SIGHUP, lambda *_: reloads.ask())
    serve = listen_alone if policy.workers == 1 else listen_together
    serve(found, load, reloads, policy, root, say)
