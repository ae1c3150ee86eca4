"""Release a version: propose its number, ask for evidence, and tag. No evidence, no release."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.ledger import LedgerRef
from mlci.edges.revisions import Revisions
from mlci.edges.tags import NewTag
from mlci.errors import GateError, PolicyError, WorldError
from mlci.flows.bundle import report_digest
from mlci.flows.evidence import Evidence, evidence_at, policy_at
from mlci.flows.ledger import moment
from mlci.flows.release_notes import compared_with, next_version, release_notes
from mlci.flows.verdict import judged_paths
from mlci.judge.evidence import chosen, refusal
from mlci.nouns.registry import Artifact, Event, Release, SemVer, TagName

if TYPE_CHECKING:
    from datetime import datetime

    from mlci.flows.registry import Desk
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.registry import Bump
    from mlci.nouns.report import Report


_PATIENCE = 60.0  # seconds for the remote's answer
_SHOWN = 3


class Proposal(NamedTuple):
    """A release as it would be.

    Attributes:
        name: The model's name in the registry.
        version: The next version.
        previous: The last one; empty where there is none.
        why: Why it is that version.
        commit: What would be released, in full.
        notes: What changes for users of the model.
        report: The evidence.
    """

    name: str
    version: str
    previous: str
    why: str
    commit: str
    notes: tuple[str, ...]
    report: Report


def propose(desk: Desk, *, now: datetime, bump: Bump | None = None, version: str = "") -> Proposal:
    """The next release of HEAD, if there may be one.

    Args:
        desk: Where.
        now: The moment, for waivers that end.
        bump: What part of the version to raise, instead of what the change asks for.
        version: The version, instead of the next one.

    Raises:
        PolicyError: The scope in the policy is empty, or the version is none.
        GateError: There is no evidence, or it is not good enough.
        WorldError: The tree is dirty, data was not pushed, or the model can't be read.
    """
    history, commit = desk.history, desk.history.head
    if not commit:
        raise WorldError("there is no commit to release", "commit the model and its policy")
    if history.dirty:
        raise WorldError("tracked files differ from the last commit", "commit or restore them: a release is a commit")
    policy = policy_at(history, commit, desk.policy.file)
    _must_be_scoped(policy)
    _must_not_be_waived_for_ever(policy, now)
    name = desk.name()
    artifact = desk.registry.artifacts.get(name, Artifact(name=name))
    _must_be_new(artifact, commit)
    _must_be_reproduced(desk, commit, policy)
    evidence = evidence_at(desk.root, history, commit, policy)
    last = artifact.latest
    report = _must_have_evidence(desk, policy, evidence, last)
    _must_be_pushed(desk, commit, policy)
    following = next_version(desk, last, commit, bump, report)
    chosen_version = str(_asked(version) if version else following.version)
    if artifact.find(chosen_version) is not None:
        raise PolicyError(
            f"{name} {chosen_version} was released already", "take the next number: a version is never reused"
        )
    notes = _notes(desk, name, chosen_version, commit, report, now)
    return Proposal(
        name,
        chosen_version,
        last.version if last else "",
        "as asked" if version else following.why,
        commit,
        notes,
        report,
    )


def release(desk: Desk, proposal: Proposal, *, now: datetime, push: bool = True) -> Event:
    """Tag a release, after its evidence is kept beside the ledger, where the job that publishes it finds it.

    Raises WorldError where the tag exists, or the remote refuses it or the evidence; no tag is left behind then.
    """
    kept = LedgerRef(desk.root).add((), moment(now), evidence=(proposal.report,), share=push)
    if push and kept.sent == "kept":
        raise WorldError(
            f"the remote refused the evidence (refs/mlci/ledger): {kept.reason}",
            "let it take `refs/mlci/*`, or look at your credentials: whoever builds the release looks for it there",
        )
    tag = TagName("register", proposal.name, version=proposal.version)
    lines = [f"Release {proposal.name} {proposal.version}", "", *(f"- {line}" for line in proposal.notes)]
    message = "\n".join([*lines, "", f"Evidence: {report_digest(proposal.report)}", ""])
    (event,) = desk.tags.create([NewTag(tag, proposal.commit, message)], now=now, push=push)
    return event


def _must_be_scoped(policy: PolicyFile) -> None:
    model = policy.policy.model
    if model is None:
        raise PolicyError(f"{policy.file} names no model", "write `model: {name: …}` under `mlci:`")
    for key, value, what in (
        ("purpose", model.purpose, "what it is for"),
        ("owner", model.owner, "who answers for it"),
    ):
        if not value.strip():
            raise PolicyError(
                f"{policy.place('model')}: the scope of {model.name} is not stated: `{key}` is empty",
                f"write `{key}:` under `mlci.model`: {what}",
            )


def _must_not_be_waived_for_ever(policy: PolicyFile, now: datetime) -> None:
    for number, waiver in enumerate(policy.policy.waivers):
        if waiver.until < now.date():
            raise GateError(
                f"{policy.place('waivers', str(number))}: the waiver of `{waiver.check}` expired on {waiver.until}",
                "remove it if its check holds now, or let its approver renew it",
            )


def _must_be_new(artifact: Artifact, commit: str) -> None:
    same = [one for one in artifact.releases if one.registered and one.commit == commit]
    if same:
        raise PolicyError(
            f"this commit is {artifact.name} {same[0].version} already",
            f"commit a change first, or `mlci promote {artifact.name}@{same[0].version} --to STAGE`",
        )


def _must_be_reproduced(desk: Desk, commit: str, policy: PolicyFile) -> None:
    """A verdict on what an older recipe made says nothing of what the commit's recipe makes."""
    if desk.history.read(commit, "dvc.lock") is None:
        return
    from mlci.edges.dvc_state import read_stale  # noqa: PLC0415 - DVC takes a second to load

    for stage, lines in read_stale(desk.root, judged_paths(policy.policy)).items():
        more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        raise GateError(
            f"dvc.lock is stale: of stage `{stage}`, {', '.join(lines[:_SHOWN])}{more}",
            "`dvc repro`, `dvc push`, commit dvc.lock, then `mlci compare --record`",
        )


