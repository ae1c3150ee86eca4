"""Offer a challenger that was made: push its branch, open or update the one pull request, show the gate on its head.

Nothing of the pipeline runs here. Every step can be done again: whatever ended half-way is finished by the next run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from mlci.edges.files import read_text
from mlci.edges.forge import NotAllowedError
from mlci.edges.monitor_state import StateRef
from mlci.errors import WorldError
from mlci.flows.data_findings import load_report
from mlci.flows.own_pull import OwnPull, bring, own_pulls
from mlci.flows.publish import Wanted
from mlci.flows.publish_run import Asked as PublishAsked
from mlci.flows.publish_run import run as publish
from mlci.flows.retrain_facts import REF, read_state
from mlci.flows.retrain_make import BUNDLE, CHALLENGER, REPORTED
from mlci.nouns.challenger import Challenger, Offer, Retraining
from mlci.nouns.forge import Check
from mlci.nouns.retrain import Attempt, RetrainState
from mlci.render.markdown import render_summary
from mlci.render.retrain import mark_of, marker, pull_body, pull_title, renewed_why
from mlci.render.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from mlci.edges.github_pulls import GitHubPulls
    from mlci.flows.forge_access import Home
    from mlci.flows.retrain_facts import Bench
    from mlci.nouns.forge import Conclusion, Patience
    from mlci.nouns.retrain import Decision, End

REQUIRED = "mlci"
"""The check that a branch requires: the job of `pr.yml`, which a workflow's own push does not start."""
_TRIES = 10
_MOST_KEPT = 200
_MOST_TITLE = 250
_MOST_SUMMARY = 60_000


class Counter(NamedTuple):
    """Where a challenger is offered.

    Attributes:
        place: The project.
        home: The repository on its forge; None where nobody knows one.
        forge: To ask it; None where nobody knows one.
        env: The environment, with the token and the run.
        patience: How long the forge is asked.
        say: Told what is being done.
    """

    place: Bench
    home: Home | None
    forge: GitHubPulls | None
    env: Mapping[str, str]
    patience: Patience
    say: Callable[[str], None]


def read_challenger(files: Path) -> Challenger:
    """What a run left.

    Raises:
        WorldError: It left nothing, or what another version of mlci made.
    """
    text = read_text(files / CHALLENGER, f"{files}/{CHALLENGER}", "give the folder that `mlci retrain --out` left")
    try:
        return Challenger.model_validate_json(text)
    except ValidationError as error:
        raise WorldError(
            f"{files}/{CHALLENGER} is none of this version of mlci", "let the run that trained run again"
        ) from error


def offer(counter: Counter, challenger: Challenger, files: Path) -> Retraining:
    """Offer a challenger, or keep that it was refused.

    Args:
        counter: Where.
        challenger: What was made.
        files: The folder with its commit and its report.

    Raises:
        WorldError: The remote or the forge does not answer or does not let us; the next run does what is left.
    """
    place = counter.place
    known = {"model": place.model.name, "challenger": challenger, "decision": challenger.decision}
    if challenger.refused:
        end: End = "refused"
        keep(place, _attempt(challenger, end))
        line = f"the challenger on {challenger.data} is refused: {challenger.why or challenger.headline}"
        return Retraining(**known, offer="refused", headline=line)
    commit = _pushed(place, challenger, files)
    if counter.forge is None or counter.home is None:
        keep(place, _attempt(challenger, "offered", commit))
        line = f"the challenger on {challenger.data} is on the branch {place.branch.name}: open a pull request from it"
        return Retraining(**known, offer="pushed", headline=line)
    brought = bring(counter.forge, _wanted(counter, challenger))
    pull = brought.pull
    counter.say(f"#{pull.number}: {brought.action} {pull.url}")
    _show_gate(counter, challenger, commit, files)
    problems = _publish(counter, pull.number, commit, files)
    merged = not problems and _merge(counter, challenger, pull.number, commit)
    keep(place, _attempt(challenger, "merged" if merged else "offered", commit, pull.number))
    done: Offer = "merged" if merged else brought.action
    return Retraining(
        **known,
        offer=done,
        pull=pull.number,
        url=pull.url,
        headline=f"#{pull.number} offers a challenger on {challenger.data}: {challenger.headline}",
        problems=problems,
    )


def renew(counter: Counter, decision: Decision) -> Offer:
    """Let the open pull request say what asks for it by now; empty where there is none on a forge."""
    if counter.forge is None:
        return ""
    mine = [each for each in own_pulls(counter.forge, counter.place.branch.name, _marker(counter)) if each.open]
    if not mine:
        return ""
    body = renewed_why(mine[0].body, decision)
    if body == mine[0].body.replace("\r\n", "\n"):
        return "kept"
    counter.forge.edit_pull(mine[0], title=mine[0].title, body=body, is_open=True)
    return "updated"


def keep(place: Bench, attempt: Attempt) -> None:
    """Keep what became of a challenger; nobody's entry is lost, and none is there twice.

    Raises:
        WorldError: The state can't be read or written.
    """
    store = StateRef(place.root, REF, "retraining")
    for _ in range(_TRIES):
        state, kept = read_state(place.root, place.model.name)
        others = tuple(each for each in state.attempts if _key(each) != _key(attempt))
        new = RetrainState(model=place.model.name, attempts=(*others, attempt)[-_MOST_KEPT:])
        if new == state or store.write(place.model.name, new.model_dump_json(), kept.version):
            return
    raise WorldError("others retrain at the same time, again and again", "see how often `mlci retrain` is run")


