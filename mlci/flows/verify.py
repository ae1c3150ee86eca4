"""Verify what somebody downloaded: sums, signature, verdict, card, and the model itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlci.edges.archive import digest_of, read_sums, unpack
from mlci.edges.files import digest, read_text
from mlci.edges.packed import as_packed, packed_at
from mlci.edges.provenance import attested_by, read_provenance
from mlci.edges.scratch import scratch
from mlci.edges.signing import Trust, UntrustedError
from mlci.edges.signing import verify as verify_signature
from mlci.errors import MlciError, WorldError
from mlci.flows.verify_card import check_card
from mlci.nouns.bundle import (
    BOM,
    EMBEDDED,
    FILES,
    MANIFEST,
    MODEL,
    SUMS,
    VERDICT,
    Checked,
    Manifest,
    Verification,
)
from mlci.nouns.finding import Verdict
from mlci.render.embed import model_of_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARCHIVE = ".tar.gz"
SIGNATURE = ".sig"
PROVENANCE = ".provenance.json"
BESIDE = (SIGNATURE, PROVENANCE)
"""What may lie beside an archive, by the end of its name."""


def verify(
    source: Path,
    trust: Trust,
    *,
    signature: Path | None = None,
    replay: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Check everything that a bundle says of itself; needs nothing but the download.

    Args:
        source: The archive, the unpacked folder, or one file inside of it.
        trust: Whom to believe; nobody: the signature is not looked at, which is said.
        signature: Its file; default: beside the bundle.
        replay: Whether to ask the model its examples, which takes the runtime.
        say: Told what is being done.

    Raises:
        WorldError: It is no bundle at all.
    """
    if source.is_file() and source.name.endswith(ARCHIVE):
        say(f"unpacking {source.name}")
        with scratch("verify") as temporary:
            folder = unpack(source, temporary / "bundle")
            beside = source.with_name(source.name.removesuffix(ARCHIVE) + SIGNATURE)
            found = _verify(folder, signature or beside, trust, str(source), say, replay=replay)
            where = built(source, found.commit, trust)
            return found.model_copy(update={"checks": (_packed(source, folder, found), *found.checks, *where)})
    folder = source if source.is_dir() else source.parent
    if not source.exists():
        raise WorldError(f"{source} is not there", "name a bundle, its folder or a file inside of it")
    if not (folder / SUMS).is_file():
        raise WorldError(f"{source} is in no bundle: there is no {SUMS} beside it", "download the whole bundle")
    beside = folder.with_name(folder.name + SIGNATURE)
    return _verify(folder, signature or beside, trust, str(source), say, replay=replay)


def _verify(
    folder: Path, signature: Path, trust: Trust, source: str, say: Callable[[str], None], *, replay: bool
) -> Verification:
    say("checking the sums")
    checks = [_sums(folder)]
    say("checking the signature")
    checks.append(_signed(folder, signature, trust))
    manifest, read = _manifest(folder)
    checks.append(read)
    if manifest is None:
        return Verification(source=source, checks=tuple(checks))
    checks += [_verdict(folder), check_card(folder, manifest), _bom(folder, manifest)]
    if (folder / EMBEDDED).is_file():
        checks.append(_page(folder, manifest))
    if replay:
        say("asking the model its examples")
        checks.append(_model(folder, manifest))
    return Verification(
        source=source,
        name=manifest.name,
        version=manifest.version,
        commit=manifest.commit,
        released=manifest.released,
        checks=tuple(checks),
    )


def _packed(archive: Path, folder: Path, found: Verification) -> Checked:
    what = "the archive is as it was packed"
    at = packed_at(archive)
    if found.released and (at is None or f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}" != found.released):
        return Checked(what=what, held=False, said=f"{archive.name} was not packed when it was released")
    held = as_packed(archive, folder)
    return Checked(what=what, held=held, said=archive.name if held else f"{archive.name} was changed")


def built(archive: Path, commit: str, trust: Trust) -> tuple[Checked, ...]:
    """Where an archive was built, if an attestation lies beside it."""
    file = archive.with_name(archive.name.removesuffix(ARCHIVE) + PROVENANCE)
    if not file.is_file():
        return ()
    what = "it was built where it is said, from its commit"
    try:
        told = read_provenance(file)
    except (OSError, ValueError) as error:
        return (Checked(what=what, held=False, said=f"unreadable: {file.name} is no attestation: {error}"),)
    if digest(archive) not in told.subjects:
        return (Checked(what=what, held=False, said=f"tampered: {file.name} speaks of another archive"),)
    if commit and told.commit != commit:
        said = f"{file.name} speaks of commit {told.commit[:10] or '(none)'}, the bundle of {commit[:10]}"
        return (Checked(what=what, held=False, said=said),)
    where = f"{told.workflow} at {told.ref}"
    if not trust.identity:
        said = f"{file.name} says {where}; name an --identity to ask who says so"
        return (Checked(what=what, held=None, said=f"{said} ({told.signer})" if told.signer else said),)
    try:
        attested_by(file, trust)
    except UntrustedError as error:
        return (Checked(what=what, held=False, said=f"{error.kind}: {error.problem}"),)
    return (Checked(what=what, held=True, said=where),)


