"""All of `mlci publish`: what started this run, what was measured, who is told."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from mlci.edges.actions import API, read_trigger, write_outputs, write_summary
from mlci.edges.git import History
from mlci.errors import PolicyError
from mlci.flows.publish import NEVER_RAN, Wanted, gather, publish
from mlci.flows.publish_record import record_uses
from mlci.flows.publish_subject import subject
from mlci.flows.publish_words import comment, summary
from mlci.flows.sticky import first_line, own_comments
from mlci.nouns.forge import REPOSITORY, Patience
from mlci.nouns.publish import Published
from mlci.render.history import earlier_verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from mlci.edges.github import GitHub
    from mlci.nouns.comment import Earlier
    from mlci.nouns.forge import Trigger
    from mlci.nouns.publish import Subject, Told

_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
_MOST_SUMMARIES = 900_000
_KEY = re.compile(r"[A-Za-z0-9_.-]{0,60}")
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Asked(NamedTuple):
    """The options of the command.

    Attributes:
        wanted: What to publish.
        repository: `owner/name`; empty asks the environment.
        number: A pull request; None asks the event.
        sha: A commit; empty asks the event, or the pull request.
        token: Name of the variable that holds the token; empty takes the usual ones.
        event: File with the payload of the event; None asks the environment.
        run: Page of the run that measured; empty asks the event.
        author: Login of the app whose token it is; empty asks GitHub.
        patience: How long GitHub is asked.
    """

    wanted: Wanted
    repository: str = ""
    number: int | None = None
    sha: str = ""
    token: str = ""
    event: Path | None = None
    run: str = ""
    author: str = ""
    patience: Patience = Patience()


def wanted(here: Path, projects: tuple[str, ...], artefact: Path | None, key: str) -> Wanted:
    """What to publish, with every folder told from the top of the repository, which is how a forge names files.

    Raises:
        PolicyError: A folder is not in the repository, or the key has letters that no hidden line may have.
    """
    if not _KEY.fullmatch(key):
        raise PolicyError(f"--key {key!r} does not do", "take letters, digits, `_`, `.` and `-`")
    top = (History(here).top or here).resolve()
    told = projects or (() if artefact is not None else (".",))
    return Wanted(top, tuple(_inside(top, here.resolve(), project) for project in told), artefact, key)


def _inside(top: Path, here: Path, project: str) -> str:
    # By its name alone: a project that a pull request adds is not here.
    folder = Path(os.path.normpath(here / project))
    if not folder.is_relative_to(top):
        raise PolicyError(f"--project {project} is not in the repository {top}", "name a folder inside it")
    return folder.relative_to(top).as_posix()


def run(
    asked: Asked, env: Mapping[str, str], now: datetime | None = None, say: Callable[[str], None] = lambda _: None
) -> Published:
    """Tell the forge what a run came to.

    Args:
        asked: The options.
        env: The environment.
        now: The moment, where the use of the test set is to be recorded; None records nothing.
        say: Told what was done.

    Raises:
        PolicyError: There is no repository or no token, or an option makes no sense.
        WorldError: The event or a report cannot be read, the forge does not answer, or the ledger cannot be written.
    """
    trigger = _trigger(asked, env)
    if trigger.conclusion in NEVER_RAN:
        say(f"nothing to publish: the run ended with `{trigger.conclusion}` before anything was measured")
        return Published(sha=trigger.sha)
    with _forge(asked, env, trigger) as forge:
        about = subject(trigger, forge, number=asked.number, sha=asked.sha)
        if not about.sha:
            raise PolicyError("nobody said which commit this is about", "give --pr NUMBER, or --sha COMMIT")
        told = gather(asked.wanted, about, trigger)
        write_summary(env, _summaries(told, about))
        done = publish(forge, told, about, asked.wanted, say)
    write_outputs(env, _outputs(done, about))
    if now is not None:
        record_uses(asked.wanted.root, told, about, now, say)
    return done


def preview(asked: Asked, env: Mapping[str, str], say: Callable[[str], None] = lambda _: None) -> tuple[str, ...]:
    """The comments that `run` would write, byte for byte; the forge is asked only for what is there already.

    Arguments and errors as for `run`; without a token, nothing of the forge is shown.
    """
    trigger = _trigger(asked, env)
    known = trigger.repository and _token(asked, env)
    with _forge(asked, env, trigger) if known else contextlib.nullcontext() as forge:
        about = subject(trigger, forge, number=asked.number, sha=asked.sha)
        shown: list[str] = []
        for each in gather(asked.wanted, about, trigger):
            there, history = _history(forge, each, about)
            if each.ending == "unchanged" and not there:
                say(f"{each.project}: {each.headline}; no comment is needed")
                continue
            shown.append(comment(each, about, history))
    return tuple(shown)


def _history(forge: GitHub | None, told: Told, about: Subject) -> tuple[bool, tuple[Earlier, ...]]:
    """Whether there is a comment already, and the verdicts that it tells."""
    if forge is None or not about.pulls:
        return False, ()
    own = [one for one in own_comments(forge, about.pulls[0].number) if first_line(one.body) == told.marker]
    return bool(own), earlier_verdicts(own[0].body) if own else ()


def _trigger(asked: Asked, env: Mapping[str, str]) -> Trigger:
    if asked.repository and not REPOSITORY.fullmatch(asked.repository):
        raise PolicyError(f"{asked.repository!r} is no repository", "write it as --repo OWNER/NAME")
    trigger = read_trigger(env, asked.event)
    if asked.sha and not _SHA.fullmatch(asked.sha):
        raise PolicyError(f"--sha {asked.sha!r} is no commit", "give all 40 digits: `git rev-parse HEAD`")
    given = {"repository": asked.repository, "run": asked.run}
    try:
        return trigger.model_validate(trigger.model_dump() | {name: value for name, value in given.items() if value})
    except ValidationError as error:
        raise PolicyError(f"--run-url {asked.run!r} is no address", "give the page of the run: https://…") from error


def _token(asked: Asked, env: Mapping[str, str]) -> str:
    names = (asked.token,) if asked.token else _TOKENS
    return next((env[name] for name in names if env.get(name)), "")


@contextlib.contextmanager
def _forge(asked: Asked, env: Mapping[str, str], trigger: Trigger) -> Iterator[GitHub]:
    if not trigger.repository:
        raise PolicyError(
            "nobody said which repository this is about",
            "give --repo OWNER/NAME and --pr NUMBER; in GitHub Actions both are known; --preview needs neither",
        )
    token = _token(asked, env)
    if not token:
        names = asked.token or " or ".join(_TOKENS)
        raise PolicyError(
            f"there is no token in {names}",
            "in GitHub Actions, give the step `env: {GITHUB_TOKEN: ${{ github.token }}}`; elsewhere a token of yours; "
            "--preview needs none",
        )
    # Only who publishes needs the library, and its import takes half a second.
    from mlci.edges.github import GitHub  # noqa: PLC0415

    forge = GitHub(trigger.repository, token, env.get("GITHUB_API_URL") or API, asked.patience, asked.author)
    with contextlib.closing(forge):
        yield forge


def _summaries(told: tuple[Told, ...], about: Subject) -> str:
    return "\n".join(summary(each, about, _MOST_SUMMARIES // len(told)) for each in told)


def _outputs(done: Published, about: Subject) -> dict[str, str]:
    return {
        "outcome": done.outcome,
        "sha": done.sha,
        "pull-request": about.change,
        "comment-url": next((url for each in done.posted for url in each.comment_urls), ""),
        "check-url": next((each.check_url for each in done.posted if each.check_url), ""),
    }
