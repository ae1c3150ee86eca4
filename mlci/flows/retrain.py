"""Train a model again where production asks for it: decide, make a challenger, offer it in one pull request.

The decision is `mlci.judge.retrain.decide`. Making needs no right to write anywhere but DVC's remote, and offering
runs nothing of the pipeline: two jobs may do the two, with a folder between them.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.git import History
from mlci.edges.scratch import scratch
from mlci.edges.scratch_clone import alone
from mlci.errors import PolicyError, WorldError
from mlci.flows.forge_access import home
from mlci.flows.retrain_facts import Asking, bench, gather
from mlci.flows.retrain_issue import own_issues, tell_issues
from mlci.flows.retrain_offer import Counter, offer, read_challenger, renew
from mlci.judge.retrain import decide
from mlci.nouns.challenger import Challenger, Retraining
from mlci.nouns.forge import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mlci.flows.forge_access import Home
    from mlci.flows.retrain_facts import Bench
    from mlci.nouns.policy import PolicyFile


class Asked(NamedTuple):
    """The options of the command.

    Attributes:
        root: Folder of the project.
        policy: Its policy.
        asking: The moment, and what a person says.
        env: The environment.
        out: Folder to leave the challenger in, for somebody else to offer; None offers it.
        dry_run: Whether only to say what would be done.
        say: Told what is being done.
        patience: How long the forge is asked.
    """

    root: Path
    policy: PolicyFile
    asking: Asking
    env: Mapping[str, str]
    out: Path | None = None
    dry_run: bool = False
    say: Callable[[str], None] = lambda _: None
    patience: Patience = Patience()


def retrain(asked: Asked) -> Retraining:
    """Decide, and train and offer a challenger where that is decided.

    Raises:
        PolicyError: The policy, the parameter or the pipeline is wrong.
        WorldError: A remote, a stage or the forge is not as it must be; the next run does what is left.
    """
    place = bench(asked.root, asked.policy, asked.asking.now)
    turn = contextlib.nullcontext() if asked.dry_run else alone(asked.root, asked.say)
    with turn, _counter(asked, place) as counter:
        issues = own_issues(counter)
        facts = gather(place, asked.asking, counter.forge, issues)
        decision = decide(place.retrain, facts)
        asked.say(decision.headline)
        offered = facts.offered
        known = Retraining(
            model=place.model.name,
            decision=decision,
            pull=offered.number or None if offered is not None else None,
            url=offered.url if offered is not None else "",
            headline=decision.headline,
        )
        if asked.dry_run:
            return known
        if not decision.trains:
            renewed = renew(counter, decision) if asked.out is None and offered is not None else ""
            return known.model_copy(update={"offer": renewed})
        # Only where something is made: DVC, and what judges models, take seconds to load.
        from mlci.flows.retrain_make import make  # noqa: PLC0415

        if asked.out is not None:
            made = make(place, facts, decision, asked.out, asked.say)
            return known.model_copy(update={"challenger": made.challenger, "headline": _said(made.challenger)})
        with scratch("challenger") as folder:
            made = make(place, facts, decision, folder, asked.say)
            done = offer(counter, made.challenger, made.files)
        tell_issues(counter, done, issues)
        return done


def offer_made(asked: Asked, files: Path) -> Retraining:
    """Offer what a run left in a folder; where it left nothing, let the open pull request say what is now.

    Raises:
        PolicyError: The policy does not speak of retraining.
        WorldError: As `retrain`.
    """
    place = bench(asked.root, asked.policy, asked.asking.now)
    with _counter(asked, place) as counter:
        issues = own_issues(counter)
        if not (files / "challenger.json").is_file():
            decision = decide(place.retrain, gather(place, asked.asking, counter.forge, issues))
            # Where it would be made by now, the next run makes it.
            action = renew(counter, decision) if not decision.trains else ""
            return Retraining(
                model=place.model.name, decision=decision, offer=action, headline="no challenger was made"
            )
        done = offer(counter, read_challenger(files), files)
        tell_issues(counter, done, issues)
        return done


def _said(challenger: Challenger) -> str:
    if challenger.refused:
        return f"the challenger on {challenger.data} is refused: {challenger.why or challenger.headline}"
    return f"a challenger on {challenger.data} is made: {challenger.headline}"


@contextlib.contextmanager
def _counter(asked: Asked, place: Bench) -> Iterator[Counter]:
    where = _home(asked)
    if where is None:
        yield Counter(place, None, None, asked.env, asked.patience, asked.say)
        return
    try:
        # Only who asks a forge needs the library, and its import takes half a second.
        from mlci.edges.github_pulls import GitHubPulls  # noqa: PLC0415
    except ImportError as error:
        raise WorldError("asking GitHub needs further packages", '`pip install "mlci[github]"`') from error
    forge = GitHubPulls(where.repository, where.token, where.address, asked.patience)
    with contextlib.closing(forge):
        yield Counter(place, where, forge, asked.env, asked.patience, asked.say)


def _home(asked: Asked) -> Home | None:
    """The repository on its forge; None where its remote is none that we know."""
    remote = "" if asked.env.get("GITHUB_REPOSITORY") else History(asked.root).remotes().get("origin", "")
    if not remote and not asked.env.get("GITHUB_REPOSITORY"):
        return None
    where = home(remote, asked.env)
    if where is not None and not where.token and not asked.dry_run:
        raise PolicyError(
            "there is no token in GITHUB_TOKEN or GH_TOKEN",
            "give one that may write contents, pull requests and checks; --dry-run says what would be done without one",
        )
    return where if where is not None and where.token else None
