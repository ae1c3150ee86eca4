"""Releases of a real model: evidence, bundle, signature, verification; in real repositories with a real DVC remote."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from repositories import People, Project
from sklearn.linear_model import LogisticRegression

from mlci.flows.export import prove_export
from mlci.nouns.bundle import FILES, SUMS

POLICY = """\
mlci:
  model:
    name: people
    path: model.onnx
    label: ill
    id: person
    purpose: Tell who is *ill* <b>now</b>, @everyone
    owner: the clinic
    population: adults
    cost: {false_negative: 5, false_positive: 1}
  gate:
    test: test.parquet
    predictions: predictions.parquet
    metrics: {roc_auc: {floor: 0.6, drop: 0.02}}
    slices:
      over 50s: {where: "age > 50", roc_auc: {floor: 0.55}}
"""
DVC = """\
stages:
  predict:
    cmd: mlci score model.onnx test.parquet --out predictions.parquet
    deps: [model.onnx, test.parquet]
    outs: [predictions.parquet]
artifacts:
  people: {path: model.onnx, type: model}
"""


def dvc(project, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *arguments, "-q"], cwd=project.root, check=True, capture_output=True)


def readings(people) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(3).normal(size=(people.n, 2))
    return {"fever": people.ill * 1.0 + noise[:, 0], "pulse": people.ill * 0.8 + noise[:, 1]}


def train(project, people, columns: tuple[str, ...], *, seed: int = 0, wrong: float = 0.0) -> None:
    """A logistic model of some columns, exported and proven."""
    frame = pd.DataFrame({name: column for name, column in readings(people).items() if name in columns})
    estimator = LogisticRegression().fit(frame, people.ill ^ people.wrong(wrong, seed))
    content, proof = prove_export(estimator, pa.Table.from_pandas(frame), name="people", task="binary")
    assert proof.held
    (project.root / "model.onnx").write_bytes(content)
    scored = project.mlci("score", "model.onnx", "test.parquet", "--out", "predictions.parquet")
    assert scored.returncode == 0, scored.stderr


def judged(project, message: str) -> None:
    dvc(project, "commit", "-f")
    dvc(project, "push")
    project.commit(message)
    project.git("push", "-q", "origin", "HEAD:main")
    assert project.mlci("compare", "--record").returncode == 0


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with a repository, its remote and its DVC remote: a model with a passing verdict."""
    folder = tmp_path_factory.mktemp("made")
    project, people = Project(folder / "repository"), People()
    project.root.mkdir()
    project.git("init", "-q", "-b", "main")
    project.git("config", "user.name", "A Tester")
    project.git("config", "user.email", "tester@example.org")
    (project.root / ".gitignore").write_text("reports/\n.cache/\n")
    (project.root / "params.yaml").write_text(POLICY)
    (project.root / "dvc.yaml").write_text(DVC)
    project.git("init", "-q", "--bare", str(folder / "origin.git"))
    project.git("remote", "add", "origin", "../origin.git")
    dvc(project, "init")
    dvc(project, "remote", "add", "--default", "store", "../store")
    seen = np.random.default_rng(5).integers(1_356_998_400, 1_388_534_400, people.n).astype("datetime64[s]")
    project.write("test.parquet", person=people.person, age=people.age, ill=people.ill, seen=seen, **readings(people))
    train(project, people, ("fever",))
    judged(project, "A first model")
    return folder


@pytest.fixture
def ready(made, tmp_path) -> Project:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path / "repository")


@pytest.fixture(scope="module")
def made_release(made, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("released")
    shutil.copytree(made, folder, dirs_exist_ok=True)
    done = Project(folder / "repository").mlci("release")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def released(made_release, tmp_path) -> Project:
    shutil.copytree(made_release, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path / "repository")


@pytest.fixture
def keys(tmp_path) -> tuple[Path, Path]:
    return key_pair(tmp_path, "team")


def key_pair(folder: Path, name: str) -> tuple[Path, Path]:

    private = ec.generate_private_key(ec.SECP256R1())
    secret, public = folder / f"{name}.pem", folder / f"{name}.pub"
    kept = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(private.private_bytes(serialization.Encoding.PEM, *kept))
    shown = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(private.public_key().public_bytes(*shown))
    return secret, public


def build(project, out: Path, *arguments: str) -> Path:
    done = project.mlci("release", "--build", "people@v1.0.0", "--out", str(out), *arguments)
    assert done.returncode == 0, done.stderr
    return out / "people-v1.0.0"


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

    train(released, people, ("fever",), seed=1, wrong=0.02)
    judged(released, "The same columns, trained again")
    assert released.mlci("release", "--dry-run").stdout.startswith("people v1.1.0, after v1.0.0: another model\n")

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
    assert [check["held"] for check in found["checks"]] == [True] * 7

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


def certificates(folder: Path, *, days: int) -> tuple[Path, Path, Path]:
    """A root, and a signing certificate of it that ends after some days; with its key."""

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    start = now - timedelta(days=30)

    def issue(subject: str, public, end: datetime, *, ca: bool) -> x509.Certificate:
        usage = x509.KeyUsage(
            digital_signature=not ca,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=ca,
            crl_sign=ca,
            encipher_only=False,
            decipher_only=False,
        )
        made = x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named("root")).public_key(public)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
        made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        made = made.add_extension(usage, critical=True)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        if not ca:
            made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        return made.sign(root_key, hashes.SHA256())

    root = issue("root", root_key.public_key(), now + timedelta(days=3650), ca=True)
    leaf = issue("team", key.public_key(), now + timedelta(days=days), ca=False)
    pem = serialization.Encoding.PEM
    files = folder / "root.crt", folder / "team.crt", folder / "team.pem"
    files[0].write_bytes(root.public_bytes(pem))
    files[1].write_bytes(leaf.public_bytes(pem))
    files[2].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return files


@pytest.mark.parametrize(("days", "code"), [(30, 0), (-1, 1)])
def test_a_certificate_and_its_end(released, tmp_path, days, code):
    root, certificate, key = certificates(tmp_path, days=days)
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
