"""What changed for users of a model since its last release."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.revisions import Revisions
from mlci.flows.evidence import policy_at
from mlci.judge.signature_change import changes, grave
from mlci.nouns import units
from mlci.nouns.registry import Registry, SemVer

if TYPE_CHECKING:
    from mlci.flows.registry import Desk
    from mlci.nouns.registry import Bump, Release
    from mlci.nouns.report import Report
    from mlci.nouns.signature import Signature


class Next(NamedTuple):
    """The version that a release should have, and why.

    Attributes:
        version: Such as v1.3.0.
        part: What of the last version is raised; None for a first release.
        why: In one line.
    """

    version: SemVer
    part: Bump | None
    why: str


def next_version(desk: Desk, last: Release | None, commit: str, bump: Bump | None) -> Next:
    """The version of a commit: what its users must know decides.

    Args:
        desk: Where.
        last: The last release; None where there is none.
        commit: To be released.
        bump: What to raise, where somebody decided otherwise.
    """
    if last is None:
        return Next(SemVer("v1.0.0"), None, "the first release")
    part, why = _part(desk, last, commit)
    chosen = bump or part
    return Next(
        SemVer(last.version).bump(chosen), chosen, why if bump is None else f"as asked (proposed: {part}, {why})"
    )


def _part(desk: Desk, last: Release, commit: str) -> tuple[Bump, str]:
    old, new = (_signature(desk, one) for one in (last.commit, commit))
    found = changes(old, new)
    broken = [one for one in found if grave(one)]
    if broken:
        return "major", broken[0].said
    revisions = Revisions(desk.root, desk.history)
    versions = [
        revisions.version(one, model.path)
        for one in (last.commit, commit)
        if (model := policy_at(desk.history, one, desk.policy.file).policy.model) is not None
    ]
    if found or len(set(versions)) > 1:
        return "minor", found[0].said if found else "another model"
    return "patch", "the same model"


def release_notes(desk: Desk, release: Release, report: Report) -> tuple[str, tuple[str, ...]]:
    """The last release's version, and what changed since, a sentence each."""
    last = last_before(desk, release)
    if last is None:
        return "", ("The first release.",)
    lines = [one.said for one in changes(_signature(desk, last.commit), _signature(desk, release.commit))]
    compared = [one for one in report.verdict.comparisons if one.commit == last.commit and one.status == "compared"]
    name = compared[0].baseline if compared else None
    lines += [
        f"{units.metric_name(row.metric)}: {units.pair(row.metric, row.old[name] or 0.0, row.new)} "
        f"({units.signed(row.metric, row.new - (row.old[name] or 0.0))})."
        for row in report.metrics
        if name is not None and row.new is not None and row.old.get(name) is not None
    ]
    whole = [flip for one in compared for flip in one.flips if flip.slice is None]
    lines += [
        f"{units.count(flip.gained)} test rows are right now that were wrong, {units.count(flip.lost)} are wrong now."
        for flip in whole
    ]
    return last.version, tuple(lines) or (f"The same model as {last.version}.",)


def last_before(desk: Desk, release: Release) -> Release | None:
    """The highest version that stood when a release was made, so that its notes stay what they were."""
    at = release.events[-1].at
    then = Registry.fold(event for event in desk.registry.artifacts[release.artifact].history if event.at <= at)
    mine = SemVer(release.version)
    lower = [one for one in then.artifacts[release.artifact].releases if one.registered and SemVer(one.version) < mine]
    return max(lower, key=lambda one: SemVer(one.version), default=None)


def _signature(desk: Desk, commit: str) -> Signature:
    from mlci.edges.onnx.session import OnnxModel  # noqa: PLC0415 - the runtime is heavy

    model = policy_at(desk.history, commit, desk.policy.file).policy.model
    path = model.path if model is not None else ""
    return OnnxModel.load(Revisions(desk.root, desk.history).fetch(commit, path)).signature