def _key(attempt: Attempt) -> tuple[object, ...]:
    """What is the same challenger, whichever run tells of it: two at once may have made it."""
    return (attempt.data, attempt.base, attempt.commit or attempt.end)


def _attempt(challenger: Challenger, end: End, commit: str = "", pull: int | None = None) -> Attempt:
    return Attempt(
        at=challenger.at,
        data=challenger.data,
        end=end,
        why=(challenger.why or challenger.headline)[:2_000],
        commit=commit,
        base=challenger.base,
        pull=pull,
    )


def _pushed(place: Bench, challenger: Challenger, files: Path) -> str:
    """Push the challenger's commit to our branch, over nothing but what is ours."""
    branch = place.branch
    commit = branch.take(files / BUNDLE)
    if commit != challenger.commit or branch.parents(commit) != (challenger.base,):
        raise WorldError("the challenger's commit is not the one that was judged", "let the run that trained run again")
    if not branch.is_before(challenger.base, place.base):
        raise WorldError(
            f"{challenger.base[:10]}, from which the challenger was made, is not in {place.base_branch}",
            "let the run that trained run again",
        )
    for _ in range(_TRIES):
        tip = branch.tip()
        if tip.commit == commit:
            return commit
        if tip.commit and not tip.ours:
            raise WorldError(
                f"somebody else pushed to {branch.name}, which would be lost",
                "merge or close its pull request, and delete the branch",
            )
        if branch.push(commit, tip.commit):
            return commit
    raise WorldError(f"the branch {branch.name} changes as often as it is pushed", "see who else pushes to it")


def _marker(counter: Counter) -> str:
    return marker(counter.place.model.name)


def _wanted(counter: Counter, challenger: Challenger) -> OwnPull:
    place = counter.place
    told = place.retrain.pull
    body = pull_body(challenger, _run(counter.env), place.branch.name)
    return OwnPull(
        marker=_marker(counter),
        branch=place.branch.name,
        base=place.base_branch,
        title=pull_title(challenger.model, challenger.data),
        body=body,
        labels=told.labels,
        assignees=told.assignees,
    )


def _run(env: Mapping[str, str]) -> str:
    parts = [env.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else ""


def _show_gate(counter: Counter, challenger: Challenger, commit: str, files: Path) -> None:
    """Show, on the head, the check that the branch may require: no workflow is started for it by our push."""
    assert counter.forge is not None  # noqa: S101 - asked by the caller
    conclusion: Conclusion = "success" if challenger.outcome in {"pass", "unchanged"} else "neutral"
    title = clean(challenger.headline, _MOST_TITLE)
    run = _run(counter.env)
    check = Check(
        name=REQUIRED,
        sha=commit,
        key=f"mlci:retrain:{challenger.model}",
        conclusion=conclusion,
        title=title,
        summary=render_summary(load_report(files, REPORTED), limit=_MOST_SUMMARY),
        url=run,
    )
    try:
        shown = counter.forge.shown_check(check)
        if shown is None or (shown.conclusion, shown.title) != (conclusion, title):
            counter.forge.add_check(check)
    except NotAllowedError as refused:
        # A person's token may show a status, and no check.
        try:
            counter.forge.set_status(commit, REQUIRED, conclusion, title, run)
        except NotAllowedError:
            raise refused from None


def _publish(counter: Counter, number: int, commit: str, files: Path) -> tuple[str, ...]:
    """The report as it is published of every pull request: the comment, the check with remarks, the ledger."""
    place = counter.place
    assert counter.home is not None  # noqa: S101 - asked by the caller
    artefact = files / "published"
    folder = place.project
    target = artefact if folder == "." else artefact / folder
    target.mkdir(parents=True, exist_ok=True)
    (target / "report.json").write_bytes((files / REPORTED).read_bytes())
    asked = PublishAsked(
        wanted=Wanted(place.top, (folder,), artefact),
        repository=counter.home.repository,
        number=number,
        sha=commit,
        patience=counter.patience,
    )
    done = publish(asked, counter.env, _now(counter), counter.say)
    return done.problems


def _now(counter: Counter) -> datetime | None:
    return None if counter.place.branch.remote is None else counter.place.now


def _merge(counter: Counter, challenger: Challenger, number: int, commit: str) -> bool:
    """Merge our own pull request at the commit that was judged, where the policy lets it be and every check passed."""
    assert counter.forge is not None  # noqa: S101 - asked by the caller
    if counter.place.retrain.pull.merge != "pass" or challenger.outcome != "pass":
        return False
    mine = own_pulls(counter.forge, counter.place.branch.name, _marker(counter))
    pull = next((each for each in mine if each.number == number and each.open), None)
    if pull is None or pull.head_sha != commit or mark_of(pull.body, "data") != challenger.data:
        return False
    if counter.forge.merge_pull(pull, commit):
        counter.say(f"#{number}: merged, as the policy says")
        return True
    counter.say(f"#{number}: GitHub does not merge it now: a rule of the branch or a conflict stands in the way")
    return False
