"""Find the models that are to be served: files that are here, or releases that are pulled and verified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.files import digest
from mlci.edges.git import History
from mlci.edges.policy_file import load_policy
from mlci.edges.revisions import Revisions
from mlci.errors import PolicyError, WorldError
from mlci.flows.resolve import Asked
from mlci.nouns.bundle import MODEL
from mlci.nouns.policy import Policy
from mlci.nouns.serve import Lineup, ServePolicy, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlci.flows.market import Market

_PULLED = Path(".cache/mlci/serve")


class Order(NamedTuple):
    """What somebody wants served; another process can read it.

    Attributes:
        project: Folder that the policy's paths begin at.
        file: Of the policy; one that isn't there is needed only to find the model.
        model: An ONNX file, a bundle's folder or a release; empty: what the policy names.
        changes: Keys of `mlci.serve` that the command gave instead of the policy.
        market: Where releases are, and whom to believe.
        say: Told what is being done.
    """

    project: Path
    file: str
    model: str
    changes: Mapping[str, object]
    market: Market
    say: Callable[[str], None]

    def policy(self) -> Policy:
        """The policy as it is now; an empty one where there is no file and the model is named.

        Raises:
            PolicyError: It is wrong, or there is no model to serve.
        """
        here = not self.model or (self.project / self.file).is_file()
        return load_policy(self.project, self.file).policy if here else Policy()


def lineup(order: Order, asked: ServePolicy, known: Lineup | None = None) -> Lineup:
    """The models, at hand.

    Args:
        order: What is wanted.
        asked: The policy's key with the command's changes.
        known: What was found before: a release that it holds is not pulled again.

    Raises:
        PolicyError: There is no model to serve, or no such release.
        GateError: A release was withdrawn, or can't be trusted.
        WorldError: A file isn't there, or a release can't be fetched.
    """
    policy = order.policy()
    if not order.model and policy.model is None:
        raise PolicyError(
            "no model is named", "name an ONNX file, a bundle's folder or a release, or write `mlci.model`"
        )
    text = order.model or str(order.project / (policy.model.path if policy.model is not None else ""))
    before = {one.asked: one for one in (known.current, known.shadow, known.canary) if one} if known else {}
    # Paths of the policy begin at its folder, those of the command where it was called.
    beside = [str(order.project / one) if _here(order.project / one) else one for one in _beside(asked)]
    found = {one: source(order, one, before.get(one)) for one in dict.fromkeys((text, *beside))}
    shadow = found[beside[0]] if asked.shadow is not None else None
    canary = found[beside[-1]] if asked.canary is not None else None
    share = asked.canary.share if asked.canary is not None else 0.0
    return Lineup(current=found[text], shadow=shadow, canary=canary, share=share)


def _beside(asked: ServePolicy) -> list[str]:
    both = [asked.shadow, asked.canary.model if asked.canary is not None else None]
    return [one for one in both if one is not None]


def names_release(order: Order, asked: ServePolicy) -> bool:
    """Whether anything has to be looked up in a registry."""
    return any(not _here(Path(one)) and not _here(order.project / one) for one in (order.model, *_beside(asked)) if one)


def _here(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def source(order: Order, text: str, before: Source | None = None) -> Source:
    """One model, at hand; what was found before is not pulled again. Raises as `lineup` does."""
    if _here(Path(text)) or Asked.read(text) is None:
        return _local(order, text)
    return _released(order, text, before)


def _local(order: Order, text: str) -> Source:
    path = Path(text)
    file = path / MODEL if path.is_dir() else path
    if not file.is_file():
        raise WorldError(
            f"{file}: there is no such model", "run `dvc pull` or `dvc repro` to get it, or name a release"
        )
    return Source(asked=text, path=str(path), sha256=digest(file), commit=_commit(order, file))


def _commit(order: Order, file: Path) -> str:
    """The commit that holds a file as it is; empty where none does."""
    history = History(file.parent)
    if not history.head:
        return ""
    revisions = Revisions(file.parent, history)
    try:
        held = revisions.version("HEAD", file.name) or _by_project(order, file)
        return history.head if held and held == revisions.version_here(file.name, held) else ""
    except WorldError:
        return ""


def _by_project(order: Order, file: Path) -> str:
    """What the project's `dvc.lock` says of a file: it need not lie in the file's own folder."""
    project = order.project.resolve()
    if not file.resolve().is_relative_to(project):
        return ""
    return Revisions(project, History(project)).version("HEAD", file.resolve().relative_to(project).as_posix())


def _released(order: Order, text: str, before: Source | None) -> Source:
    # Loaded only where a release is named: Git, signatures and the forge are as large as the server itself.
    from mlci.flows.pull import look_up, pull  # noqa: PLC0415
    from mlci.flows.shop import opened  # noqa: PLC0415

    with opened(order.project, order.file, order.market) as shop:
        if before is not None:
            release = look_up(shop, text)
            if (release.version, release.commit) == (before.version, before.commit) and _here(Path(before.path)):
                return before
        done = pull(shop, text, order.project / _PULLED, say=order.say)
    path = Path(done.files[0])
    file = path / MODEL if path.is_dir() else path
    return Source(
        asked=text, path=str(path), sha256=digest(file), name=done.name, version=done.version, commit=done.commit
    )
