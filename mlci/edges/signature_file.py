"""What a signature or an attestation says of itself, before anybody believes it: Sigstore's bundle format."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.x509 import Certificate

    from mlci.nouns.bundle import Kind

_DSSE_JSON = "application/vnd.in-toto+json"


class Envelope(NamedTuple):
    """A signed statement, read but not verified.

    Attributes:
        kind: By what it is signed.
        statement: The in-toto statement.
        certificates: Of who signed, the signing one first, as DER; none for a key.
    """

    kind: Kind
    statement: dict[str, Any]
    certificates: tuple[bytes, ...] = ()


def read_envelope(file: Path) -> Envelope:
    """Read a signature file. Raises ValueError where it is none, OSError where it can't be read."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        material, envelope = told["verificationMaterial"], told["dsseEnvelope"]
        if envelope["payloadType"] != _DSSE_JSON:
            raise ValueError("it holds no in-toto statement")
        statement = json.loads(_decoded(envelope["payload"]))
        for made in envelope["signatures"]:
            _decoded(made["sig"])
        chain = material.get("x509CertificateChain", {}).get("certificates", ())
        raw = [each["rawBytes"] for each in (chain or [material[key] for key in ("certificate",) if key in material])]
        certificates = tuple(_decoded(each) for each in raw)
        logged = bool(material.get("tlogEntries"))
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"a part of it is missing or misspelt: {error}") from error
    if not isinstance(statement, dict):
        raise ValueError("it holds no in-toto statement")  # noqa: TRY004 - it is read, not called
    return Envelope(("sigstore" if logged else "certificate") if certificates else "key", statement, certificates)


def _decoded(text: str) -> bytes:
    """Bytes out of base64, of which only one text is right: the last letter may hold bits that nobody reads."""
    content = base64.b64decode(text, validate=True)
    if base64.b64encode(content).decode() != text:
        raise ValueError("its base64 was changed")
    return content


def signed_files(signature: Path) -> dict[str, str]:
    """SHA-256 by name of the files that a signature speaks of, whoever made it; nothing where it is unreadable."""
    try:
        told = read_envelope(signature).statement["predicate"]["resources"]
        return {str(one["name"]): str(one["digest"]) for one in told}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def certificate(content: bytes) -> Certificate:
    """A certificate out of a signature. Raises ValueError where it is none."""
    from cryptography import x509  # noqa: PLC0415 - comes with the extra

    return x509.load_der_x509_certificate(content)


def identity(found: Envelope) -> str:
    """Whom the signing certificate names: a workflow or a person; empty where nobody, or nothing here can read it."""
    try:
        from cryptography import x509  # noqa: PLC0415 - comes with the extra
    except ImportError:
        return ""
    try:
        names = certificate(found.certificates[0]).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (IndexError, ValueError, x509.ExtensionNotFound):
        return ""
    kinds = x509.UniformResourceIdentifier, x509.RFC822Name
    return next((str(name) for kind in kinds for name in names.value.get_values_for_type(kind)), "")
