"""Options that say whom to believe, and where releases are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.edges.signing import Trust
    from mlci.flows.pull import Shop

Key = Annotated[Path | None, typer.Option(help="Public key (PEM) of who must have signed it.", dir_okay=False)]
Root = Annotated[list[Path] | None, typer.Option("--root", help="Certificate (PEM) to trust.")]
Identity = Annotated[str, typer.Option(help="Identity that Sigstore must vouch for.")]
Issuer = Annotated[str, typer.Option(help="Who vouches for that identity.")]
ISSUER = "https://token.actions.githubusercontent.com"
Source = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="PLACE",
        help="forge, dvc, a folder, a file or an address. Default: the forge, then DVC.",
    ),
]
Repo = Annotated[
    str, typer.Option("--repo", metavar="ADDRESS", help="The repository with the tags; default: the project's.")
]
TokenEnv = Annotated[
    str, typer.Option("--token-env", help="Variable with the token; default: GITHUB_TOKEN, then GH_TOKEN.")
]


def trusting(key: Path | None, root: list[Path] | None, identity: str, issuer: str) -> Trust:
    """Whom the options name."""
    from mlci.edges.signing import Trust

    return Trust(key=key, roots=tuple(root or ()), identity=identity, issuer=issuer)


def shop(project: Path, policy: str, repo: str, source: str, token_env: str, trust: Trust) -> Iterator[Shop]:
    """Where to look releases up, for as long as the generator is open."""
    from mlci.flows.market import Market
    from mlci.flows.shop import opened

    with opened(project, policy, Market(repo, source, token_env, trust)) as found:
        yield found
