"""A consumer pulls a release: the right one, whole, verified; and nothing that was taken back."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from release_project import build, dvc, judged
from signers import key_pair

from mlci.nouns.bundle import FILES

ARCHIVE = "people-v1.0.0.tar.gz"


@pytest.fixture
def dist(released, tmp_path, keys):
    """A folder with the signed archive."""
    build(released, tmp_path / "dist", "--key", str(keys[0]))
    shutil.rmtree(tmp_path / "dist/people-v1.0.0")
    return tmp_path / "dist"


@pytest.fixture
def prod(released):
    """people v1.0.0 runs in prod, by GTO's own hand."""
    assign(released, "people#prod#1")
    return released


def assign(project, tag, commit="people@v1.0.0", message="to prod"):
    project.git("tag", "-a", tag, "-m", message, f"{commit}^{{commit}}")


def pull(project, *arguments):
    return project.mlci("pull", *map(str, arguments))


def test_from_a_folder_with_signature_and_tag(released, dist, keys, tmp_path):
    done = pull(released, "people@latest", "--from", dist, "--out", tmp_path / "here", "--key", keys[1])
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"people v1.0.0: {tmp_path}/here/people-v1.0.0\npeople v1.0.0: {tmp_path}/here/people-v1.0.0.sig\n"
    )
    assert sorted(file.name for file in (tmp_path / "here/people-v1.0.0").iterdir()) == sorted(FILES)
    assert released.mlci("verify", str(tmp_path / "here/people-v1.0.0"), "--key", str(keys[1])).returncode == 0
    again = pull(released, "people@v1.0.0", "--from", dist, "--out", tmp_path / "here")
    assert again.returncode == 0, again.stderr
    assert sorted(file.name for file in (tmp_path / "here").iterdir()) == ["people-v1.0.0", "people-v1.0.0.sig"]


@pytest.mark.usefixtures("released")
def test_an_empty_folder_needs_only_the_address_of_the_repository(dist, keys, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    command = [sys.executable, "-m", "mlci", "pull", "people@v1.0.0", "--key", str(keys[1])]
    command += ["--repo", (tmp_path / "origin.git").as_uri(), "--from", str(dist)]
    done = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["people v1.0.0: people-v1.0.0", "people v1.0.0: people-v1.0.0.sig"]
    assert sorted(file.name for file in empty.iterdir()) == ["people-v1.0.0", "people-v1.0.0.sig"]


def test_from_dvc_it_is_the_model_that_was_judged(prod, tmp_path):
    shutil.rmtree(prod.root / ".dvc/cache")
    shutil.rmtree(prod.root / ".cache", ignore_errors=True)
    mine, theirs = tmp_path / "mine.onnx", tmp_path / "theirs.onnx"
    done = pull(prod, "people#prod", "--from", "dvc", "--model", mine)
    assert done.returncode == 0, done.stderr
    dvc = [sys.executable, "-m", "dvc", "artifacts", "get", ".", "people", "--stage", "prod", "-o", str(theirs)]
    subprocess.run(dvc, cwd=prod.root, check=True, capture_output=True)
    assert mine.read_bytes() == theirs.read_bytes() == (prod.root / "model.onnx").read_bytes()


def dvc_still_answers(project, tmp_path):
    out = str(tmp_path / "dvc.onnx")
    command = [sys.executable, "-m", "dvc", "artifacts", "get", ".", "people", "--stage", "prod", "-o", out]
    return subprocess.run(command, cwd=project.root, capture_output=True, check=False).returncode == 0


def test_what_was_withdrawn_is_refused_where_dvc_still_answers(prod, dist, tmp_path):
    prod.mlci("deprecate", "people@v1.0.0", "--reason", "wrong labels")
    for name in ("people#prod", "people@v1.0.0"):
        refused = pull(prod, name, "--from", dist, "--out", tmp_path / "here")
        assert refused.returncode == 1
        assert "v1.0.0 was withdrawn by A Tester on 20" in refused.stderr
        assert "wrong labels" in refused.stderr
    assert not (tmp_path / "here").exists()
    assert dvc_still_answers(prod, tmp_path)


def test_what_was_taken_out_of_a_stage_is_refused_where_dvc_still_answers(prod, dist, tmp_path):
    assert prod.mlci("unassign", "people#prod", "-C", ".").returncode == 0
    refused = pull(prod, "people#prod", "--from", dist, "--out", tmp_path / "here")
    assert refused.returncode == 1
    assert "prod runs no version of people: v1.0.0 was taken out by A Tester on 20" in refused.stderr
    assert dvc_still_answers(prod, tmp_path)


def test_a_deprecated_model_is_refused(prod, dist):
    assert prod.mlci("deprecate", "people", "--reason", "replaced by patients").returncode == 0
    refused = pull(prod, "people@latest", "--from", dist)
    assert refused.returncode == 1
    assert "people was deprecated by A Tester on 20" in refused.stderr
    assert "replaced by patients" in refused.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("people", "'people' names no release"),
        ("people@v9.0.0", "people v9.0.0 was never released (released: v1.0.0)"),
        ("people#moon", "people has no stage 'moon' (it has: none)"),
        ("other@latest", "no version of 'other' was ever released (known: people)"),
    ],
)
def test_names_that_mean_nothing(released, name, said):
    done = pull(released, name)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_changed_download_is_not_put_in_place(released, dist, keys, tmp_path):
    (tmp_path / "here").mkdir()
    _, stranger = key_pair(tmp_path, "stranger")
    refused = pull(released, "people@v1.0.0", "--from", dist, "--out", tmp_path / "here", "--key", stranger)
    assert refused.returncode == 1
    assert "wrong signer" in refused.stderr
    (dist / "people-v1.0.0.sig").unlink()
    refused = pull(released, "people@v1.0.0", "--from", dist, "--out", tmp_path / "here", "--key", keys[1])
    assert refused.returncode == 1
    assert "unsigned" in refused.stderr
    assert list((tmp_path / "here").iterdir()) == []


