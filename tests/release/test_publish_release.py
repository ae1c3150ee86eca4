"""A release on the forge: all files or none, whatever goes wrong on the way; and back by `mlci pull`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from release_project import build
from repositories import Project

from mlci.nouns.bundle import FILES

TAG = "people@v1.0.0"
ARCHIVE = "people-v1.0.0.tar.gz"


@pytest.fixture(scope="module")
def bundle(made_release, tmp_path_factory):
    """A folder with the archive of the release."""
    folder = tmp_path_factory.mktemp("bundle")
    shutil.copytree(made_release, folder, dirs_exist_ok=True)
    build(Project(folder / "repository"), folder / "dist")
    return folder / "dist"


def publish(project, bundle, *arguments):
    return project.mlci("release", "--publish", TAG, "--from", str(bundle), *arguments)


def test_a_release_has_all_files_and_says_what_changed(released, forge, keys, tmp_path):
    secret, public = keys
    arguments = ("--publish", f"refs/tags/{TAG}", "--out", str(tmp_path / "dist"), "--key", str(secret))
    done = released.mlci("release", *arguments)
    assert done.returncode == 0, done.stderr
    (shown,) = forge.releases()
    assert (shown["draft"], shown["name"]) == (False, "people v1.0.0")
    assert sorted(shown["files"]) == sorted([*FILES, ARCHIVE, "people-v1.0.0.sig"])
    assert shown["files"][ARCHIVE] == (tmp_path / "dist" / ARCHIVE).read_bytes()
    assert "- The first release." in shown["body"]
    assert "<b>now" not in shown["body"]
    assert "@everyone" not in shown["body"]

    again = released.mlci("release", *arguments, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["changed"] is False
    assert len(forge.releases()) == 1

    pulled = released.mlci("pull", "people@v1.0.0", "--out", str(tmp_path / "here"), "--key", str(public))
    assert pulled.returncode == 0, pulled.stderr
    here = tmp_path / "here/people-v1.0.0"
    assert sorted(file.name for file in here.iterdir()) == sorted(FILES)


def test_the_same_files_change_nothing_and_others_are_refused(released, forge, bundle):
    assert publish(released, bundle).returncode == 0
    before = forge.releases()
    again = publish(released, bundle)
    assert again.returncode == 0
    assert "was published already, with the same files" in again.stderr
    assert forge.releases() == before

    (changed,) = forge.releases()
    asset = next(one for one in changed["assets"] if one["name"] == "card.md")
    forge.overwrite(asset["id"], b"another card")
    refused = publish(released, bundle)
    assert refused.returncode == 3
    assert "not with these files: card.md (with other bytes)" in refused.stderr


@pytest.mark.parametrize("digests", [True, False])
@pytest.mark.parametrize("drop", ["before", "after", "half"])
def test_an_upload_that_is_cut_off_is_done_again(released, forge, bundle, drop, digests):
    forge.digests(digests)
    forge.fault(method="POST", path="/releases/.*/assets$", drop=drop)
    done = publish(released, bundle)
    assert done.returncode == 0, done.stderr
    (shown,) = forge.releases()
    assert not shown["draft"]
    assert shown["files"] == {file.name: file.read_bytes() for file in files(bundle)}


def files(bundle):
    return [bundle / ARCHIVE, *(bundle / "people-v1.0.0").iterdir()]


def test_what_was_left_half_done_is_finished_by_the_next_run(released, forge, bundle):
    forge.fault(method="POST", path="/releases/.*/assets$", status=403, message="no more", times=100)
    assert publish(released, bundle).returncode == 3
    (left,) = forge.releases()
    assert left["draft"]
    forge.clear_faults()

    # The first upload of the second run arrives, the next one is refused for good.
    forge.fault(method="POST", path="/releases/.*/assets$", delay=0)
    forge.fault(method="POST", path="/releases/.*/assets$", status=403, times=100)
    assert publish(released, bundle).returncode == 3
    (left,) = forge.releases()
    assert left["draft"]
    assert list(left["files"]) == [ARCHIVE]
    forge.clear_faults()

    before = len(forge.writes)
    assert publish(released, bundle).returncode == 0
    uploads = [path for method, path in forge.writes[before:] if method == "POST"]
    assert len(uploads) == len(FILES)
    (shown,) = forge.releases()
    assert shown["files"] == {file.name: file.read_bytes() for file in files(bundle)}


def test_two_runs_at_once_publish_one_release(released, forge, bundle):
    forge.fault(method="GET", path="/releases$", wait=2, times=2)
    command = [sys.executable, "-m", "mlci", "release", "--publish", TAG, "--from", str(bundle)]
    runs = [subprocess.Popen(command, cwd=released.root, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended = [(run.communicate()[1], run.returncode) for run in runs]
    assert 0 in [code for _, code in ended], ended
    (shown,) = forge.releases()
    assert not shown["draft"]
    assert shown["files"] == {file.name: file.read_bytes() for file in files(bundle)}
