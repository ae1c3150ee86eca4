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
    from mlci.nouns.finding import Comparison
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


def next_version(desk: Desk, last: Release | None, commit: str, bump: Bump | None, report: Report) -> Next:
    """The version of a commit: what its users must know decides.

    Args:
        desk: Where.
        last: The last release; None where there is none.
        commit: To be released.
        bump: What to raise, where somebody decided otherwise.
        report: That was accepted.
    """
    if last is None:
        nothing = f"; there is no {bump} part to raise yet, `--version` says another number" if bump else ""
        return Next(SemVer("v1.0.0"), None, f"the first release{nothing}")
    part, why = _part(desk, last, commit, report)
    chosen = bump or part
    return Next(
        SemVer(last.version).bump(chosen), chosen, why if bump is None else f"as asked (proposed: {part}, {why})"
    )


def _part(desk: Desk, last: Release, commit: str, report: Report) -> tuple[Bump, str]:
    found = changes(*(_signature(desk, one) for one in (last.commit, commit)))
    broken = [one for one in found if grave(one)]
    if broken:
        return "major", broken[0].said
    if found:
        return "minor", found[0].said
    if _threshold(desk, last.commit) != _threshold(desk, commit):
        return "minor", "its scores are decided otherwise"
    old, new = (_contents(desk, one) for one in (last.commit, commit))
    if old.model == new.model:
        return "patch", "the same model"
    if old.answers == new.answers:
        return "patch", "the same model, built again: it answers every test row as before"
    return "minor", _how_it_changed(desk, last, report)


def _how_it_changed(desk: Desk, last: Release, report: Report) -> str:
    """Whether the model is better by what the policy asks, in the accepted comparison, and by how much."""
    gate = desk.policy.policy.gate
    asked = tuple(gate.metrics) if gate is not None else ()
    rows = {one.metric: one for one in _beside(desk, last, report) if one.metric in asked}
    moved = [rows[name] for name in asked if name in rows]
    if not moved:
        return "another model"
    gains = {row.metric: (row.new - row.old) * (-1 if units.less_is_better(row.metric) else 1) for row in moved}
    better = all(gain >= 0 for gain in gains.values()) and any(gain > 0 for gain in gains.values())
    first = next((row for row in moved if gains[row.metric] > 0), moved[0]) if better else moved[0]
    kind = "a better model" if better else "another model"
    told = units.pair(first.metric, first.old, first.new)
    seen = units.value(first.metric, first.old) != units.value(first.metric, first.new)
    return f"{kind}: {units.metric_name(first.metric)} {told}" if seen else kind


class _Contents(NamedTuple):
    """What a commit names: its model, and what that answers to which rows."""

    model: str
    answers: tuple[str, str] | None


def _contents(desk: Desk, commit: str) -> _Contents:
    policy, revisions = policy_at(desk.history, commit, desk.policy.file).policy, Revisions(desk.root, desk.history)
    model = revisions.version(commit, policy.model.path) if policy.model is not None else ""
    if policy.gate is None:
        return _Contents(model, None)
    answers, rows = (revisions.version(commit, path) for path in (policy.gate.predictions, policy.gate.test))
    return _Contents(model, (answers, rows) if answers and rows else None)


def _threshold(desk: Desk, commit: str) -> float | None:
    model = policy_at(desk.history, commit, desk.policy.file).policy.model
    return model.threshold if model is not None and model.task == "binary" else None


class _Beside(NamedTuple):
    """A metric of the last release and of this one, on the same rows."""

    metric: str
    old: float
    new: float


def compared_with(desk: Desk, last: Release, report: Report) -> tuple[Comparison, ...]:
    """The comparisons of a report that set the candidate against a release, by its commit or by what it holds."""
    policy = policy_at(desk.history, last.commit, desk.policy.file).policy
    paths = {policy.model.path} if policy.model is not None else set()
    paths |= {policy.gate.predictions} if policy.gate is not None else set()
    revisions = Revisions(desk.root, desk.history)
    versions = {revisions.version(last.commit, path) for path in paths} - {""}
    found = [one for one in report.verdict.comparisons if one.commit == last.commit or one.model in versions]
    return tuple(sorted(found, key=lambda one: one.commit != last.commit))


def _beside(desk: Desk, last: Release, report: Report) -> tuple[_Beside, ...]:
    name = next((one.baseline for one in compared_with(desk, last, report) if one.status == "compared"), "")
    return tuple(
        _Beside(row.metric, old, row.new)
        for row in report.metrics
        if row.new is not None and (old := row.old.get(name)) is not None
    )


def release_notes(desk: Desk, release: Release, report: Report) -> tuple[str, tuple[str, ...]]:
    """The last release's version, and what changed since, a sentence each."""
    last = last_before(desk, release)
    if last is None:
        return "", ("The first release.",)
    lines = [one.said for one in changes(_signature(desk, last.commit), _signature(desk, release.commit))]
    before, now = (_threshold(desk, one) for one in (last.commit, release.commit))
    if before != now and before is not None and now is not None:
        lines.append(f"A row is decided positive from a score of {now:g} on; it was {before:g}.")
    lines += [
        f"{units.metric_name(row.metric)}: {units.pair(row.metric, row.old, row.new)} "
        f"({units.signed(row.metric, row.new - row.old)})."
        for row in _beside(desk, last, report)
    ]
    compared = [one for one in compared_with(desk, last, report) if one.status == "compared"]
    lines += [
        f"{units.count(flip.gained)} test rows are right now that were wrong, {units.count(flip.lost)} are wrong now."
        for one in compared[:1]
        for flip in one.flips
        if flip.slice is None
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