def test_a_bundle_of_another_release_is_told_by_the_tag(released, dist):
    # Somebody moved the tag, or offers another bundle under its name.
    released.git("commit", "-q", "--allow-empty", "-m", "later")
    released.git("tag", "-a", "people@v1.0.1", "-m", "by hand")
    shutil.copy(dist / ARCHIVE, dist / "people-v1.0.1.tar.gz")
    refused = pull(released, "people@v1.0.1", "--from", dist)
    assert refused.returncode == 1
    assert "it is people v1.0.0 of commit" in refused.stderr
    found = released.mlci("verify", "people@v1.0.1", "--from", str(dist))
    assert found.returncode == 1
    assert "✗ it is the release that the tag names" in found.stdout


def test_verify_a_release_by_its_name(released, dist, keys):
    done = released.mlci("verify", "people@v1.0.0", "--from", str(dist), "--key", str(keys[1]))
    assert done.returncode == 0, done.stdout
    assert "✓ it is the model that the tagged commit names: git:" in done.stdout


@pytest.fixture
def server(dist):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Tests read answers, not a log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(dist))) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_from_an_address(released, server, keys, tmp_path):
    found = released.mlci("verify", f"{server}/{ARCHIVE}", "--key", str(keys[1]))
    assert found.returncode == 0, found.stdout + found.stderr
    done = pull(released, "people@v1.0.0", "--from", server, "--out", tmp_path / "here", "--key", keys[1])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here/people-v1.0.0/model.onnx").is_file()
    missing = released.mlci("verify", f"{server}/other.tar.gz")
    assert missing.returncode == 3
    assert "there is nothing at" in missing.stderr


@pytest.mark.parametrize("address", ["http://example.org/x.tar.gz", "https:///x.tar.gz"])
def test_addresses_that_anybody_on_the_way_can_change_are_refused(released, address):
    done = released.mlci("verify", address)
    assert done.returncode == 2
    assert "is no address to fetch from" in done.stderr


def test_a_model_that_dvc_keeps_comes_from_its_remote_into_an_empty_folder(ready, tmp_path):
    ready.git("rm", "-q", "--cached", "model.onnx")
    dvc(ready, "add", "model.onnx")
    dvc(ready, "remote", "modify", "store", "url", str(tmp_path / "store"))
    judged(ready, "The model in DVC")
    assert ready.mlci("release").returncode == 0
    expected = (ready.root / "model.onnx").read_bytes()
    shutil.rmtree(ready.root)

    empty = tmp_path / "empty"
    empty.mkdir()
    command = [sys.executable, "-m", "mlci", "pull", "people@latest", "--from", "dvc", "--model", "live.onnx"]
    command += ["--repo", str(tmp_path / "origin.git")]
    done = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [file.name for file in empty.iterdir()] == ["live.onnx"]
    assert (empty / "live.onnx").read_bytes() == expected


def test_a_tag_that_was_moved_is_told(released, dist, tmp_path):
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", str(tmp_path / "origin.git"), str(other)], check=True)
    who = ["-c", "user.name=M", "-c", "user.email=m@example.org"]
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "x"], cwd=other, check=True)
    subprocess.run(["git", *who, "tag", "-f", "-a", "people@v1.0.0", "-m", "moved"], cwd=other, check=True)
    subprocess.run(["git", "push", "-q", "-f", "origin", "people@v1.0.0"], cwd=other, check=True)
    refused = pull(released, "people@v1.0.0", "--from", dist)
    assert refused.returncode == 3
    assert "somebody moved it" in refused.stderr

    # Who has never seen the old one is warned by the bundle, which is of another commit.
    stranger = pull(released, "people@v1.0.0", "--from", dist, "--repo", (tmp_path / "origin.git").as_uri())
    assert stranger.returncode == 1
    assert "the tag is people v1.0.0 of commit" in stranger.stderr
