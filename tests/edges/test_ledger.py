from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from mlci.edges.ledger import LedgerRef
from mlci.edges.ledger_tree import REF
from mlci.errors import WorldError
from mlci.nouns.ledger import Ledger, Use

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-03-01T12:00:00Z"
TEST = hashlib.sha256(b"test").hexdigest()


def a_use(candidate: object, *, test: str = TEST, at: str = AT) -> Use:
    digest = hashlib.sha256(str(candidate).encode()).hexdigest()
    return Use(test=test, candidate=digest, baselines=("git:1",), policy="p", outcome="pass", at=at)


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, input=stdin).stdout.decode()


@pytest.fixture
def origin(tmp_path) -> Path:
    """A bare repository with one commit on main."""
    seed = tmp_path / "seed"
    seed.mkdir()
    git(seed, "init", "-q", "-b", "main")
    for name in ("one", "two"):
        (seed / name).write_text(name)
        git(seed, "add", "-A")
        git(seed, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", name)
    git(tmp_path, "clone", "-q", "--bare", str(seed), "origin.git")
    return tmp_path / "origin.git"


def clone(origin: Path, name: str, *options: str) -> Path:
    git(origin.parent, "clone", "-q", *options, origin.as_uri(), name)
    return origin.parent / name


def test_a_use_is_entered_sent_and_read_elsewhere(origin):
    here, there = LedgerRef(clone(origin, "here")), LedgerRef(clone(origin, "there"))
    assert here.read() == Ledger()
    assert here.add([a_use(1)], AT).sent == "sent"
    assert not here.unsent
    assert there.read() == Ledger()
    assert there.fetch(AT).sent == "sent"
    assert there.read().uses == (a_use(1),)
    assert there.read().number(a_use(1).key) == 1
    assert there.read().number(a_use(2).key) == 2


def test_the_same_use_counts_once_wherever_it_was_entered(origin):
    here, there = LedgerRef(clone(origin, "here")), LedgerRef(clone(origin, "there"))
    later = a_use(1, at="2026-03-02T12:00:00Z")
    here.add([a_use(1)], AT)
    tip = git(origin, "rev-parse", REF)
    here.add([later], AT)
    assert git(origin, "rev-parse", REF) == tip
    there.add([later, a_use(2)], AT)
    here.fetch(AT)
    assert here.read() == there.read()
    assert set(here.read().uses) == {a_use(1), a_use(2)}
    assert len(here.read().uses) == 2


def test_a_repository_without_a_remote_keeps_its_own(tmp_path):
    git(tmp_path, "init", "-q")
    ledger = LedgerRef(tmp_path)
    assert ledger.fetch(AT).sent == "alone"
    assert ledger.add([a_use(1)], AT).sent == "alone"
    assert ledger.read().uses == (a_use(1),)
    assert not ledger.unsent


def test_a_ledger_that_begins_twice_is_joined(origin):
    here, there = LedgerRef(clone(origin, "here")), LedgerRef(clone(origin, "there"))
    assert not here.begun
    for ledger, at in ((here, AT), (there, "2026-03-02T12:00:00Z")):
        ledger.begin(at)
        ledger.begin(at)
        assert ledger.begun
        assert ledger.read() == Ledger()
    here.add([a_use(1)], AT)
    assert there.add([a_use(2)], AT).sent == "sent"
    assert set(there.read().uses) == {a_use(1), a_use(2)}


def test_outside_of_a_repository_there_is_no_ledger(tmp_path):
    with pytest.raises(WorldError, match="needs a Git repository"):
        LedgerRef(tmp_path)


def test_what_could_not_be_sent_goes_along_next_time(origin):
    folder = clone(origin, "here")
    moved = origin.rename(origin.parent / "gone.git")
    ledger = LedgerRef(folder)
    told = ledger.add([a_use(1)], AT)
    assert told.sent == "kept"
    assert "origin.git" in told.reason
    assert ledger.fetch(AT).sent == "kept"
    assert ledger.unsent
    assert ledger.read().uses == (a_use(1),)
    moved.rename(origin)
    assert ledger.add([a_use(2)], AT).sent == "sent"
    assert not ledger.unsent
    assert LedgerRef(origin).read().uses == ledger.read().uses
    assert len(ledger.read().uses) == 2


def test_a_remote_that_refuses_is_told_and_loses_nothing(origin):
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    ledger = LedgerRef(clone(origin, "here"))
    told = ledger.add([a_use(1)], AT)
    assert told.sent == "kept"
    assert told.reason
    assert ledger.read().uses == (a_use(1),)


def test_ledgers_that_grew_apart_are_joined(origin):
    here, there = LedgerRef(clone(origin, "here")), LedgerRef(clone(origin, "there"))
    here.add([a_use(1)], AT)
    git(origin.parent / "there", "remote", "set-url", "origin", "/nowhere")
    other = hashlib.sha256(b"other").hexdigest()
    there.add([a_use(1), a_use(2), a_use(3, test=other)], AT)
    git(origin.parent / "there", "remote", "set-url", "origin", origin.as_uri())
    assert there.add([], AT).sent == "sent"
    here.fetch(AT)
    assert set(here.read().uses) == {a_use(1), a_use(2), a_use(3, test=other)}
    assert here.read() == there.read()
    assert [use.test for use in here.read().of(other)] == [other]


def test_a_ref_that_was_deleted_or_rewound_grows_back(origin):
    folder = clone(origin, "here")
    ledger = LedgerRef(folder)
    ledger.add([a_use(1)], AT)
    first = git(origin, "rev-parse", REF).strip()
    ledger.add([a_use(2)], AT)
    git(origin, "update-ref", REF, first)
    ledger.add([a_use(3)], AT)
    assert len(LedgerRef(origin).read().uses) == 3
    git(origin, "update-ref", "-d", REF)
    ledger.add([], AT)
    assert len(LedgerRef(origin).read().uses) == 3


def test_shallow_clones_and_force_pushed_branches_keep_the_ledger(origin):
    LedgerRef(clone(origin, "here")).add([a_use(1)], AT)
    shallow = clone(origin, "shallow", "--depth", "1")
    ledger = LedgerRef(shallow)
    assert ledger.read() == Ledger()
    assert ledger.add([a_use(2)], AT).sent == "sent"
    assert len(ledger.read().uses) == 2
    git(shallow, "push", "-q", "--force", "origin", "HEAD:refs/heads/other")
    git(origin, "update-ref", "-d", "refs/heads/main")
    git(origin, "gc", "-q", "--prune=now")
    assert len(LedgerRef(origin).read().uses) == 2
    assert git(shallow, "rev-parse", "--is-shallow-repository").strip() == "true"


def test_nothing_of_the_user_is_touched(origin):
    folder = clone(origin, "here")
    (folder / "one").write_text("staged")
    git(folder, "add", "one")
    (folder / "two").write_text("changed")
    hook = folder / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch called\nexit 1\n")
    hook.chmod(0o755)
    seen = git(folder, "status", "--porcelain"), git(folder, "for-each-ref", "refs/heads", "refs/tags")
    before = *seen, (folder / ".git/config").read_text()
    assert LedgerRef(folder).add([a_use(1)], AT).sent == "sent"
    seen = git(folder, "status", "--porcelain"), git(folder, "for-each-ref", "refs/heads", "refs/tags")
    assert (*seen, (folder / ".git/config").read_text()) == before
    assert not (folder / "called").exists()
    assert not (folder / ".git/FETCH_HEAD").exists()
    assert git(folder, "log", "-1", "--format=%an <%ae> %ct", REF).strip() == "mlci <mlci@localhost> 1772366400"


def test_a_worktree_and_a_subfolder_share_the_ledger(origin):
    folder = clone(origin, "here")
    (folder / "sub").mkdir()
    git(folder, "worktree", "add", "-q", "../tree", "-b", "other")
    LedgerRef(folder / "sub").add([a_use(1)], AT)
    assert LedgerRef(origin.parent / "tree").read().uses == (a_use(1),)


def test_files_of_others_in_the_ledger_are_kept(origin):
    here, there = clone(origin, "here"), clone(origin, "there")
    for folder, text in ((here, b"one\n"), (there, b"one\ntwo\n")):
        blob = git(folder, "hash-object", "-w", "--stdin", stdin=text).strip()
        tree = git(folder, "mktree", stdin=f"100644 blob {blob}\thistory.jsonl\n".encode()).strip()
        named = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        git(folder, "update-ref", REF, git(folder, *named, "commit-tree", tree, "-m", "x").strip())
        assert LedgerRef(folder).add([a_use(folder.name)], AT).sent == "sent"
    assert git(origin, "show", f"{REF}:history.jsonl") == "one\ntwo\n"
    assert len(LedgerRef(origin).read().uses) == 2


def corrupt(folder: Path, name: str, content: bytes) -> str:
    blob = git(folder, "hash-object", "-w", "--stdin", stdin=content).strip()
    uses = git(folder, "mktree", stdin=f"100644 blob {blob}\t{name}\n".encode()).strip()
    tree = git(folder, "mktree", stdin=f"040000 tree {uses}\tuses\n".encode()).strip()
    named = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    commit = git(folder, *named, "commit-tree", tree, "-m", "x").strip()
    git(folder, "update-ref", REF, commit)
    return commit


BROKEN = [
    (f"{TEST}.jsonl", b"not json\n", "line 1"),
    (f"{TEST}.jsonl", a_use(1).model_dump_json().encode() + b'\n{"test": "', "line 2"),
    (f"{TEST}.jsonl", b'{"schema_version": 2}\n', "schema_version"),
    ("0.jsonl", a_use(1).model_dump_json().encode(), "another test set"),
    (f"{TEST}.jsonl", b"\xff\xfe\n", "line 1"),
]


@pytest.mark.parametrize(("name", "content", "said"), BROKEN)
def test_a_broken_ledger_is_told_and_never_written_over(origin, name, content, said):
    folder = clone(origin, "here")
    broken = corrupt(origin, name, content)
    ledger = LedgerRef(folder)
    with pytest.raises(WorldError, match=said) as told:
        ledger.add([a_use(2)], AT)
    assert "git update-ref" in told.value.mend
    assert git(origin, "rev-parse", REF).strip() == broken
    assert ledger.read().uses == (a_use(2),)
    with pytest.raises(WorldError, match=said):
        LedgerRef(origin).read()
    with pytest.raises(WorldError, match=said):
        LedgerRef(origin).add([a_use(2)], AT)
    assert git(origin, "rev-parse", REF).strip() == broken


def test_a_ref_that_is_no_commit_is_told(tmp_path):
    git(tmp_path, "init", "-q")
    git(tmp_path, "update-ref", REF, git(tmp_path, "hash-object", "-w", "--stdin", stdin=b"x").strip())
    with pytest.raises(WorldError, match="no commit of files"):
        LedgerRef(tmp_path).read()


def test_a_lock_that_stays_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("mlci.edges.ledger._TRIES", 2)
    git(tmp_path, "init", "-q")
    lock = tmp_path / ".git" / f"{REF}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(WorldError, match=r"ledger\.lock"):
        LedgerRef(tmp_path).add([a_use(1)], AT)


WRITER = """\
import hashlib, sys
from pathlib import Path
from mlci.edges.ledger import LedgerRef
from mlci.nouns.ledger import Use
folder, number, test = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
ledger = LedgerRef(folder)
for name in (f"own {number} 1", f"own {number} 2", "shared"):
    at = f"2026-03-01T12:00:{number:02}Z"
    digest = hashlib.sha256(name.encode()).hexdigest()
    use = Use(test=test, candidate=digest, baselines=("git:1",), policy="p", outcome="pass", at=at)
    print(ledger.add([use], at).sent)
"""


@pytest.mark.slow
def test_many_writers_at_once_lose_nothing_and_count_nothing_twice(origin):
    writers, clones = 16, 5
    folders = [clone(origin, f"clone{i}", *(("--depth", "1") if i % 2 else ())) for i in range(clones)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def write(number: int) -> str:
        command = [sys.executable, "-c", WRITER, str(folders[number % clones]), str(number), TEST]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    with ThreadPoolExecutor(writers) as pool:
        told = list(pool.map(write, range(writers)))
    assert told == ["sent\nsent\nsent\n"] * writers
    uses = LedgerRef(origin).read().uses
    assert {use.candidate for use in uses} == {
        a_use(name).candidate for i in range(writers) for name in (f"own {i} 1", f"own {i} 2")
    } | {a_use("shared").candidate}
    assert len(uses) == 2 * writers + 1
    assert len(git(origin, "show", f"{REF}:uses/{TEST}.jsonl").splitlines()) == 2 * writers + 1
    for folder in folders:
        LedgerRef(folder).fetch(AT)
        assert LedgerRef(folder).read().uses == uses
    git(origin, "fsck", "--strict")
