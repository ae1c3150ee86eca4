"""How a repository is set up on its forge, as far as a token may see it."""

from __future__ import annotations

from mlci.nouns.base import Noun


class ForgeSettings(Noun):
    """What the forge enforces and allows. None: the token may not see it.

    Attributes:
        branch: The default branch.
        may: What the token may do here, by the forge's names: `pull`, `push`, `admin`; None where it is not told.
        required: The checks that the default branch requires, by protection or ruleset.
        owners: Whether the default branch requires the review of code owners.
        actions: Whether workflows run at all.
        opens_pulls: Whether a workflow may open pull requests.
    """

    branch: str
    may: tuple[str, ...] | None = None
    required: tuple[str, ...] | None = None
    owners: bool | None = None
    actions: bool | None = None
    opens_pulls: bool | None = None
