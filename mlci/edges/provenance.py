"""Where a bundle was built: SLSA build provenance (https://slsa.dev/spec/v1.0/provenance), as GitHub attests it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mlci.edges.signature_file import identity, read_envelope
from mlci.edges.signing import UntrustedError, sigstore_trust

if TYPE_CHECKING:
    from pathlib import Path

    from mlci.edges.signing import Trust

_PREDICATE = "https://slsa.dev/provenance/v1"


class Provenance(NamedTuple):
    """What an attestation says, whoever says it.

    Attributes:
        subjects: SHA-256 of the files that it speaks of.
        commit: That they were built from; empty where it does not say.
        workflow: The repository and the file of the workflow that built them.
        ref: The branch or tag that it ran for.
        signer: Whom the signing certificate names.
    """

    subjects: frozenset[str]
    commit: str
    workflow: str
    ref: str
    signer: str


def read_provenance(file: Path) -> Provenance:
    """Read an attestation. Raises ValueError where it is none, OSError where it can't be read."""
    envelope = read_envelope(file)
    statement = envelope.statement
    if statement.get("predicateType") != _PREDICATE:
        raise ValueError(f"it is no {_PREDICATE}")
    try:
        subjects = frozenset(str(one["digest"]["sha256"]) for one in statement["subject"])
        build = statement["predicate"]["buildDefinition"]
        ran: dict[str, Any] = build["externalParameters"]["workflow"]
        commits = [one["digest"].get("gitCommit", "") for one in build.get("resolvedDependencies", ())]
        workflow = f"{ran['repository']}/{ran['path']}"
        return Provenance(subjects, next(filter(None, commits), ""), workflow, str(ran["ref"]), identity(envelope))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a part of it is missing or misspelt: {error}") from error


def attested_by(file: Path, trust: Trust) -> None:
    """Check that Sigstore vouches for who attested it.

    Raises:
        UntrustedError: It does not.
        WorldError: The packages are not installed.
    """
    known = sigstore_trust()
    from sigstore.models import Bundle  # noqa: PLC0415 - heavy, and an extra
    from sigstore.verify import Verifier, policy  # noqa: PLC0415

    who = policy.Identity(identity=trust.identity, issuer=trust.issuer)
    try:
        bundle = Bundle.from_json(file.read_bytes())
        Verifier(trusted_root=known.trusted_root).verify_dsse(bundle, who)
    except Exception as error:  # it raises whatever its libraries do
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UntrustedError(
            "wrong signer",
            f"{file.name} is not attested by who is trusted: {first}",
            "take the identity from the owner of the model, not from where the bundle came from",
        ) from error
