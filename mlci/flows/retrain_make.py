"""Make a challenger in a throw-away clone: move the data, reproduce, judge; nobody else is told anything yet."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.dvc_push import push_files
from mlci.edges.dvc_repro import reproduce
from mlci.edges.git import History
from mlci.edges.move_parameter import move_parameter
from mlci.edges.own_branch import OwnBranch
from mlci.edges.policy_file import load_policy
from mlci.edges.scratch_clone import commit_here, scratch_clone, without_secrets, write_bundle
from mlci.edges.shell import run_command
from mlci.errors import WorldError
from mlci.flows.ci import Asked, ci
from mlci.flows.ci_data import wanted_files
from mlci.flows.data_findings import CRASHED, REPORT, load_report
from mlci.flows.report import FORMATS, save, write
from mlci.flows.retrain_facts import unfinished
from mlci.judge.headline import headline, overall
from mlci.judge.retrain import refusal, settled
from mlci.nouns.challenger import Challenger
from mlci.nouns.comment import Spent
from mlci.nouns.retrain import DataVersion
from mlci.render.json import to_json
from mlci.render.retrain import commit_message

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.flows.retrain_facts import Bench
    from mlci.nouns.policy import PolicyFile
    from mlci.nouns.report import Report
    from mlci.nouns.retrain import Decision, Facts

BUNDLE, CHALLENGER, REPORTED = "challenger.bundle", "challenger.json", "report.json"
_LONGEST_COMMAND = 6 * 3_600.0
_SAME = "the data and the model came out as they were: there is nothing new to offer"


class Made(NamedTuple):
    """What was made.

    Attributes:
        challenger: In words and numbers.
        files: Folder with `challenger.json`, and with its report and its commit where there are any.
    """

    challenger: Challenger
    files: Path


def make(place: Bench, facts: Facts, decision: Decision, out: Path, say: Callable[[str], None]) -> Made:
    """Train and judge a challenger on new data.

    Args:
        place: Where, and from which commit on.
        facts: What was decided by.
        decision: That it is to be made.
        out: Folder to leave it in.
        say: Told what is being done.

    Raises:
        PolicyError: The policy, the parameter or the pipeline is wrong.
        WorldError: The command or a stage failed other than by a gate, or storage can't be written; nothing is kept.
    """
    out.mkdir(parents=True, exist_ok=True)
    for old in (BUNDLE, CHALLENGER, REPORTED):
        (out / old).unlink(missing_ok=True)
    left = unfinished(place, decision.data.next) if decision.data.next and not facts.again else ""
    with scratch_clone(place.root, left or place.base) as clone:
        work = _Work(place, facts, decision, clone, say)
        with without_secrets():
            report = work.judged_again(left) if left else work.made()
        challenger = work.challenger(report)
        if report is not None:
            (out / REPORTED).write_text(to_json(report), encoding="utf-8")
            write(clone, report, FORMATS, out / "report")
        if challenger.commit:
            write_bundle(clone, place.base, out / BUNDLE)
    (out / CHALLENGER).write_text(to_json(challenger), encoding="utf-8")
    return Made(challenger, out)


class _Work:
    """One challenger in the making. `clone` is the project's folder in the throw-away clone."""

    def __init__(self, place: Bench, facts: Facts, decision: Decision, clone: Path, say: Callable[[str], None]) -> None:
        self.place, self.facts, self.decision, self.clone, self.say = place, facts, decision, clone, say
        self.start = time.monotonic()
        self.data = decision.data.next
        self.commit = ""
        self.why = ""
        self.stages: tuple[Spent, ...] = ()
        self.found = False

    def made(self) -> Report | None:
        """Move, reproduce, commit, judge; None where there was nothing to judge."""
        self._bring_data()
        if self.why:
            return None
        policy = load_policy(self.clone, self.place.policy.file)
        stopped = self._reproduce(policy)
        if stopped is not None:
            return stopped
        changed = History(self.clone).changed_since(self.place.base)
        if not self._has_new_outputs(changed):
            self.why = _SAME
            return None
        self._commit(changed)
        push_files(self.clone, self.say)
        return self._judge(policy)

    def judged_again(self, commit: str) -> Report:
        """The verdict on what a run left that did not end: it is trained already."""
        self.say(f"a run that did not end left {commit[:10]}, which is judged again and not trained again")
        self.commit, self.found = commit, True
        return self._judge(load_policy(self.clone, self.place.policy.file))

    def _bring_data(self) -> None:
        data = self.place.retrain.data
        if data.parameter:
            self.say(f"moving {data.parameter} to {self.decision.data.value}")
            move_parameter(self.clone, data.parameter, self.decision.data.value)
        if not data.command:
            return
        self.say(f"running {data.command}")
        told = {"MLCI_TO": self.decision.data.value, "MLCI_NOW": self.facts.now.isoformat()}
        ended = run_command(data.command, self.clone, told, seconds=_LONGEST_COMMAND)
        if ended.code != 0:
            how = "took too long" if ended.code is None else f"ended with {ended.code}"
            place = self.place.policy.place("retrain", "data", "command")
            raise WorldError(f"{place}: the command {how}: {ended.said}", f"see why `{data.command}` does")
        if data.parameter:
            return
        self.data = self._digest()
        was = settled(self.facts.attempts, self.data)
        if not self.data:
            self.why = f"`{data.command}` brought nothing new"
        elif was is not None and not self.facts.again:
            self.why = refusal(was).why

    def _digest(self) -> str:
        """Names the data by what a command changed; empty where it changed nothing."""
        history = History(self.clone)
        changed = history.changed_since(self.place.base)
        if not changed or history.top is None:
            return ""
        files = [(path, history.top / path) for path in changed]
        told = "\0".join(f"{path} {history.blob_here(file) if file.is_file() else ''}" for path, file in files)
        return f"data:{hashlib.sha256(told.encode()).hexdigest()[:16]}"

    def _reproduce(self, policy: PolicyFile) -> Report | None:
        """Run what changed; the verdict of a stage of ours that refused the data, where one did."""
        if not (self.clone / "dvc.yaml").is_file():
            return None
        (self.clone / REPORT).unlink(missing_ok=True)
        wanted = wanted_files(self.clone, policy, History(self.clone), self.place.base)
        done = reproduce(self.clone, wanted, self.say)
        self.stages = tuple(Spent(what=run.stage, seconds=round(run.seconds, 3)) for run in done.runs)
        failed = next((run for run in done.runs if run.failed), None)
        if failed is None:
            return None
        told = load_report(self.clone, REPORT) if (self.clone / REPORT).is_file() else None
        if told is not None and told.verdict.blocked and all(each.check != CRASHED for each in told.verdict.findings):
            return told
        said = "\n".join(failed.output) or failed.failure
        raise WorldError(
            f"stage `{failed.stage}` failed: {said}",
            "try it there: `dvc repro` after moving the data; the next run tries again",
        )

    def _has_new_outputs(self, changed: tuple[str, ...]) -> bool:
        """Whether anything was made: a lock with other outputs, or files besides the one with the parameter."""
        history = History(self.clone)
        data = self.place.retrain.data
        moved = history.path(data.parameter.rpartition(":")[0] or "params.yaml") if data.parameter else ""
        others = [path for path in changed if path not in {moved, history.path("dvc.lock")}]
        lock = self.clone / "dvc.lock"
        return bool(others) or _outputs(lock.read_bytes() if lock.is_file() else None) != _outputs(
            history.read(self.place.base, "dvc.lock")
        )

    def _commit(self, changed: tuple[str, ...]) -> None:
        history = History(self.clone)
        assert history.top is not None  # noqa: S101 - it is a clone
        top = history.top
        files = {path: file if (file := top / path).is_symlink() or file.exists() else None for path in changed}
        message = commit_message(self.place.model.name, self.data, self.place.base)
        branch = OwnBranch(self.clone, self.place.branch.name)
        self.commit = branch.commit(self.place.base, files, message, self.facts.now)
        commit_here(self.clone, self.commit)

    def _judge(self, policy: PolicyFile) -> Report:
        asked = Asked(base=self.place.base, policy=policy.file)
        report = ci(self.clone, asked, self.say)
        table = self.place.retrain.holdout
        if not table or report.verdict.blocked:
            return report
        # Only here: comparing takes a second to load.
        from mlci.flows.holdout import holdout_findings  # noqa: PLC0415

        held = holdout_findings(self.clone, policy, table, self.place.base, self.say)
        findings = (*report.verdict.findings, *held)
        verdict = report.verdict.model_copy(
            update={
                "findings": findings,
                "outcome": overall(findings),
                "headline": headline(findings, report.verdict.comparisons),
            }
        )
        judged = report.model_copy(update={"verdict": verdict})
        save(self.clone, judged)
        return judged

    def challenger(self, report: Report | None) -> Challenger:
        """All of it in words and numbers."""
        verdict = report.verdict if report is not None else None
        rows = [each.rows for each in verdict.comparisons if each.status == "compared"] if verdict is not None else []
        fresh = min(rows, default=None)
        least = self.place.retrain.least_labels
        why = self.why
        if not why and verdict is not None and verdict.blocked:
            why = verdict.headline
        elif not why and fresh is not None and fresh < least:
            why = f"only {fresh:,} test rows are fresh to both models, and {least:,} are needed"
        seconds = round(time.monotonic() - self.start, 1)
        price = self.place.retrain.price
        return Challenger(
            model=self.place.model.name,
            at=self.facts.now,
            decision=self.decision.model_copy(
                update={"data": self.decision.data if self.decision.data.next else DataVersion(next=self.data)}
            ),
            data=self.data,
            base=self.place.base,
            base_branch=self.place.base_branch,
            commit=self.commit,
            outcome=verdict.outcome if verdict is not None else "unchanged",
            blocked=verdict is not None and verdict.blocked,
            headline=verdict.headline if verdict is not None else why,
            why=why,
            fresh=fresh,
            diffs=report.diffs if report is not None else (),
            stages=self.stages,
            seconds=seconds,
            price=round(seconds / 3_600 * price.per_hour, 6) if price is not None else None,
            currency=price.currency if price is not None else "",
            found=self.found,
        )


def _outputs(lock: bytes | None) -> set[str]:
    """The digests of all outputs that a lock names."""
    from mlci.edges.pipeline_files import load_yaml  # noqa: PLC0415 - only here

    told = load_yaml(lock)
    stages = told.get("stages", {}) if isinstance(told, dict) else {}
    return {
        f"{out.get('path')} {out.get('md5') or out.get('etag') or out.get('checksum')}"
        for stage in stages.values()
        for out in stage.get("outs") or ()
    }
