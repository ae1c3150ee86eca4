"""OpenSSF model signatures: made with a key or a certificate offline, or without any key inside a forge's job."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlci.edges.scratch import scratch
from mlci.edges.signature_file import certificate, read_envelope
from mlci.errors import PolicyError, WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cryptography.x509 import Certificate

    from mlci.nouns.bundle import Kind

_KINDS: dict[Kind, str] = {"key": "key", "certificate": "certificate", "sigstore": "certificate of Sigstore"}
_OPTIONS: dict[Kind, str] = {"key": "--key", "certificate": "--root", "sigstore": "--identity"}
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

    @property
    def kind(self) -> Kind:
        """By what a signature must be made, if anybody is trusted."""
        return "key" if self.key is not None else "certificate" if self.roots else "sigstore"


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
    config = prepared(signer)
    try:
        config.set_hashing_config(_hashing().Config()).sign(folder, signature)
    except Exception as error:  # it raises whatever its clients do
        raise WorldError(
            f"the bundle can't be signed: {_first(error)}", "look at the key, or at the job's identity"
        ) from error
    return signature


def prepared(signer: Signer) -> Any:  # noqa: ANN401 - the library's
    """What signs, so that a key which can't is told before anything is built. Raises as `sign`."""
    if signer.key is None and not signer.keyless:
        raise PolicyError(f"{signer.certificate} alone can't sign", "give its private key too: --key")
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
    except OSError as error:
        raise PolicyError(
            f"{error.filename or signer.key} can't be read: {error.strerror or error}", "look at its path"
        ) from error
    except (ValueError, TypeError, AttributeError) as error:  # a key of another kind has no curve
        named = signer.certificate or signer.key
        raise PolicyError(
            f"{named} can't sign: {_no_curve(error)}",
            "give an elliptic key (P-256, P-384 or P-521) as PEM, without a password, and its own certificate",
        ) from error
    except Exception as error:
        if not signer.keyless:
            raise
        raise WorldError(
            f"Sigstore can't be asked: {_first(error)}", "sign with a --key, or let a job of the forge do it"
        ) from error
    return config


def verify(folder: Path, signature: Path, trust: Trust) -> None:
    """Check that a signature is of exactly these files, and of somebody trusted.

    Raises:
        UntrustedError: It is not; `kind` is `tampered`, `wrong signer`, `expired` or `unreadable`.
        PolicyError: What is trusted can't be read.
        WorldError: The packages are not installed.
    """
    config = _trusting(trust)
    try:
        envelope = read_envelope(signature)
    except (OSError, ValueError) as error:
        raise UntrustedError(
            "unreadable", f"{signature.name} is no signature: {_first(error)}", "download it again"
        ) from error
    if envelope.kind != trust.kind:
        raise UntrustedError(
            "wrong signer",
            f"{signature.name} is signed by a {_KINDS[envelope.kind]}, and a {_KINDS[trust.kind]} is trusted",
            f"name the one that its owner published: {_OPTIONS[envelope.kind]}",
        )
    try:
        config.verify(folder, signature)
    except Exception as error:  # it raises whatever its libraries do
        raise _untrusted(error, signature) from error
    if trust.roots:
        _must_be_whole(envelope.certificates, trust.roots, signature)
        _must_be_valid_now(envelope.certificates)


def _trusting(trust: Trust) -> Any:  # noqa: ANN401 - the library's
    config = _verifying().Config()
    try:
        if trust.key is not None:
            config.use_elliptic_key_verifier(public_key=trust.key)
        elif trust.roots:
            config.use_certificate_verifier(certificate_chain=trust.roots)
        else:
            with _roots_of_sigstore() as known:
                config.use_sigstore_verifier(identity=trust.identity, oidc_issuer=trust.issuer, trust_config=known)
    except OSError as error:
        named = error.filename or trust.key
        raise PolicyError(f"{named} can't be read: {error.strerror or error}", "look at its path") from error
    except (ValueError, TypeError, AttributeError) as error:
        named = ", ".join(str(each) for each in (trust.key, *trust.roots) if each is not None)
        raise PolicyError(
            f"{named} can't verify: {_no_curve(error)}", "give an elliptic public key, or certificates, as PEM"
        ) from error
    return config


