"""Train again: with other seeds, and once on shuffled labels, by the project's own pipeline."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci import __version__
from mlci.edges.dvc_pipeline import Pipeline, Step, read_pipeline, record_run
from mlci.edges.dvc_stages import only_checks
from mlci.edges.files import digest, replaced, write_text
from mlci.edges.machine import cores
from mlci.edges.parameters import Parameter, read_seed, write_seed
from mlci.edges.predictions import PredictionFiles
from mlci.edges.row_digests import read_row_digests
from mlci.edges.run_stages import Runner, Stopped
from mlci.edges.scratch import scratch
from mlci.edges.shuffle import shuffle_labels
from mlci.edges.work_copy import placed, work_copy
from mlci.errors import MlciError, PolicyError, WorldError
from mlci.flows.data_findings import SEEDS, table_digest
from mlci.judge.contrast import point
from mlci.nouns.metric import TASK_METRICS
from mlci.nouns.training import Retrained, Seeds, Shuffled, Train
from mlci.render.json import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlci.nouns.policy import PolicyFile

KEPT = Path(".cache/mlci/seeds")
_SHUFFLE = 20_240_101
"""Seed of the shuffle: always the same, so that the same files give the same evidence."""


class Run(NamedTuple):
    """One training: with another seed, or with the own one on shuffled labels."""

    seed: int | None
    steps: tuple[Step, ...]
    key: str

    @property
    def name(self) -> str:
        """In words."""
        return "shuffled labels" if self.seed is None else f"seed {self.seed}"


@dataclass(frozen=True)
class Case:
    """Everything that training again needs to know."""

    root: Path
    policy: PolicyFile
    train: Train
    pipeline: Pipeline
    parameter: Parameter
    files: PredictionFiles
    runs: tuple[Run, ...]
    own: int | None

    @property
    def table(self) -> str:
        """The training table whose labels are shuffled."""
        return self.train.table or self.files.gate.train

    def kept(self, run: Run) -> Path:
        """Where the predictions of a finished run are."""
        suffix = Path(self.files.gate.predictions).suffix
        return self.root / KEPT / f"{run.key}{suffix}"


def measure_seeds(root: Path, policy: PolicyFile, *, jobs: int = 1, say: Callable[[str], None]) -> Seeds:
    """Train with other seeds and on shuffled labels, as the policy asks, and write `reports/seeds.json`.

    Every training runs the stages of dvc.yaml that depend on what it changes, up to the one that writes the
    predictions, in a copy of the work tree. Nothing else of it is kept. A training that
    ended is not repeated by the next call.

    Args:
        root: Folder of the project.
        policy: What is asked.
        jobs: Trainings at the same time; 0 for one per core.
        say: Told what is being done.

    Raises:
        PolicyError: The policy asks for nothing, or for what the pipeline does not have.
        WorldError: The pipeline is not up to date, a stage fails, or a file cannot be read or written.
    """
    root = root.resolve()
    case = _case(root, policy)
    _train(case, jobs, say)
    say("measuring")
    evidence = _evidence(case)
    write_text(root / SEEDS, to_json(evidence))
    return evidence


def _case(root: Path, policy: PolicyFile) -> Case:
    train = policy.policy.train
    if train is None or not (train.seeds or train.shuffled_labels):
        raise PolicyError(
            f"{policy.file} asks for no other training",
            "add `train: {seeds: 5, shuffled_labels: true}` under `mlci`; see docs/how-to/training-noise.md",
        )
    files = PredictionFiles(root, policy)
    pipeline = read_pipeline(root)
    parameter = Parameter.named(train.seed, policy.file)
    own = read_seed(root, parameter) if train.seeds else None
    case = Case(root, policy, train, pipeline, parameter, files, (), own)
    return replace(case, runs=tuple(_runs(case)))


def _runs(case: Case) -> Iterator[Run]:
    place = case.policy.place("train")
    target = case.pipeline.maker(placed(case.root / case.files.gate.predictions))
    if target is None:
        raise PolicyError(
            f"{place}: no stage of dvc.yaml writes {case.files.gate.predictions}",
            "write the command that makes the predictions as a stage, or correct `mlci.gate.predictions`",
        )
    # The one that can fail for want of a label first.
    if case.train.shuffled_labels:
        steps = _steps(case, case.pipeline.below(_learning(case), target))
        yield Run(None, steps, _key(steps, case, None))
    if case.train.seeds:
        steps = _steps(case, case.pipeline.below(_seeded(case), target))
        others = (seed for seed in range(1, case.train.seeds + 2) if seed != case.own)
        for seed, _ in zip(others, range(case.train.seeds), strict=False):
            yield Run(seed, steps, _key(steps, case, seed))


def _seeded(case: Case) -> list[Step]:
    file = placed(case.root / case.parameter.file)
    found = [step for step in case.pipeline.steps if file in step.params and case.parameter.read_by(step.params[file])]
    if not found:
        raise PolicyError(
            f"{case.policy.place('train', 'seed')}: no stage of dvc.yaml depends on the parameter `{case.train.seed}`",
            f"add `params: [{case.parameter.key}]` to the stage that trains, and let it read its seed there",
        )
    return found


def _learning(case: Case) -> list[Step]:
    """The stages that read the training table, but for those that only check it: labels at random may fail there."""
    table = placed(case.root / case.table)
    found = [
        step
        for step in case.pipeline.steps
        if any(dep == table or dep in table.parents for dep in step.deps) and not only_checks(step.commands)
    ]
    if not found:
        raise PolicyError(
            f"{case.policy.place('train', 'table')}: no stage of dvc.yaml reads {case.table}",
            "name the table that the training reads, and put it among the `deps` of its stage",
        )
    return found


def _steps(case: Case, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if not steps:
        raise PolicyError(
            f"{case.policy.place('train')}: what the training changes does not reach {case.files.gate.predictions}",
            "each stage of dvc.yaml must name what it reads in `deps`, from the training to the predictions",
        )
    test = placed(case.root / case.files.gate.test)
    maker = next((step for step in steps if test in step.outs), None)
    if maker is not None:
        raise PolicyError(
            f"{case.policy.place('train')}: stage `{maker.name}` would make {case.files.gate.test} anew, and "
            "other test rows are no comparison",
            "name a table or a parameter that comes after the split",
        )
    stale = next(((step, step.changed[0]) for step in steps if step.changed), None)
    if stale is not None:
        raise WorldError(
            f"the predictions are not those of the work tree: of stage `{stale[0].name}` {stale[1]}",
            f"`dvc repro {steps[-1].name}` first",
        )
    return steps


def _key(steps: tuple[Step, ...], case: Case, seed: int | None) -> str:
    """Digest of everything that the outcome of a run depends on, as far as the pipeline tells."""
    told = {
        "steps": {step.name: step.recorded for step in steps},
        "change": ["seed", case.train.seed, seed] if seed is not None else ["shuffle", case.table, _SHUFFLE],
        "label": case.files.model.label,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _train(case: Case, jobs: int, say: Callable[[str], None]) -> None:
    """Run what is not kept from an earlier call, some at a time; the first that fails ends all."""
    left = [run for run in case.runs if not case.kept(run).is_file()]
    if len(left) < len(case.runs):
        say(f"{len(case.runs) - len(left)} of {len(case.runs)} trainings are kept from an earlier run")
    runner = Runner()
    with ThreadPoolExecutor(jobs or cores()) as pool:
        places = {run.key: f"{place} of {len(case.runs)}" for place, run in enumerate(case.runs, 1)}
        running = {pool.submit(_run, case, run, runner, places[run.key], say) for run in left}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
        except BaseException:
            runner.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _run(case: Case, run: Run, runner: Runner, place: str, say: Callable[[str], None]) -> None:
    began = time.monotonic()
    outs = [out for step in run.steps for out in step.outs]
    needs = [
        dep for step in run.steps for dep in step.deps if not any(dep == out or out in dep.parents for out in outs)
    ]
    try:
        with work_copy(case.pipeline, needs, outs) as copy, scratch("logs") as logs:
            root = copy.here(case.root)
            if run.seed is None:
                shuffle_labels(root / case.table, case.table, case.files.model.label, _SHUFFLE)
            else:
                write_seed(root, case.parameter, run.seed)
            # Read again: a command may hold the parameter.
            again = {step.name: step for step in read_pipeline(root, recorded=False).steps}
            for step in run.steps:
                say(f"training {place} ({run.name}): {step.name}")
                runner.run(again[step.name], copy.here(case.pipeline.root), logs / "log")
                record_run(copy.here(case.pipeline.root), step.name)
            with replaced(case.kept(run)) as temporary:
                shutil.copyfile(root / case.files.gate.predictions, temporary)
    except Stopped:
        return
    except MlciError as error:
        raise type(error)(
            f"training with {run.name}: {error.problem}",
            error.mend
            or "the copy that it ran in holds what Git holds and the `deps` of its stages: name there what it "
            "reads, and see that `dvc repro` works",
        ) from error
    say(f"training {place} ({run.name}) took {time.monotonic() - began:.0f} s")


def _evidence(case: Case) -> Seeds:
    model, gate = case.files.model, case.files.gate
    shuffled = None
    if case.train.shuffled_labels:
        file = case.root / case.train.shuffled
        with replaced(file) as temporary:
            shutil.copyfile(case.kept(next(run for run in case.runs if run.seed is None)), temporary)
        shuffled = Shuffled(table=case.table, predictions=digest(file), metrics=_metrics(case, file))
    names = dict.fromkeys(step.name for run in case.runs for step in run.steps)
    return Seeds(
        project=model.name,
        tool=f"mlci {__version__}",
        predictions=digest(case.root / gate.predictions),
        predictions_md5=digest(case.root / gate.predictions, "md5"),
        test=table_digest(case.root, gate.test),
        parameter=case.train.seed,
        seed=case.own,
        stages=tuple(names),
        metrics=_metrics(case, case.root / gate.predictions),
        retrained=tuple(
            Retrained(seed=run.seed, metrics=_metrics(case, case.kept(run)))
            for run in case.runs
            if run.seed is not None
        ),
        shuffled=shuffled,
    )


def _metrics(case: Case, predictions: Path) -> dict[str, float | None]:
    """Every metric of the task and of the gate, of some predictions of today's test rows."""
    model, gate = case.files.model, case.files.gate
    manifest = case.root / gate.trained_on
    trained_on = [read_row_digests(manifest)] if manifest.is_file() else []
    sample = answering(case.root, case.policy, predictions).load(trained_on=trained_on).sample
    names = dict.fromkeys((*TASK_METRICS[model.task], *gate.metrics))
    return {
        name: point(name, sample, sample.new, model.cost) for name in names if name != "cost" or model.cost is not None
    }


def answering(root: Path, policy: PolicyFile, predictions: Path) -> PredictionFiles:
    """The same test rows with other predictions."""
    gate = policy.policy.gate
    assert gate is not None  # noqa: S101 - `PredictionFiles` was made of this policy before
    other = gate.model_copy(update={"predictions": str(predictions.relative_to(root))})
    return PredictionFiles(root, replace(policy, policy=policy.policy.model_copy(update={"gate": other})))
