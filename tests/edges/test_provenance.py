"""Attestations of where a bundle was built: what they say, and whether anybody vouches for it."""

from __future__ import annotations

import base64
import hashlib
import json
import sys

import pytest
from sigstore.models import Bundle
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

from mlci.edges.archive import pack
from mlci.edges.provenance import read_provenance
from mlci.edges.signing import Trust
from mlci.flows import verify

COMMIT = "4" * 40


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "people-v1.0.0"
    folder.mkdir()
    (folder / "SHA256SUMS").write_text("")
    (folder / "model.json").write_text("{}")
    return pack(folder, tmp_path / "people-v1.0.0.tar.gz", at=1_700_000_000)


def attest(archive, *, commit=COMMIT, predicate="https://slsa.dev/provenance/v1", sha256=""):
    """An attestation beside an archive, of the form that GitHub gives it; nobody signed it."""
    workflow = {"ref": "refs/tags/people@v1.0.0", "repository": "https://github.com/a/b", "path": ".github/w.yml"}
    build = {
        "externalParameters": {"workflow": workflow},
        "resolvedDependencies": [{"uri": "git+https://github.com/a/b", "digest": {"gitCommit": commit}}],
    }
    known = sha256 or hashlib.sha256(archive.read_bytes()).hexdigest()
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": archive.name, "digest": {"sha256": known}}],
        "predicateType": predicate,
        "predicate": {"buildDefinition": build},
    }
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    signatures = [{"sig": "bm9uZQ=="}]
    told = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"certificate": {"rawBytes": "bm9uZQ=="}, "tlogEntries": [{}]},
        "dsseEnvelope": {
            "payload": payload,
            "payloadType": "application/vnd.in-toto+json",
            "signatures": signatures,
        },
    }
    file = archive.with_name("people-v1.0.0.provenance.json")
    file.write_text(json.dumps(told))
    return file


def found(archive, trust=Trust()):  # noqa: B008 - it is frozen
    checks = verify.built(archive, COMMIT, trust)
    return (checks[0].held, checks[0].said) if checks else None


def test_what_it_says(archive):
    told = read_provenance(attest(archive))
    assert (told.commit, told.workflow) == (COMMIT, "https://github.com/a/b/.github/w.yml")
    assert told.ref == "refs/tags/people@v1.0.0"


def test_it_is_read_without_the_packages_that_sign(archive, monkeypatch):
    attest(archive)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert read_provenance(archive.with_name("people-v1.0.0.provenance.json")).signer == ""
    assert found(archive)[0] is None


def test_without_one_nothing_is_said(archive):
    assert found(archive) is None


def test_it_must_speak_of_this_archive_and_its_commit(archive):
    attest(archive)
    held, said = found(archive)
    assert held is None
    assert "says https://github.com/a/b/.github/w.yml at refs/tags/people@v1.0.0; name an --identity" in said
    attest(archive, commit="5" * 40)
    assert found(archive) == (
        False,
        "people-v1.0.0.provenance.json speaks of commit 5555555555, the bundle of 4444444444",
    )
    attest(archive, sha256="0" * 64)
    assert found(archive) == (False, "tampered: people-v1.0.0.provenance.json speaks of another archive")
    attest(archive, predicate="https://example.org/other")
    assert found(archive)[0] is False
    archive.with_name("people-v1.0.0.provenance.json").write_text("{")
    assert "unreadable: people-v1.0.0.provenance.json is no attestation" in found(archive)[1]


def test_nobody_vouches_for_one_that_nobody_signed(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    attest(archive)
    held, said = found(archive, Trust(identity="https://github.com/a/b/.github/w.yml@refs/tags/people@v1.0.0"))
    assert held is False
    assert said.startswith("wrong signer: people-v1.0.0.provenance.json is not attested by who is trusted")


def test_who_sigstore_vouches_for_is_believed(archive, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr(Bundle, "from_json", staticmethod(lambda content: content))
    monkeypatch.setattr(Verifier, "verify_dsse", lambda _, bundle, who: asked.append((bundle, who)))
    file = attest(archive)
    trust = Trust(identity="https://github.com/a/b/.github/w.yml@refs/tags/people@v1.0.0", issuer="https://example.org")
    assert found(archive, trust) == (True, "https://github.com/a/b/.github/w.yml at refs/tags/people@v1.0.0")
    ((bundle, who),) = asked
    assert bundle == file.read_bytes()
    assert isinstance(who, Identity)
