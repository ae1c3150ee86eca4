"""Where to look for releases, as options say it."""

from __future__ import annotations

from typing import NamedTuple

from mlci.edges.signing import Trust


class Market(NamedTuple):
    """Where to look, as options say it.

    Attributes:
        repo: Address or folder of the repository with the tags; empty: the project's.
        source: forge, dvc, a folder, a file or an address; empty: the forge, then DVC.
        token_env: Variable with the token; empty: the usual ones.
        trust: Whom to believe.
    """

    repo: str = ""
    source: str = ""
    token_env: str = ""
    trust: Trust = Trust()
