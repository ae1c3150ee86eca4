"""What the doctor asks GitHub: the token, the required check, what workflows may."""

from __future__ import annotations

import subprocess

import pytest

from mlci.flows.doctor.forge import settings
from mlci.flows.doctor.patient import Patient

RULES = "/rules/branches/main"
SOURCE = {"ruleset_source_type": "Repository", "ruleset_source": "acme/flights", "ruleset_id": 1}


@pytest.fixture
def asked(tmp_path, github):
    """Ask with a token; gives what was found by check."""
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path)], check=True)
    github.setting(RULES, [])
    github.setting("/actions/permissions", {"enabled": True, "sha_pinning_required": False})
    allow(github, pulls=True)

    def ask(token=None, **environment):
        given = {"GITHUB_TOKEN": token if token is not None else github.token("acme")}
        given |= {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": github.repository}
        patient = Patient(tmp_path, environment=given | environment)
        return {line.check: line for line in settings(patient)}

    return ask


def allow(github, *, pulls):
    told = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": pulls}
    github.setting("/actions/permissions/workflow", told)


def rule(*contexts):
    needed = {
        "strict_required_status_checks_policy": False,
        "required_status_checks": [{"context": context} for context in contexts],
    }
    return {"type": "required_status_checks", **SOURCE, "parameters": needed}


def test_a_check_that_nothing_requires_is_a_failure(asked):
    found = asked()["github.required"]
    assert found.standing == "failure"
    assert "main does not require the check `mlci`: a blocked model can be merged" in found.says
    assert "https://github.com/acme/flights/settings/rules" in found.mend


def test_a_ruleset_may_require_it(asked, github):
    github.setting(RULES, [{"type": "deletion", **SOURCE}, rule("ci", "mlci")])
    assert asked()["github.required"].standing == "fine"


def test_classic_protection_may_require_it(asked, github):
    github.protect("mlci")
    github.setting("/branches/main/protection", {})
    assert asked()["github.required"].standing == "fine"


def test_other_required_checks_are_named(asked, github):
    github.setting(RULES, [rule("ci")])
    assert "(it requires ci)" in asked()["github.required"].says


def review(*, owners):
    parameters = {
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": owners,
        "require_last_push_approval": False,
        "required_approving_review_count": 1,
        "required_review_thread_resolution": False,
    }
    return {"type": "pull_request", **SOURCE, "parameters": parameters}


def test_a_branch_that_asks_no_owner_is_warned_of(asked, github):
    found = asked()["github.owners"]
    assert found.standing == "warning"
    assert "a pull request that edits the policy or a workflow can turn its own check green" in found.says
    assert "https://github.com/acme/flights/settings/rules" in found.mend
    github.setting(RULES, [review(owners=False)])
    assert asked()["github.owners"].standing == "warning"


def test_a_ruleset_may_require_owners(asked, github):
    github.setting(RULES, [rule("mlci"), review(owners=True)])
    assert asked()["github.owners"].standing == "fine"


@pytest.mark.parametrize(("owners", "standing"), [(True, "fine"), (False, "warning")])
def test_classic_protection_may_require_owners(asked, github, owners, standing):
    github.protect("mlci")
    reviews = {"dismiss_stale_reviews": False, "require_code_owner_reviews": owners}
    github.setting("/branches/main/protection", {"required_pull_request_reviews": reviews})
    assert asked()["github.owners"].standing == standing


def test_classic_protection_that_is_not_shown_was_not_asked(asked, github):
    github.protect("mlci")
    github.fault(status=403, path="/branches/main/protection", times=9)
    assert asked()["github.owners"].standing == "not_asked"


def test_workflows_must_be_allowed_to_open_pull_requests(asked, github):
    assert asked()["github.pull-requests"].standing == "fine"
    allow(github, pulls=False)
    found = asked()["github.pull-requests"]
    assert found.standing == "warning"
    assert "allow GitHub Actions to create and approve pull requests" in found.mend


def test_actions_that_are_switched_off_are_a_failure(asked, github):
    assert "github.actions" not in asked()
    github.setting("/actions/permissions", {"enabled": False, "sha_pinning_required": False})
    assert asked()["github.actions"].standing == "failure"


def test_what_only_an_administrator_may_see_was_not_asked(asked, github):
    github.fault(status=403, path="/actions/permissions", times=9)
    github.fault(status=403, path="/rules/|/branches/", times=9)
    found = asked()
    assert {name: line.standing for name, line in found.items() if name != "github.token"} == {
        "github.required": "not_asked",
        "github.owners": "not_asked",
        "github.pull-requests": "not_asked",
    }
    assert "administrator" in found["github.pull-requests"].mend


def test_a_token_that_is_not_accepted_is_told_without_showing_it(asked):
    found = asked("ghp_expired")
    assert found["github.token"].standing == "failure"
    assert "does not accept the token" in found["github.token"].says
    assert "ghp_expired" not in str(found)


def test_a_forge_that_cannot_be_reached_is_told(asked):
    found = asked(GITHUB_API_URL="http://127.0.0.1:9")
    assert found["github.token"].standing == "failure"
    assert "cannot be reached" in found["github.token"].says


def test_without_a_token_nothing_is_asked(asked, github):
    found = asked(token="")
    assert found["github.settings"].standing == "not_asked"
    assert "gh auth token" in found["github.settings"].mend
    assert github.exchanges == ()


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("https://github.com/acme/flights.git", True),
        ("https://me:secret@github.com/acme/flights", True),
        ("git@github.com:acme/flights.git", True),
        ("ssh://git@github.com/acme/flights.git", True),
        ("https://gitlab.com/acme/flights.git", False),
        ("https://github.com.example.org/acme/flights", False),
        ("../origin.git", False),
    ],
)
def test_the_repository_is_known_from_origin(asked, github, tmp_path, address, known):
    subprocess.run(["git", "remote", "add", "origin", address], cwd=tmp_path, check=True)
    found = asked(GITHUB_REPOSITORY="")
    assert ("github.required" in found) == known
    assert bool(github.exchanges) == known
