"""Releases of a real model: evidence, bundle, signature, verification; in real repositories with a real DVC remote."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from datetime import timedelta
from pathlib import Path

import onnx
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from release_project import DVC, POLICY, build, dvc, judged, train
from signers import certificates, key_pair

from mlci.nouns.bundle import FILES, SUMS


def test_a_release_is_a_tag_with_its_notes_and_its_evidence(ready):
    dry = ready.mlci("release", "--dry-run")
    assert dry.stdout == "people v1.0.0: the first release\n  The first release.\n", dry.stderr
    assert ready.git("tag") == ""
    done = ready.mlci("release")
    assert done.returncode == 0, done.stderr
    assert "tagged people@v1.0.0" in done.stderr
    message = ready.git("for-each-ref", "--format=%(contents)", "refs/tags/people@v1.0.0")
    assert "- The first release." in message
    assert ready.git("ls-remote", "origin", "refs/tags/people@v1.0.0")
    assert ready.git("ls-remote", "origin", "refs/mlci/ledger")
    again = ready.mlci("release")
    assert again.returncode == 2
    assert "this commit is people v1.0.0 already" in again.stderr


def test_what_changed_decides_the_next_version(released, people):
    (released.root / "notes.md").write_text("words")
    judged(released, "Only words")
    assert released.mlci("release", "--dry-run").stdout.startswith("people v1.0.1, after v1.0.0: the same model\n")

    model = onnx.load(released.root / "model.onnx")
    model.doc_string = "built again"
    (released.root / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    judged(released, "Built again")
    proposed = released.mlci("release", "--dry-run").stdout
    assert proposed.startswith("people v1.0.1, after v1.0.0: the same model, built again: it answers every test row")

    train(released, people, ("fever",), seed=1, wrong=0.02)
    judged(released, "The same columns, trained again")
    assert released.mlci("release", "--dry-run").stdout.startswith("people v1.1.0, after v1.0.0: another model\n")

    (released.root / "params.yaml").write_text(
        POLICY.replace("    id: person\n", "    id: person\n    threshold: 0.4\n")
    )
    released.git("checkout", "-q", "HEAD~1", "--", "model.onnx")
    scored = released.mlci("score", "model.onnx", "test.parquet", "--out", "predictions.parquet")
    assert scored.returncode == 0, scored.stderr
    judged(released, "Other decisions")
    proposed = released.mlci("release", "--dry-run").stdout
    assert proposed.startswith("people v1.1.0, after v1.0.0: its scores are decided otherwise\n")
    assert "A row is decided positive from a score of 0.4 on; it was 0.5." in proposed

    train(released, people, ("fever", "pulse"))
    judged(released, "A further column")
    proposed = released.mlci("release").stdout
    assert proposed.startswith("people v2.0.0, after v1.0.0: It wants a further column `pulse` (float).\n")
    assert "ROC AUC: " in proposed
    assert released.mlci("release", "--bump", "patch").returncode == 2


def test_the_bundle_holds_everything_and_is_the_same_bytes_each_time(released, tmp_path):
    folder = build(released, tmp_path / "one")
    assert sorted(file.name for file in folder.iterdir()) == sorted(FILES)
    manifest = json.loads((folder / "model.json").read_text())
    assert [each["name"] for each in manifest["signature"]["inputs"]] == ["fever"]
    test = next(one for one in manifest["data"] if one["path"] == "test.parquet")
    assert (test["rows"], test["since"][:4], test["until"][:4]) == (2000, "2013", "2013")
    assert len(manifest["examples"]) > 10
    assert subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=folder, check=False).returncode == 0

    released.mlci("compare", "--record", "--change", "a later look")
    build(released, tmp_path / "two")
    same = ["cmp", str(tmp_path / "one/people-v1.0.0.tar.gz"), str(tmp_path / "two/people-v1.0.0.tar.gz")]
    assert subprocess.run(same, check=False).returncode == 0


def test_the_bill_of_materials_is_valid(released, tmp_path):
    folder = build(released, tmp_path / "dist")
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str((folder / "bom.cdx.json").read_text())
    assert problem is None
    bill = json.loads((folder / "bom.cdx.json").read_text())
    assert bill["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]


def test_a_card_of_other_numbers_or_of_another_model_is_told(released, tmp_path):
    folder = build(released, tmp_path / "dist")
    kept = (folder / "card.md").read_text()
    measured = json.loads(kept.split("model-index: ")[1].splitlines()[0])[0]["results"][0]["metrics"]
    value = next(str(one["value"]) for one in measured if one["type"] == "roc_auc")
    sha256 = json.loads((folder / "model.json").read_text())["sha256"]
    for other, said in (
        (kept.replace(value, "0.999"), "card.md tells other numbers than bom.cdx.json: roc_auc"),
        (kept.replace(sha256, "0" * 64), "card.md tells of another model"),
    ):
        (folder / "card.md").write_text(other)
        done = released.mlci("verify", str(folder), "--json")
        told = next(one for one in json.loads(done.stdout)["checks"] if one["what"] == "the card is of this model")
        assert (told["held"], told["said"]) == (False, said)


def test_the_card_is_complete(released, tmp_path):
    folder = build(released, tmp_path / "dist")
    for name in ("card.md", "card.html"):
        text = (folder / name).read_text()
        for said in (
            "the clinic",  # owner
            "adults",
            "a missed positive 5, a false alarm 1",
            "2013-01-01",
            "2013-12-31",
            "tested on",
            "over 50s",
            "What it was trained on is not said",
            "mlci verify people-v1.0.0.tar.gz",
            '"fever"' if name == "card.md" else "&#34;fever&#34;",
        ):
            assert said in text, (name, said)
    (over,) = [line for line in (folder / "card.md").read_text().splitlines() if line.startswith("| over 50s")]
    assert " to " in over
    bill = json.loads((folder / "bom.cdx.json").read_text())
    metrics = bill["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {one["slice"] for one in metrics} == {"all rows", "over 50s"}
    assert all("confidenceInterval" in one for one in metrics if one["slice"] == "over 50s")
    tested = next(one for one in bill["components"] if one["name"] == "test.parquet")
    assert [each["alg"] for each in tested["hashes"]] == ["SHA-256"]


def test_data_that_cannot_be_had_makes_no_other_bundle(released, tmp_path):
    shutil.rmtree(tmp_path / "store/files")
    shutil.rmtree(released.root / ".dvc/cache")
    (released.root / "predictions.parquet").unlink()
    refused = released.mlci("release", "--build", "people@v1.0.0", "--out", str(tmp_path / "dist"))
    assert refused.returncode == 3
    assert "predictions.parquet" in refused.stderr
    assert not (tmp_path / "dist").exists()


def test_hostile_words_are_inert_in_the_card(released, tmp_path):
    folder = build(released, tmp_path / "dist")
    assert "<b>now" not in (folder / "card.html").read_text()
    assert "<b>now" not in (folder / "card.md").read_text()
    assert "@everyone" not in (folder / "card.md").read_text()


def test_anybody_can_verify_a_signed_download(released, tmp_path, keys):
    secret, public = keys
    folder = build(released, tmp_path / "dist", "--key", str(secret))
    empty = tmp_path / "elsewhere"
    empty.mkdir()
    for name in ("people-v1.0.0.tar.gz", "people-v1.0.0.sig"):
        shutil.copy(tmp_path / "dist" / name, empty / name)
    command = [sys.executable, "-m", "mlci", "verify", "people-v1.0.0.tar.gz", "--key", str(public), "--json"]
    done = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert [check["held"] for check in found["checks"]] == [True] * 8

    peer = [Path(sys.executable).with_name("model_signing"), "verify", "key", str(folder)]
    peer += ["--signature", str(empty / "people-v1.0.0.sig"), "--public_key", str(public)]
    assert subprocess.run(peer, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_byte_in_any_file_is_named(released, tmp_path, name):
    folder = build(released, tmp_path / "dist")
    file = folder / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    done = released.mlci("verify", str(folder))
    assert done.returncode == 1
    assert name in done.stdout


def test_each_way_not_to_be_trusted_has_its_own_words(released, tmp_path, keys):
    secret, public = keys
    folder = build(released, tmp_path / "dist", "--key", str(secret))
    signature = tmp_path / "dist/people-v1.0.0.sig"

    def said(*arguments: str) -> str:
        done = released.mlci("verify", str(folder), *arguments)
        assert done.returncode == 1, done.stdout
        return done.stdout

    _, stranger = key_pair(tmp_path, "stranger")
    assert "wrong signer" in said("--key", str(stranger))
    (folder / "extra.txt").write_text("more")
    assert "extra.txt does not belong here" in said("--key", str(public))
    assert "tampered" in said("--key", str(public))
    (folder / "extra.txt").unlink()
    kept = signature.read_bytes()
    signature.write_bytes(kept[: len(kept) // 2])
    assert "unreadable" in said("--key", str(public))
    signature.unlink()
    assert "unsigned" in said("--key", str(public))
    assert released.mlci("verify", str(folder)).returncode == 0


@pytest.mark.parametrize(("days", "code"), [(30, 0), (-1, 1)])
def test_a_certificate_and_its_end(released, tmp_path, days, code):
    root, certificate, key = certificates(tmp_path, ends=timedelta(days=days))
    arguments = ("--key", str(key), "--certificate", str(certificate), "--chain", str(root))
    folder = build(released, tmp_path / "dist", *arguments)
    done = released.mlci("verify", str(folder), "--root", str(root))
    assert done.returncode == code, done.stdout
    assert ("expired" in done.stdout) == bool(code)


def test_no_evidence_no_release(ready, people):
    train(ready, people, ("fever",), seed=2, wrong=0.1)
    dvc(ready, "commit", "-f")
    dvc(ready, "push")
    ready.commit("Not judged")
    refused = ready.mlci("release")
    assert refused.returncode == 1
    assert "the last verdict speaks of another model.onnx and predictions.parquet" in refused.stderr
    assert "mlci compare --record" in refused.stderr
    assert ready.git("tag") == ""


def test_a_dirty_tree_an_empty_scope_and_data_that_only_we_have(ready, tmp_path):
    (ready.root / "dvc.yaml").write_text(DVC + "\n# a word\n")
    dirty = ready.mlci("release")
    assert dirty.returncode == 3
    assert "tracked files differ from the last commit" in dirty.stderr

    ready.git("checkout", "-q", "dvc.yaml")
    (ready.root / "params.yaml").write_text(POLICY.replace("owner: the clinic", 'owner: ""'))
    judged(ready, "No owner")
    unscoped = ready.mlci("release")
    assert unscoped.returncode == 2
    assert "the scope of people is not stated: `owner` is empty" in unscoped.stderr

    (ready.root / "params.yaml").write_text(POLICY)
    judged(ready, "An owner again")
    shutil.rmtree(tmp_path / "store/files")
    alone = ready.mlci("release")
    assert alone.returncode == 3
    assert "the DVC remote has no predictions.parquet of this commit" in alone.stderr


def test_a_lock_that_an_older_recipe_left_is_refused(ready):
    (ready.root / "rules.py").write_text("LIMIT = 1\n")
    (ready.root / "dvc.yaml").write_text(DVC.replace("deps: [", "deps: [rules.py, "))
    judged(ready, "A recipe")
    (ready.root / "rules.py").write_text("LIMIT = 2\n")
    ready.commit("Another recipe, not reproduced")
    # What the lock names did not change, so a verdict speaks for it.
    assert ready.mlci("compare", "--record").returncode == 0
    refused = ready.mlci("release")
    assert refused.returncode == 1
    assert "dvc.lock is stale: of stage `predict`, deps rules.py modified" in refused.stderr
    assert "`dvc repro`" in refused.stderr
    assert ready.git("tag") == ""


def test_no_tag_without_its_evidence_at_the_remote(ready, tmp_path):
    ready.git("push", "-q", "origin", ":refs/mlci/ledger")
    assert ready.mlci("release", "--no-push").returncode == 0
    assert "mlci" not in ready.git("ls-remote", "origin")
    ready.git("tag", "--delete", "people@v1.0.0")
    hook = tmp_path / "origin.git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\nwhile read a b r; do case $r in refs/mlci/*) exit 1;; esac; done\n")
    hook.chmod(0o755)
    refused = ready.mlci("release")
    assert refused.returncode == 3
    assert "the remote refused the evidence (refs/mlci/ledger)" in refused.stderr
    assert ready.git("tag") == ""


def test_an_expired_waiver_stops_a_release(ready):
    waiver = '  waivers:\n    - {check: gate.roc_auc.drop, reason: soon, approver: Ada, until: "2020-01-01"}\n'
    (ready.root / "params.yaml").write_text(POLICY + waiver)
    dvc(ready, "commit", "-f")
    dvc(ready, "push")
    ready.commit("A waiver of old")
    refused = ready.mlci("release")
    assert refused.returncode == 1
    assert "the waiver of `gate.roc_auc.drop` expired on 2020-01-01" in refused.stderr


def test_archives_that_reach_outside_are_refused(tmp_path, project):
    archive = tmp_path / "people-v1.0.0.tar.gz"
    for name, kind in (("../evil", tarfile.REGTYPE), ("people/link", tarfile.SYMTYPE), ("/etc/evil", tarfile.REGTYPE)):
        with tarfile.open(archive, "w:gz") as tar:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            tar.addfile(entry)
        done = project.mlci("verify", str(archive))
        assert done.returncode == 3
        assert "no plain file in a folder" in done.stderr
    assert not (tmp_path / "evil").exists()


def test_without_the_runtime_all_else_is_verified(released, tmp_path):
    folder = build(released, tmp_path / "dist")
    ask = "import sys; sys.modules['onnxruntime'] = None; from mlci.__main__ import main; main()"
    command = [sys.executable, "-c", ask, "verify", str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout)["checks"][-1]
    assert last["held"] is None
    assert "mlci[model]" in last["said"]
