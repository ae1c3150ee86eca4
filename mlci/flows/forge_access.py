"""Which forge a repository lives on, and how we may ask it."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from mlci.edges.actions import API, GITHUB
from mlci.errors import PolicyError, WorldError
from mlci.nouns.forge import REPOSITORY, Patience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlci.edges.forge import ReleaseForge

_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
_SSH = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)")


class Home(NamedTuple):
    """Where a repository lives on a forge.

    Attributes:
        repository: `owner/name`.
        address: Of the API.
        token: May be empty: then only what is public is shown.
    """

    repository: str
    address: str
    token: str

    @property
    def shown(self) -> str:
        """For people."""
        return self.repository


def home(remote: str, env: Mapping[str, str], token_env: str = "") -> Home | None:
    """Where a repository lives, by its address; None where that is no forge that we know.

    Args:
        remote: The address of a remote; empty asks the environment, as a job has it.
        env: The environment: GITHUB_REPOSITORY, GITHUB_SERVER_URL, GITHUB_API_URL, GITHUB_TOKEN, GH_TOKEN.
        token_env: Name of another variable with the token.
    """
    repository = _repository(remote, env) if remote else env.get("GITHUB_REPOSITORY", "")
    if not REPOSITORY.fullmatch(repository):
        return None
    names = (token_env,) if token_env else _TOKENS
    token = next((env[name] for name in names if env.get(name)), "")
    return Home(repository, env.get("GITHUB_API_URL") or API, token)


def _repository(remote: str, env: Mapping[str, str]) -> str:
    if "://" in remote:
        parts = urlsplit(remote)
        host, path = parts.netloc.rpartition("@")[2], parts.path
    elif match := _SSH.fullmatch(remote):
        host, path = match[1], match[2]
    else:
        return ""
    server = urlsplit(env.get("GITHUB_SERVER_URL") or GITHUB).netloc
    if host.removeprefix("ssh.").partition(":")[0] not in {"github.com", server.partition(":")[0]}:
        return ""
    return path.strip("/").removesuffix(".git")


@contextlib.contextmanager
def asking_forge(home: Home | None, patience: Patience = Patience()) -> Iterator[ReleaseForge]:  # noqa: B008 - frozen
    """The forge, ready to be asked.

    Raises:
        PolicyError: Nobody knows which one.
        WorldError: The packages for it are not installed.
    """
    if home is None:
        raise PolicyError(
            "nobody said which repository this is about",
            "`git remote add origin https://github.com/OWNER/NAME`, or set GITHUB_REPOSITORY",
        )
    try:
        # Only who asks a forge needs the library, and its import takes half a second.
        from mlci.edges.github_releases import GitHubReleases  # noqa: PLC0415
    except ImportError as error:
        raise WorldError("asking GitHub needs further packages", '`pip install "mlci[github]"`') from error
    with contextlib.closing(GitHubReleases(home.repository, home.token, home.address, patience)) as forge:
        yield forge
