"""Judge what came of reproducing a pipeline: the lock, what was pushed, what is reproducible, what broke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlci.nouns.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlci.nouns.base import Place
    from mlci.nouns.pipeline import Reproduced, StageRun, Unpushed

_MOST_NAMED = 5
_COMMIT_LOCK = "Run `dvc repro`, commit `dvc.lock` and what else it changed, and `dvc push`."


def pipeline_findings(done: Reproduced) -> tuple[Finding, ...]:
    """One finding for each promise of the pipeline; none where the project has no pipeline."""
    if done.status == "none":
        return ()
    if done.status == "conflict":
        return tuple(_conflict(place) for place in done.conflicts)
    found = [*_broken(done.runs), _lock(done), *_edited(done.runs), *_differs(done)]
    if done.remote:
        found += _pushed(done.unpushed)
    return tuple(finding for finding in found if finding is not None)


def environment_findings(files: Sequence[str]) -> tuple[Finding, ...]:
    """Tell of files that the environment is installed from, and that no stage depends on; none where none changed."""
    if not files:
        return ()
    return (
        Finding(
            check="pipeline.environment",
            title="the model was made with the packages that are installed",
            area="pipeline",
            level="warn",
            outcome="fail",
            message=f"{_some(f'`{file}`' for file in files)} changed, and no stage of dvc.yaml depends on "
            f"{'it' if len(files) == 1 else 'them'}: what is unchanged otherwise was not made anew.",
            mend="List it under the `deps` of the stage that trains; or `dvc repro --force`, and commit what changed.",
        ),
    )


def _conflict(place: Place) -> Finding:
    name = place.file.rpartition("/")[2]
    return Finding(
        check="pipeline.conflict",
        title=f"a merge left its markers in {name}",
        area="pipeline",
        outcome="fail",
        message=f"`{place.file}` still has the markers of a merge on line {place.line}, so nobody can read it.",
        mend=f"`git checkout --theirs {place.file}` (or `--ours`), then `dvc repro`, and commit what it changed."
        if name == "dvc.lock"
        else "Choose what each part shall say, then run `dvc repro`, and commit what it changed.",
        place=place,
    )


def _broken(runs: Iterable[StageRun]) -> list[Finding]:
    return [
        Finding(
            check=f"pipeline.stage.{run.stage}",
            title=f"stage {run.stage} failed",
            area="pipeline",
            outcome="fail",
            message=f"The stage `{run.stage}` ended with exit code {run.exit_code}."
            if run.exit_code is not None
            else f"The stage `{run.stage}` could not run: {run.failure}.",
            mend=f"Run `dvc repro {run.stage}`, and mend what it says.",
            place=run.place,
            output=run.output,
        )
        for run in runs
        if run.failed
    ]


def _lock(done: Reproduced) -> Finding | None:
    stale = [run for run in done.runs if run.stale]
    if not stale:
        if done.status == "failed":
            return None
        message = "Every stage is as `dvc.lock` records it." if not done.runs else "It fits what every stage reads."
        return _held("pipeline.lock", "the lock is current", message)
    told = "; ".join(f"`{run.stage}` ({_some(map(_reason, run.why))})" for run in stale[:_MOST_NAMED])
    more = f" and {len(stale) - _MOST_NAMED} more" if len(stale) > _MOST_NAMED else ""
    behind = [run.stage for run in done.runs if not run.stale and run.behind]
    then = f" Behind them ran {_some(f'`{name}`' for name in behind)}." if behind else ""
    return Finding(
        check="pipeline.lock",
        title="the lock is stale",
        area="pipeline",
        outcome="fail",
        message=f"`dvc.lock` does not fit what this change says, so stages had to run: {told}{more}.{then}",
        mend=_COMMIT_LOCK,
        place=stale[0].lock or stale[0].place,
    )


def _edited(runs: Sequence[StageRun]) -> list[Finding]:
    """Files in Git that somebody changed by hand: a report that no check wrote, a model that nobody trained."""
    return [
        Finding(
            check=f"pipeline.edited.{path}",
            title=f"{path} is not what its stage made",
            area="pipeline",
            outcome="fail",
            message=f"`{path}` was changed after the stage `{run.stage}` had made it, so the stage ran again.",
            mend=f"Run `dvc repro {run.stage}`, and commit what it writes.",
            place=run.lock or run.place,
        )
        for run in runs
        for path in run.edited
        if not run.stale
    ]


def _differs(done: Reproduced) -> list[Finding]:
    """Outputs that come out otherwise although everything that the stage reads is the same."""
    again = [run for run in done.runs if not run.stale and not run.behind and not run.failed]
    found = [
        Finding(
            check=f"pipeline.outputs.{run.stage}",
            title="outputs differ from the lock",
            area="pipeline",
            outcome="fail",
            message=f"The stage `{run.stage}` made other bytes than `dvc.lock` records, from the same inputs: "
            f"{_some(f'`{path}`' for path in run.differs)}.",
            mend="Fix its seeds and its order, so that it can be repeated; or commit the lock of this run.",
            place=run.lock or run.place,
        )
        for run in again
        if run.differs
    ]
    if found or done.status == "failed" or not again:
        return found
    return [_held("pipeline.outputs", "outputs are as the lock records", "What ran again made the same bytes.")]


def _pushed(unpushed: Sequence[Unpushed]) -> list[Finding]:
    lost = [item for item in unpushed if not item.cached]
    here = [item for item in unpushed if item.cached]
    found = [
        Finding(
            check=f"pipeline.pushed.{item.path}",
            title=f"data was not pushed: {item.path}",
            area="pipeline",
            outcome="fail",
            message=f"`{item.path}`, an output of `{item.stage}`, is neither in the cache nor on the remote "
            f"`{item.remote}`.",
            mend=f"Whoever made it runs `dvc push {item.path}`; else `dvc repro` makes it anew.",
            place=item.place,
        )
        for item in lost
    ]
    if here:
        found.append(
            Finding(
                check="pipeline.pushed",
                title="data is not pushed yet",
                area="pipeline",
                level="warn",
                outcome="fail",
                message=f"{_some(f'`{item.path}`' for item in here)} {'is' if len(here) == 1 else 'are'} in this "
                f"machine's cache, but not on the remote `{here[0].remote}`: CI will not find "
                f"{'it' if len(here) == 1 else 'them'}.",
                mend="`dvc push`",
                place=here[0].place,
            )
        )
    return found or [_held("pipeline.pushed", "all data is pushed", "The remote has every output of the lock.")]


def _held(check: str, title: str, message: str) -> Finding:
    return Finding(check=check, title=title, area="pipeline", outcome="pass", message=message)


def _reason(text: str) -> str:
    """`parameter train.seed` with the name as code."""
    word, _, name = text.partition(" ")
    return f"{word} `{name}`" if word in {"parameter", "dependency", "output"} else text


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _MOST_NAMED} more" if len(every) > _MOST_NAMED else ""
    return ", ".join(every[:_MOST_NAMED]) + more
