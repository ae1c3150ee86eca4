"""Offer labels as one pull request: the table, its new version in DVC, and the pipeline reproduced with it.

All of it is made in a throw-away clone. Every step can be done again: whatever ended half-way is finished by the next
run, which starts from what is on the branches then.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.dvc_push import push_files
from mlci.edges.dvc_repro import reproduce
from mlci.edges.feedback_table import read_decisions, read_table, table_schema
from mlci.edges.files import digest
from mlci.edges.git import History
from mlci.edges.own_branch import OwnBranch
from mlci.edges.policy_file import load_policy
from mlci.edges.revisions import Revisions
from mlci.edges.scratch_clone import scratch_clone, without_secrets
from mlci.errors import PolicyError, WorldError
from mlci.flows.ci_data import wanted_files
from mlci.flows.diff_data import diff_data
from mlci.flows.feedback import Before, answers_by_text, collect, conflicts_path, pull_known, signature_of
from mlci.flows.forge_access import home
from mlci.flows.own_pull import OwnPull, bring, own_pulls
from mlci.nouns.data_policy import Table
from mlci.nouns.forge import Patience
from mlci.render.feedback import commit_message, mark_of, marker, pull_body, pull_title

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlci.edges.forge import PullForge
    from mlci.flows.feedback import Collecting
    from mlci.nouns.feedback import Collected
    from mlci.nouns.report import DataDiff

_TRIES = 5
_NOT_REPRODUCED = "The pipeline was not reproduced: no stage reads the table, or nobody asked for it."


class _Made(NamedTuple):
    """What the clone came to: in words, its commit (empty where nothing changed), and the digest of its content."""

    found: Collected
    commit: str
    digest: str
    reproduced: str


def offer(
    asked: Collecting,
    env: Mapping[str, str],
    *,
    repro: bool = True,
    patience: Patience = Patience(),  # noqa: B008 - it is frozen
) -> Collected:
    """Collect labels into one pull request, opened or updated in place.

    What an open one holds, and what people decided or committed on its branch, is kept. One that a person closed is not
    opened again until there are other labels.

    Args:
        asked: What is collected.
        env: The environment, with the token.
        repro: Whether to reproduce the pipeline with the new rows, where it reads them.
        patience: How long the forge is asked.

    Raises:
        PolicyError: Nobody said which repository, or there is no token.
        WorldError: The log, the remote or the forge does not answer, or a stage fails; the next run goes on from there.
    """
    remote = "" if env.get("GITHUB_REPOSITORY") else History(asked.root).remotes().get("origin", "")
    where = home(remote, env)
    if where is None:
        raise PolicyError(
            "nobody said which repository this is about",
            "`git remote add origin https://github.com/OWNER/NAME`, or set GITHUB_REPOSITORY",
        )
    if not where.token:
        raise PolicyError("there is no token in GITHUB_TOKEN or GH_TOKEN", "give one that may write pull requests")
    # Only who asks a forge needs the library, and its import takes half a second.
    from mlci.edges.github_pulls import GitHubPulls  # noqa: PLC0415

    with contextlib.closing(GitHubPulls(where.repository, where.token, where.address, patience)) as forge:
        return _Offering(asked, forge, repro=repro).run()


class _Offering:
    """One run."""

    def __init__(self, asked: Collecting, forge: PullForge, *, repro: bool) -> None:
        self.asked, self.forge, self.repro = asked, forge, repro
        self.branch = OwnBranch(asked.root, asked.feedback.pull.branch or f"feedback/{asked.model.name}")
        gate = asked.policy.policy.gate
        named = gate.branch if gate is not None else None
        self.base_branch = named or self.branch.default() or "main"

    def run(self) -> Collected:
        """Make, push, tell; again where somebody pushed in between."""
        for _ in range(_TRIES):
            base = self.branch.newest(self.base_branch)
            if not base:
                raise WorldError(f"there is no branch {self.base_branch}", "push it, or name one in `mlci.gate.branch`")
            tip = self.branch.tip()
            merged = not tip.commit or self.branch.is_before(tip.commit, base)
            made = self._make(base, "" if merged else tip.commit, foreign=not merged and not tip.ours)
            if not made.commit:
                return made.found
            refused = self._refused(made)
            if refused:
                self.asked.say(refused)
                return made.found
            if made.commit != tip.commit and not self.branch.push(made.commit, tip.commit):
                self.asked.say("somebody pushed to the branch meanwhile; looking again")
                continue
            return self._tell(made)
        raise WorldError(f"the branch {self.branch.name} changes again and again", "see who else pushes to it")

    def _make(self, base: str, tip: str, *, foreign: bool) -> _Made:
        """Collect in a clone at the base, with what the branch holds; at the branch where a person committed there."""
        before = self._before(base if foreign else tip) if tip else Before()
        if foreign:
            before = Before(base=before.table)
        start = tip if foreign else base
        with scratch_clone(self.asked.root, start) as clone:
            policy = load_policy(clone, self.asked.policy.file)
            place = self.asked._replace(root=clone, policy=policy, log=self._log())
            if self.asked.file:
                place = place._replace(file=str((self.asked.root / self.asked.file).resolve()))
            found = collect(place, before)
            history = History(clone)
            changed = history.changed_since(start)
            if not changed or not (found.rows or found.open):
                return _Made(found, tip if foreign else "", "", "")
            told = self._reproduced(clone, place)
            found = found.model_copy(update={"diffs": self._diffs(clone, place, base), "written": ()})
            commit = self._commit(clone, start, tip, found)
            content = hashlib.sha256()
            for path in (found.table, conflicts_path(found.table)):
                content.update(digest(clone / path).encode() if (clone / path).is_file() else b"-")
            push_files(clone, self.asked.say)
        return _Made(found, commit, content.hexdigest()[:32], told)

    def _log(self) -> str:
        """The log as it is seen from the clone: paths begin at the original's folder."""
        place = self.asked.place
        if place.startswith("sqlite:///"):
            return f"sqlite:///{(self.asked.root / place.removeprefix('sqlite:///')).resolve()}"
        return place if "://" in place else str(self.asked.root.resolve() / place)

    def _before(self, tip: str) -> Before:
        """What a commit holds."""
        with scratch_clone(self.asked.root, tip) as clone:
            table, model = self.asked.feedback.table, self.asked.model
            place = self.asked._replace(root=clone)
            pull_known(place)
            signature = signature_of(place)
            schema = table_schema(model, signature, self.asked.private)
            file = conflicts_path(table)
            return Before(
                table=read_table(clone / table, table, schema),
                decisions=read_decisions(clone / file, file, answers_by_text(signature)),
            )

    def _reproduced(self, clone: Path, place: Collecting) -> str:
        """Reproduce what reads the table, so that the lock is current and the gate shows what the rows are worth."""
        text = (clone / "dvc.yaml").read_text(encoding="utf-8") if (clone / "dvc.yaml").is_file() else ""
        if not self.repro or place.feedback.table not in text:
            return _NOT_REPRODUCED
        history = History(clone)
        with without_secrets():
            done = reproduce(clone, wanted_files(clone, place.policy, history, history.head), self.asked.say)
        failed = next((run for run in done.runs if run.failed), None)
        if failed is not None:
            said = "\n".join(failed.output) or failed.failure
            raise WorldError(
                f"stage `{failed.stage}` failed with the new rows: {said}",
                "mend it, or offer the labels alone: `--no-repro`",
            )
        names = ", ".join(f"`{run.stage}`" for run in done.runs)
        return f"Reproduced with these rows: {names or 'nothing had to run'}."

    def _diffs(self, clone: Path, place: Collecting, base: str) -> tuple[DataDiff, ...]:
        """What changed in the collected table, and in the tables that the policy names."""
        revisions = Revisions(clone, History(clone))

        def read_old(rev: str, path: str) -> Path:
            file = revisions.at_hand(rev, path)
            if file is None:
                raise WorldError(f"{path} of {rev[:10]} is not at hand")
            return file

        own = place.feedback.table
        named = place.policy.policy.data
        if all(table.path != own for table in named.values()):
            named = named | {"labels" if "labels" not in named else own: Table(path=own)}
        policy = replace(place.policy, policy=place.policy.policy.model_copy(update={"data": named}))
        names = [name for name, table in named.items() if (clone / table.path).is_file()]
        diffs = [one for name in names for one in diff_data(clone, policy, base, table=name, read_old=read_old)]
        return tuple(one for one in diffs if one.note != "unchanged" and not one.note.startswith("not compared"))

    def _commit(self, clone: Path, start: str, tip: str, found: Collected) -> str:
        """A commit with what the clone changed; the branch's own where that holds the same."""
        history = History(clone)
        assert history.top is not None  # noqa: S101 - it is a clone
        top = history.top
        files = {path: file if (file := top / path).exists() else None for path in history.changed_since(start)}
        commit = self.branch.commit(start, files, commit_message(found))
        same = tip and self.branch.parents(tip) == (start,) and not self.branch.changed(tip, commit)
        return tip if same else commit

    def _refused(self, made: _Made) -> str:
        """Why nothing is offered, where a person closed a pull request with the same content."""
        mine = own_pulls(self.forge, self.branch.name, marker(self.asked.model.name))
        last = mine[-1] if mine else None
        if last is None or last.open or last.merged or mark_of(made.digest) not in last.body:
            return ""
        return f"#{last.number} with the same labels was closed by a person, so it is not offered again"

    def _tell(self, made: _Made) -> Collected:
        policy, found = self.asked.feedback.pull, made.found
        wanted = OwnPull(
            marker(self.asked.model.name),
            self.branch.name,
            self.base_branch,
            pull_title(found),
            pull_body(found, made.digest, conflicts_path(found.table), made.reproduced),
            policy.labels,
            policy.assignees,
        )
        done = bring(self.forge, wanted)
        return found.model_copy(update={"action": done.action, "url": done.pull.url})