def _sums(folder: Path) -> Checked:
    what = "every file is as its sum says"
    try:
        known = read_sums(read_text(folder / SUMS, SUMS, "download the bundle again"))
    except MlciError as error:
        return Checked(what=what, held=False, said=error.problem)
    here = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()} - {SUMS}
    wrong = sorted(name for name in known if name in here and digest(folder / name) != known[name])
    told = [
        *(f"{name} is not what {SUMS} says" for name in wrong),
        *(f"{name} is missing" for name in sorted({*known, *FILES} - here - {SUMS})),
        *(f"{name} does not belong here: {SUMS} doesn't name it" for name in sorted(here - set(known))),
    ]
    return Checked(what=what, held=not told, said="; ".join(told) or f"{len(known)} files")


def _signed(folder: Path, signature: Path, trust: Trust) -> Checked:
    what = "it is signed by who is trusted"
    if not signature.is_file():
        said = f"unsigned: there is no {signature.name} beside it"
        return Checked(what=what, held=False if trust.named else None, said=said)
    if not trust.named:
        return Checked(
            what=what, held=None, said=f"not asked: name a --key, a --root or an --identity to check {signature.name}"
        )
    try:
        verify_signature(folder, signature, trust)
    except UntrustedError as error:
        return Checked(what=what, held=False, said=f"{error.kind}: {error.problem}")
    return Checked(what=what, held=True, said=signature.name)


def _manifest(folder: Path) -> tuple[Manifest | None, Checked]:
    what = "it says what it is"
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError:
        return None, Checked(what=what, held=False, said=f"{MANIFEST} can't be read")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return None, Checked(
            what=what, held=False, said=f"{MANIFEST} is none of this version of mlci: {where}: {first['msg']}"
        )
    same = (folder / MODEL).is_file() and digest(folder / MODEL) == manifest.sha256
    said = f"{manifest.name} {manifest.version}" if same else f"{MODEL} is not the model that {MANIFEST} tells of"
    return manifest, Checked(what=what, held=same, said=said)


def _verdict(folder: Path) -> Checked:
    what = "a verdict speaks for this model"
    try:
        verdict = Verdict.model_validate_json((folder / VERDICT).read_bytes())
    except (OSError, ValidationError):
        return Checked(what=what, held=False, said=f"{VERDICT} can't be read")
    model = folder / MODEL
    if not model.is_file() or verdict.digests.model != digest(model):
        return Checked(what=what, held=False, said="the verdict is of another model")
    return Checked(what=what, held=verdict.outcome != "fail", said=verdict.headline)


def _bom(folder: Path, manifest: Manifest) -> Checked:
    what = "the bill of materials is of this model"
    try:
        told = json.loads((folder / BOM).read_bytes())
        hashes = [each["content"] for each in told["metadata"]["component"]["hashes"]]
    except (OSError, ValueError, KeyError, TypeError):
        return Checked(what=what, held=False, said=f"{BOM} can't be read")
    held = manifest.sha256 in hashes
    return Checked(what=what, held=held, said=BOM if held else f"{BOM} is of another model")


def _page(folder: Path, manifest: Manifest) -> Checked:
    what = "the page runs this model"
    try:
        page = (folder / EMBEDDED).read_text(encoding="utf-8")
        # One byte more than the model has, so that more than the model isn't the model.
        held = digest_of(model_of_page(page, (folder / MODEL).stat().st_size + 1)) == manifest.sha256
    except (OSError, ValueError):
        held = False
    return Checked(what=what, held=held, said=EMBEDDED if held else f"{EMBEDDED} holds another model")


def _model(folder: Path, manifest: Manifest) -> Checked:
    what = "the model answers as it did when it was released"
    try:
        import onnxruntime  # noqa: F401, PLC0415 - the runtime is heavy, and an extra

        from mlci.edges.onnx.examples import differing  # noqa: PLC0415 - needs it
        from mlci.edges.onnx.session import OnnxModel  # noqa: PLC0415 - needs it
    except ImportError:
        return Checked(what=what, held=None, said='not asked: that takes `pip install "mlci[model]"`')
    if not manifest.examples:
        return Checked(what=what, held=None, said="the bundle holds no example")
    try:
        model = OnnxModel.load(folder / MODEL)
        if model.signature != manifest.signature:
            return Checked(what=what, held=False, said=f"{MODEL} wants other columns than {MANIFEST} says")
        wrong = differing(model, manifest.examples, manifest.threshold, manifest.tolerance)
    except MlciError as error:
        return Checked(what=what, held=False, said=error.problem)
    if wrong:
        return Checked(
            what=what, held=False, said=f"example {wrong[0] + 1} of {len(manifest.examples)} is answered otherwise"
        )
    return Checked(what=what, held=True, said=f"{len(manifest.examples)} examples")