def _must_have_evidence(desk: Desk, policy: PolicyFile, evidence: Evidence, last: Release | None) -> Report:
    accept = policy.policy.release is not None and policy.policy.release.inconclusive == "accept"
    name = desk.name()
    if not evidence.reports and evidence.differs:
        raise GateError(
            f"{name} can't be released: the last verdict speaks of another {' and '.join(evidence.differs[:3])}",
            "judge what the commit holds: `dvc repro`, commit dvc.lock, then `mlci compare --record`",
        )
    why = refusal(evidence.verdicts, accept_inconclusive=accept)
    if why is not None:
        raise GateError(f"{name} can't be released: {why.problem}", why.mend)
    fitting = [one for one in evidence.reports if last is None or _compared(desk, policy, one, last)]
    why = refusal([one.verdict for one in fitting], accept_inconclusive=accept)
    if why is not None and last is not None:
        raise GateError(
            f"{name} can't be released: no passing verdict compares it with the last release, {last.version}",
            f"`mlci compare --baseline {TagName('register', name, version=last.version)} --record`",
        )
    return chosen(fitting, accept_inconclusive=accept)


def _compared(desk: Desk, policy: PolicyFile, report: Report, last: Release) -> bool:
    """Whether a report sets the candidate against a release; a policy without that baseline asks for none."""
    gate, model = policy.policy.gate, policy.policy.model
    if gate is None or model is None or "release" not in gate.baseline:
        return True
    return bool(compared_with(desk, last, report))


def _must_be_pushed(desk: Desk, commit: str, policy: PolicyFile) -> None:
    """Whoever wants to build the release later must find its data in the remote."""
    if not desk.tags.shared:
        return
    revisions = Revisions(desk.root, desk.history)
    kept = [path for path in judged_paths(policy.policy) if revisions.version(commit, path).startswith("md5:")]
    if not kept:
        return
    from mlci.edges.dvc_state import probe_remote  # noqa: PLC0415 - DVC takes a second to load

    found = probe_remote(desk.root, _PATIENCE)
    if found.problem:
        raise WorldError(f"the DVC remote can't be asked for the data: {found.problem}", "`mlci doctor` says more")
    if not found.remote:
        raise WorldError(
            "there is no DVC remote: nobody else could build this release",
            "`dvc remote add --default NAME URL`, `dvc push`; to rehearse, a folder with `--local` is enough",
        )
    missing = sorted({*found.unpushed, *found.lost} & set(kept))
    if missing:
        raise WorldError(f"the DVC remote has no {', '.join(missing)} of this commit", "`dvc push`")


def _asked(version: str) -> SemVer:
    try:
        return SemVer(version if version.startswith("v") else f"v{version}")
    except ValueError as error:
        raise PolicyError(str(error), "write it as v1.2.0") from error


def _notes(desk: Desk, name: str, version: str, commit: str, report: Report, now: datetime) -> tuple[str, ...]:
    """What the notes of this release will be, as if it were tagged now."""
    event = Event(action="register", artifact=name, version=version, commit=commit, at=now, tag=f"{name}@{version}")
    known = desk.registry.artifacts.get(name, Artifact(name=name))
    mine = Release(artifact=name, version=version, commit=commit, registered=True, events=(event,))
    with_mine = known.model_copy(update={"releases": (*known.releases, mine)})
    registry = desk.registry.model_copy(update={"artifacts": {**desk.registry.artifacts, name: with_mine}})
    then = type(desk)(desk.root, desk.policy, desk.history, desk.tags, registry)
    return release_notes(then, mine, report)[1]