def sigstore_trust() -> Any:  # noqa: ANN401 - the library's
    """What Sigstore's client trusts: the roots of today, or without a network those that came with it."""
    try:
        from sigstore.models import ClientTrustConfig  # noqa: PLC0415 - heavy, and an extra
    except ImportError as error:
        raise WorldError(*_INSTALL) from error
    logging.getLogger("sigstore").setLevel(logging.ERROR)
    try:
        return ClientTrustConfig.production()
    except Exception:  # noqa: BLE001 - whatever keeps it from asking
        return ClientTrustConfig.production(offline=True)


@contextmanager
def _roots_of_sigstore() -> Iterator[Path]:
    with scratch("sigstore") as temporary:
        file = temporary / "trust.json"
        file.write_text(sigstore_trust()._inner.to_json(), encoding="utf-8")  # noqa: SLF001 - nothing else tells them
        yield file


def _must_be_whole(certificates: Sequence[bytes], roots: Sequence[Path], signature: Path) -> None:
    """The library passes over certificates that it does not need; one that nobody issued was changed."""
    from cryptography import x509  # noqa: PLC0415 - comes with the extra

    chain = [certificate(each) for each in certificates]
    trusted = [known for root in roots for known in x509.load_pem_x509_certificates(root.read_bytes())]
    for each in chain:
        if each not in trusted and not any(_issued(each, by) for by in (*trusted, *chain)):
            raise UntrustedError(
                "tampered",
                f"{signature.name} was changed after it was made: nobody issued a certificate in it",
                "download it again; then tell its owner",
            )


def _issued(known: Certificate, by: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415 - comes with the extra

    try:
        known.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _must_be_valid_now(certificates: Sequence[bytes]) -> None:
    """The library takes a certificate for valid at the moment that it began: no clock vouches for the signing."""
    now = datetime.now(UTC)
    for each in certificates:
        known = certificate(each)
        owner = known.subject.rfc4514_string() or "the signer"
        if known.not_valid_after_utc < now:
            raise UntrustedError(
                "expired",
                f"the certificate of {owner} expired on {known.not_valid_after_utc:%Y-%m-%d}",
                "ask its owner for a release signed anew",
            )
        if known.not_valid_before_utc > now:
            raise UntrustedError(
                "not valid yet",
                f"the certificate of {owner} begins on {known.not_valid_before_utc:%Y-%m-%d}",
                "look at this machine's clock, then ask its owner",
            )


def _untrusted(error: Exception, signature: Path) -> UntrustedError:
    said, kind = _first(error), type(error).__name__
    low = said.lower()
    if "signature mismatch" in low or "manifest" in low:
        return UntrustedError(
            "tampered",
            f"the files are not those that {signature.name} signs: {said}",
            "download the bundle again; if that does not help, tell its owner",
        )
    if kind == "InvalidSignature":
        return UntrustedError(
            "tampered", f"{signature.name} was changed after it was made", "download it again; then tell its owner"
        )
    if "expired" in low or "not yet valid" in low:
        return UntrustedError(
            "expired",
            f"the certificate of the signer is not valid now: {said}",
            "ask its owner for a release signed anew",
        )
    if kind == "ValidationError" or "dsse payload" in low:
        return UntrustedError("unreadable", f"{signature.name} is no signature: {said}", "download it again")
    return UntrustedError(
        "wrong signer",
        f"{signature.name} is not of who is trusted: {said}",
        "take the public key or the root from its owner, not from where the bundle came from",
    )


def _no_curve(error: Exception) -> str:
    return "it is no elliptic key" if isinstance(error, AttributeError) else _first(error)


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
