"""How GitHub must be set up for the gate to gate: asked with a token, told as not asked without."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlci.errors import MlciError
from mlci.flows.doctor.actions import CHECK
from mlci.flows.doctor.patient import Look, listed
from mlci.nouns.forge import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.flows.doctor.patient import Patient
    from mlci.nouns.diagnosis import Diagnosed
    from mlci.nouns.forge_settings import ForgeSettings

_ADDRESS = re.compile(
    r"(?:https?://|ssh://)?(?:[^@/]+@)?(?P<host>[\w.-]+)(?::\d+)?[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?"
)
_PATIENCE = Patience(tries=2, pause=0.5, limit=1, longest=5)
_WHAT = "the token's permissions, the required check, the review of code owners, what workflows may"
_HOW = "`GITHUB_TOKEN=$(gh auth token) mlci doctor` asks; `GITHUB_REPOSITORY=owner/name` names the repository"


def settings(patient: Patient) -> Iterator[Diagnosed]:
    """GitHub requires the check, and lets workflows do what the loop needs."""
    look = Look("github.settings", "GitHub")
    repository, token = _repository(patient), patient.token
    if patient.offline:
        yield look.not_asked(f"GitHub was not asked: {_WHAT}", "leave out --offline")
        return
    if not repository or not token:
        lack = "no repository of GitHub is known" if not repository else "there is no token"
        yield look.not_asked(f"GitHub was not asked ({lack}): {_WHAT}", _HOW)
        return
    try:
        from mlci.edges.github_settings import read_settings  # noqa: PLC0415 - an extra that not everybody has
    except ImportError:
        yield look.not_asked(f"GitHub was not asked: {_WHAT}", 'install the client: `pip install "mlci[github]"`')
        return
    try:
        found = read_settings(repository, token, patient.environment.get("GITHUB_API_URL") or _API, _PATIENCE)
    except MlciError as error:
        yield Look("github.token", "GitHub").broken(error)
        return
    yield from (*_token(repository, found), *_required(repository, found), *_owners(repository, found))
    yield from _workflows(repository, found)


_API = "https://api.github.com"


def _repository(patient: Patient) -> str:
    """`owner/name`: what the environment says, or where origin is, if that is GitHub."""
    if named := patient.environment.get("GITHUB_REPOSITORY", ""):
        return named
    remotes = patient.history.remotes()
    match = _ADDRESS.fullmatch(remotes.get("origin", ""))
    server = patient.environment.get("GITHUB_SERVER_URL", "https://github.com").rpartition("/")[2]
    return match["name"] if match and match["host"] in {server, f"ssh.{server}"} else ""


def _token(repository: str, found: ForgeSettings) -> Iterator[Diagnosed]:
    look = Look("github.token", "GitHub")
    if found.may is None:
        yield look.fine(f"the token may read {repository}")
    elif "push" in found.may:
        yield look.fine(f"the token may read and write {repository}")
    else:
        yield look.warning(
            f"the token may only read {repository}: it can't publish a comment, a check or the ledger",
            "nothing for a look; to publish, give a token that may write (in GitHub Actions: `permissions` of the job)",
        )


def _required(repository: str, found: ForgeSettings) -> Iterator[Diagnosed]:
    look = Look("github.required", "GitHub")
    if found.required is None:
        yield look.not_asked(
            f"whether {found.branch} requires `{CHECK}` is not shown to this token", "ask with a token that may read it"
        )
    elif CHECK in found.required:
        yield look.fine(f"the branch {found.branch} requires the check `{CHECK}`")
    else:
        other = f" (it requires {listed(found.required)})" if found.required else ""
        yield look.failure(
            f"the branch {found.branch} does not require the check `{CHECK}`{other}: a blocked model can be merged",
            f"https://github.com/{repository}/settings/rules: a ruleset for {found.branch} with the required status "
            f"check `{CHECK}`",
        )


def _owners(repository: str, found: ForgeSettings) -> Iterator[Diagnosed]:
    look = Look("github.owners", "GitHub")
    if found.owners is None:
        yield look.not_asked(
            f"whether {found.branch} requires a review by code owners is not shown to this token",
            "ask with a token of an administrator",
        )
    elif found.owners:
        yield look.fine(f"the branch {found.branch} requires a review by code owners")
    else:
        yield look.warning(
            f"the branch {found.branch} does not require a review by code owners: a pull request that edits the "
            "policy or a workflow can turn its own check green",
            f"https://github.com/{repository}/settings/rules: a ruleset for {found.branch} that requires a pull "
            "request with a review from code owners; `mlci init --owner @organisation/team` writes CODEOWNERS",
        )


def _workflows(repository: str, found: ForgeSettings) -> Iterator[Diagnosed]:
    where = f"https://github.com/{repository}/settings/actions"
    if found.actions is False:
        yield Look("github.actions", "GitHub").failure("GitHub Actions are switched off for the repository", where)
    look = Look("github.pull-requests", "GitHub")
    if found.opens_pulls is None:
        yield look.not_asked(
            "whether workflows may open pull requests (retraining does) is not shown to this token",
            "ask with a token of an administrator",
        )
    elif found.opens_pulls:
        yield look.fine("workflows may open pull requests")
    else:
        yield look.warning(
            "workflows may not open pull requests: retraining can't propose a model",
            f"{where}: allow GitHub Actions to create and approve pull requests",
        )


CHECKS = (settings,)
