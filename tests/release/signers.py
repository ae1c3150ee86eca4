"""Keys and certificates that sign bundles in tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path


def key_pair(folder: Path, name: str) -> tuple[Path, Path]:
    private = ec.generate_private_key(ec.SECP256R1())
    secret, public = folder / f"{name}.pem", folder / f"{name}.pub"
    kept = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(private.private_bytes(serialization.Encoding.PEM, *kept))
    shown = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(private.public_key().public_bytes(*shown))
    return secret, public


def certificates(
    folder: Path, *, begins: timedelta = timedelta(days=-30), ends: timedelta = timedelta(days=30)
) -> tuple[Path, Path, Path]:
    """A root, and a signing certificate of it that begins and ends some time from now; with its key."""

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def issue(
        subject: str, public: ec.EllipticCurvePublicKey, start: datetime, end: datetime, *, ca: bool
    ) -> x509.Certificate:
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

    root = issue("root", root_key.public_key(), now - timedelta(days=30), now + timedelta(days=3650), ca=True)
    leaf = issue("team", key.public_key(), now + begins, now + ends, ca=False)
    pem = serialization.Encoding.PEM
    files = folder / "root.crt", folder / "team.crt", folder / "team.pem"
    files[0].write_bytes(root.public_bytes(pem))
    files[1].write_bytes(leaf.public_bytes(pem))
    files[2].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return files
