"""How a repository is set up on GitHub: what a token may do, which checks are required, what workflows may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlci.edges.forge import GoneError, NotAllowedError
from mlci.edges.github_client import asking, connect
from mlci.nouns.forge_settings import ForgeSettings

if TYPE_CHECKING:
    from github import Github

    from mlci.nouns.forge import Patience


def read_settings(repository: str, token: str, address: str, patience: Patience) -> ForgeSettings:
    """Ask GitHub; what only an administrator may see is None for everybody else.

    Args:
        repository: `owner/name`.
        token: Whose permissions are looked at.
        address: Of the API.
        patience: How long to ask.

    Raises:
        WorldError: GitHub cannot be asked, does not accept the token, or shows no such repository.
    """
    client = connect(token, address, patience)
    try:
        return _Settings(client, repository, token, address).read()
    finally:
        client.close()


class _Settings:
    def __init__(self, client: Github, repository: str, token: str, address: str) -> None:
        self._client, self._token, self._address = client, token, address
        self._path = f"/repos/{repository}"

    def read(self) -> ForgeSettings:
        about = self._ask("read the repository", "contents: read", "")
        branch = str(about["default_branch"])
        told = about.get("permissions")
        enabled = self._if_shown("/actions/permissions")
        allowed = self._if_shown("/actions/permissions/workflow")
        return ForgeSettings(
            branch=branch,
            may=tuple(name for name, yes in told.items() if yes) if isinstance(told, dict) else None,
            required=self._required(quote(branch, safe="")),
            owners=self._owners(quote(branch, safe="")),
            actions=bool(enabled["enabled"]) if enabled is not None else None,
            opens_pulls=bool(allowed["can_approve_pull_request_reviews"]) if allowed is not None else None,
        )

    def _required(self, branch: str) -> tuple[str, ...] | None:
        """Checks that the branch requires: rulesets and classic protection are two things, and both count."""
        rules, shown = self._if_shown(f"/rules/branches/{branch}"), self._if_shown(f"/branches/{branch}")
        if rules is None and shown is None:
            return None
        found: list[str] = []
        for rule in rules or ():
            if rule["type"] == "required_status_checks":
                found += [str(check["context"]) for check in rule["parameters"]["required_status_checks"]]
        protection = (shown or {}).get("protection") or {}
        classic = protection.get("required_status_checks") or {}
        found += [str(context) for context in classic.get("contexts") or ()]
        return tuple(dict.fromkeys(found))

    def _owners(self, branch: str) -> bool | None:
        """Whether code owners must approve. Classic protection shows this to administrators only."""
        rules = self._if_shown(f"/rules/branches/{branch}")
        told = [rule.get("parameters") or {} for rule in rules or () if rule["type"] == "pull_request"]
        if any(each.get("require_code_owner_review") for each in told):
            return True
        shown = self._if_shown(f"/branches/{branch}")
        if rules is None or shown is None:
            return None
        if not shown.get("protected"):
            return False
        protection = self._if_shown(f"/branches/{branch}/protection")
        reviews = (protection or {}).get("required_pull_request_reviews") or {}
        return bool(reviews.get("require_code_owner_reviews")) if protection is not None else None

    def _if_shown(self, path: str) -> Any | None:  # noqa: ANN401 - what GitHub answers
        try:
            return self._ask("read its settings", "administration: read", path)
        except (NotAllowedError, GoneError):
            return None

    def _ask(self, what: str, needs: str, path: str) -> Any:  # noqa: ANN401 - what GitHub answers
        with asking(what, needs, self._token, self._address):
            # The library has no methods for rules of a branch and for what workflows may.
            _, answer = self._client.requester.requestJsonAndCheck("GET", f"{self._path}{path}")
            return answer
