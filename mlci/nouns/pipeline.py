"""What became of a pipeline's stages when it was reproduced."""

from __future__ import annotations

from typing import Literal

from mlci.nouns.base import Noun, Place


class StageRun(Noun):
    """A stage that ran.

    Attributes:
        stage: Its name, with its folder where that is another one: `train`, `../features:build`.
        why: What differed from `dvc.lock`: `parameter train.max_iter`, `dependency models/train.py`, `its command`.
        stale: Whether the lock does not fit what the stage reads, other than through stages that ran before it.
        behind: Stages that ran before, whose outputs are the only thing that differed.
        differs: Outputs that it made otherwise than `dvc.lock` records.
        edited: Outputs that somebody changed after the stage had made them.
        missing: Outputs that were wanted and that neither the cache nor a remote has.
        seconds: How long it took.
        exit_code: How its command ended, where it failed.
        output: The last lines that it wrote, where it failed; they may be hostile.
        failure: Why it failed, where its command is not the reason.
        place: Where the stage is defined.
        lock: Where `dvc.lock` records it; None where it does not.
    """

    stage: str
    why: tuple[str, ...] = ()
    stale: bool = False
    behind: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    seconds: float = 0.0
    exit_code: int | None = None
    output: tuple[str, ...] = ()
    failure: str = ""
    place: Place
    lock: Place | None = None

    @property
    def failed(self) -> bool:
        """Whether it did not end well."""
        return self.exit_code is not None or bool(self.failure)


class Unpushed(Noun):
    """An output of the committed lock that a remote does not have.

    Attributes:
        path: The output.
        stage: The stage that makes it, or the `.dvc` file.
        remote: The remote's name.
        cached: Whether the local cache has it.
        place: Where the lock or the `.dvc` file records it.
    """

    path: str
    stage: str
    remote: str
    cached: bool
    place: Place


class Reproduced(Noun):
    """What came of reproducing a pipeline.

    Attributes:
        status: `none` where the project has no pipeline; `conflict` where a merge left its markers.
        runs: Stages that ran, in that order.
        unpushed: What was not pushed.
        conflicts: Where the markers are.
        remote: Whether the project has a remote at all.
        pulled: Files pulled, as the project calls them.
        pulled_bytes: Their size.
    """

    status: Literal["none", "current", "ran", "failed", "conflict"] = "none"
    runs: tuple[StageRun, ...] = ()
    unpushed: tuple[Unpushed, ...] = ()
    conflicts: tuple[Place, ...] = ()
    remote: bool = False
    pulled: tuple[str, ...] = ()
    pulled_bytes: int = 0
