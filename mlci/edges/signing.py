"""OpenSSF model signatures: made with a key or a certificate offline, or without any key inside a forge's job."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlci.errors import PolicyError, WorldError

if TYPE_CHECKING:
    from pathlib import Path

_INSTALL = ("signing needs further packages", 'install them: `pip install "mlci[sign]"`')


@dataclass(frozen=True)
class Signer:
    """With what to sign: a private key, a key with its certificate, or the identity of the forge's job.

    Attributes:
        key: PEM file of the private key.
        certificate: PEM file of the signing certificate, which the key belongs to.
        chain: PEM files of the certificates between it and the root.
        keyless: Sign by Sigstore with the identity that the job has (`id-token: write`).
    """

    key: Path | None = None
    certificate: Path | None = None
    chain: tuple[Path, ...] = ()
    keyless: bool = False


@dataclass(frozen=True)
class Trust:
    """Whom to believe: a public key, certificates of roots, or an identity that Sigstore vouches for."""

    key: Path | None = None
    roots: tuple[Path, ...] = ()
    identity: str = ""
    issuer: str = ""

    @property
    def named(self) -> bool:
        """Whether anybody is trusted at all."""
        return self.key is not None or bool(self.roots) or bool(self.identity)


class UntrustedError(WorldError):
    """A signature does not speak for what it lies beside; `kind` says how."""

    def __init__(self, kind: str, problem: str, mend: str) -> None:
        super().__init__(problem, mend)
        self.kind = kind


def sign(folder: Path, signature: Path, signer: Signer) -> Path:
    """Sign all files of a folder, into a file outside of it.

    Raises:
        PolicyError: The key or the certificate cannot be used.
        WorldError: The packages are not installed, or Sigstore does not answer.
    """
    config = _signing().Config()
    try:
        if signer.keyless:
            config.use_sigstore_signer(use_ambient_credentials=True)
        elif signer.certificate is not None:
            config.use_certificate_signer(
                private_key=signer.key, signing_certificate=signer.certificate, certificate_chain=signer.chain
            )
        else:
            config.use_elliptic_key_signer(private_key=signer.key)
    except (ValueError, TypeError, OSError) as error:
        named = signer.certificate or signer.key
        raise PolicyError(
            f"{named} can't sign: {error}", "give an elliptic key (P-256, P-384 or P-521) as PEM, without a password"
        ) from error
    try:
        config.set_hashing_config(_hashing().Config()).sign(folder, signature)
    except Exception as error:  # it raises whatever its clients do
        raise WorldError(
            f"the bundle can't be signed: {_first(error)}", "look at the key, or at the job's identity"
        ) from error
    return signature


def verify(folder: Path, signature: Path, trust: Trust) -> None:
    """Check that a signature is of exactly these files, and of somebody trusted.

    Raises:
        UntrustedError: It is not; `kind` is `tampered`, `wrong signer`, `expired` or `unreadable`.
        WorldError: The packages are not installed.
    """
    config = _verifying().Config()
    try:
        if trust.key is not None:
            config.use_elliptic_key_verifier(public_key=trust.key)
        elif trust.identity:
            config.use_sigstore_verifier(identity=trust.identity, oidc_issuer=trust.issuer)
        else:
            config.use_certificate_verifier(certificate_chain=trust.roots)
    except (ValueError, TypeError, OSError) as error:
        raise PolicyError(
            f"{trust.key or trust.roots} can't verify: {error}", "give a public key or certificates as PEM"
        ) from error
    try:
        json.loads(signature.read_bytes())
    except (OSError, ValueError) as error:
        raise UntrustedError("unreadable", f"{signature.name} is no signature: {error}", "download it again") from error
    try:
        config.verify(folder, signature)
    except Exception as error:  # it raises whatever its libraries do
        raise _untrusted(error) from error
    if trust.roots:
        _must_be_valid_now(signature)


def signed_files(signature: Path) -> dict[str, str]:
    """SHA-256 by name of the files that a signature speaks of, whoever made it; nothing where it is unreadable."""
    try:
        payload = json.loads(signature.read_bytes())["dsseEnvelope"]["payload"]
        told = json.loads(base64.b64decode(payload))["predicate"]["resources"]
        return {str(one["name"]): str(one["digest"]) for one in told}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _must_be_valid_now(signature: Path) -> None:
    """The library takes a certificate for valid at the moment that it began: no clock vouches for the signing."""
    from cryptography import x509  # noqa: PLC0415 - comes with the extra

    told = json.loads(signature.read_bytes())["verificationMaterial"]
    material = told.get("x509CertificateChain", {}).get("certificates") or [told.get("certificate", {})]
    for each in material[:1]:
        certificate = x509.load_der_x509_certificate(base64.b64decode(each["rawBytes"]))
        end = certificate.not_valid_after_utc
        if end < datetime.now(UTC):
            raise UntrustedError(
                "expired",
                f"the certificate of the signer expired on {end:%Y-%m-%d}",
                "ask its owner for a release signed anew",
            )


def _untrusted(error: Exception) -> UntrustedError:
    said = _first(error)
    low = said.lower()
    if "signature mismatch" in low or "manifest" in low:
        return UntrustedError(
            "tampered",
            f"the files are not those that were signed: {said}",
            "download the bundle again; if that does not help, tell its owner",
        )
    if "expired" in low or "not yet valid" in low:
        return UntrustedError(
            "expired",
            f"the certificate of the signer is not valid now: {said}",
            "ask its owner for a release signed anew",
        )
    return UntrustedError(
        "wrong signer",
        f"the signature is not of who is trusted: {said}",
        "take the public key or the root from its owner, not from where the bundle came from",
    )


def _first(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _signing() -> Any:  # noqa: ANN401 - a module
    try:
        from model_signing import signing  # noqa: PLC0415 - heavy, and an extra
    except ImportError as error:
        raise WorldError(*_INSTALL) from error
    return signing


def _verifying() -> Any:  # noqa: ANN401 - a module
    try:
        from model_signing import verifying  # noqa: PLC0415 - heavy, and an extra
    except ImportError as error:
        raise WorldError(*_INSTALL) from error
    return verifying


def _hashing() -> Any:  # noqa: ANN401 - a module
    from model_signing import hashing  # noqa: PLC0415 - heavy, and an extra

    return hashing
