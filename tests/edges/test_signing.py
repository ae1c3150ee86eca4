"""Signatures of whole folders: whom they name, and every way not to be trusted."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "release"))

from signers import certificates, key_pair

from mlci.edges.signature_file import read_envelope, signed_files
from mlci.edges.signing import Signer, Trust, UntrustedError, sign, verify
from mlci.errors import PolicyError, WorldError


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "people-v1.0.0"
    made.mkdir()
    (made / "model.onnx").write_bytes(b"a model")
    return made


def by_key(folder, tmp_path):
    secret, public = key_pair(tmp_path, "team")
    return sign(folder, tmp_path / "people-v1.0.0.sig", Signer(secret)), Trust(key=public)


def by_certificate(folder, tmp_path, **when):
    root, leaf, key = certificates(tmp_path, **when)
    signature = sign(folder, tmp_path / "people-v1.0.0.sig", Signer(key, leaf, (root,)))
    return signature, Trust(roots=(root,))


def kind_of(folder, signature, trust):
    with pytest.raises(UntrustedError) as caught:
        verify(folder, signature, trust)
    assert signature.name in caught.value.problem or "certificate of" in caught.value.problem
    return caught.value.kind


@pytest.mark.parametrize("made", [by_key, by_certificate])
def test_every_changed_byte_of_a_signature_is_seen(folder, tmp_path, made):
    signature, trust = made(folder, tmp_path)
    verify(folder, signature, trust)
    assert list(signed_files(signature)) == ["model.onnx"]
    content = signature.read_bytes()
    for place in range(0, len(content), 17):
        changed = bytearray(content)
        changed[place] ^= 1
        signature.write_bytes(changed)
        assert kind_of(folder, signature, trust) in {"tampered", "unreadable", "wrong signer"}


@pytest.mark.parametrize(("text", "fine"), [("QQ==", True), ("QR==", False), ("QUI=", True), ("QUJ=", False)])
def test_bits_that_nobody_reads_are_seen(folder, tmp_path, text, fine):
    signature, _ = by_key(folder, tmp_path)
    told = json.loads(signature.read_text())
    told["dsseEnvelope"]["signatures"][0]["sig"] = text
    signature.write_text(json.dumps(told))
    if fine:
        assert read_envelope(signature).kind == "key"
    else:
        with pytest.raises(ValueError, match="its base64 was changed"):
            read_envelope(signature)


def test_what_was_signed_and_who_signed_are_told_apart(folder, tmp_path):
    signature, trust = by_key(folder, tmp_path)
    _, stranger = key_pair(tmp_path, "stranger")
    assert kind_of(folder, signature, Trust(key=stranger)) == "wrong signer"
    (folder / "model.onnx").write_bytes(b"A model")
    assert kind_of(folder, signature, trust) == "tampered"
    told = json.loads(signature.read_text())
    made = told["dsseEnvelope"]["signatures"][0]["sig"]
    told["dsseEnvelope"]["signatures"][0]["sig"] = made[:20] + ("A" if made[20] != "A" else "B") + made[21:]
    signature.write_text(json.dumps(told))
    assert kind_of(folder, signature, trust) == "tampered"


@pytest.mark.parametrize(
    ("when", "kind"),
    [({"ends": timedelta(days=-1)}, "expired"), ({"begins": timedelta(days=2)}, "not valid yet")],
)
def test_the_time_of_a_certificate(folder, tmp_path, when, kind):
    signature, trust = by_certificate(folder, tmp_path, **when)
    assert kind_of(folder, signature, trust) == kind


def test_a_signature_of_another_kind_names_the_option(folder, tmp_path):
    signature, _ = by_key(folder, tmp_path)
    root, _, _ = certificates(tmp_path)
    with pytest.raises(UntrustedError, match="is signed by a key, and a certificate is trusted") as caught:
        verify(folder, signature, Trust(roots=(root,)))
    assert caught.value.kind == "wrong signer"
    assert "--key" in caught.value.mend


def test_an_identity_is_asked_without_a_network(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    signature, _ = by_key(folder, tmp_path)
    with pytest.raises(UntrustedError, match="is signed by a key, and a certificate of Sigstore is trusted"):
        verify(folder, signature, Trust(identity="me@example.org", issuer="https://example.org"))


def test_keys_that_can_not_sign_are_told_by_name(folder, tmp_path):
    root, leaf, _ = certificates(tmp_path)
    secret, public = key_pair(tmp_path, "team")
    out = tmp_path / "people-v1.0.0.sig"
    for signer, said in (
        (Signer(tmp_path / "none.pem"), "none.pem can't be read"),
        (Signer(public), "team.pub can't sign"),
        (Signer(None, leaf), "alone can't sign"),
        (Signer(secret, leaf, (root,)), "team.crt can't sign"),
    ):
        with pytest.raises(PolicyError, match=said):
            sign(folder, out, signer)
    with pytest.raises(PolicyError, match=r"none\.pub can't be read"):
        verify(folder, out, Trust(key=tmp_path / "none.pub"))
    assert not out.exists()


def test_without_a_network_nothing_is_signed_keyless(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(WorldError, match="Sigstore can't be asked"):
        sign(folder, tmp_path / "people-v1.0.0.sig", Signer(keyless=True))


def test_an_envelope_is_read_before_it_is_believed(folder, tmp_path):
    signature, _ = by_certificate(folder, tmp_path)
    assert read_envelope(signature).kind == "certificate"
    assert len(read_envelope(signature).certificates) == 2
    for content in ("{}", "[]", "null", '{"verificationMaterial": {}, "dsseEnvelope": []}', "\xff"):
        signature.write_text(content)
        with pytest.raises(ValueError, match=r"missing|Expecting|no in-toto"):
            read_envelope(signature)
