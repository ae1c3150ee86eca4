"""Publish a release: everybody sees all of it, or nothing."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.archive import unpack
from mlci.edges.files import digest
from mlci.edges.provenance import read_provenance
from mlci.edges.scratch import scratch
from mlci.edges.signature_file import identity, read_envelope, signed_files
from mlci.edges.signing import Trust
from mlci.errors import GateError, PolicyError, WorldError
from mlci.flows.bundle import build_tag
from mlci.flows.registry import HEAD, asked
from mlci.flows.resolve import must_stand
from mlci.flows.verify import ARCHIVE, BESIDE, SIGNATURE, verify
from mlci.nouns.bundle import MANIFEST, VERDICT, Manifest
from mlci.nouns.finding import Verdict
from mlci.nouns.registry import TagName
from mlci.render.card import folder_name
from mlci.render.release_notes import render_notes
from mlci.render.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mlci.edges.forge import ReleaseForge
    from mlci.edges.signing import Signer
    from mlci.flows.registry import Desk
    from mlci.nouns.forge_release import Asset, ForgeRelease, Notes
    from mlci.nouns.registry import Release

_ROUNDS = 3


class Shown(NamedTuple):
    """A release as everybody sees it.

    Attributes:
        url: Its page.
        tag: Whose release it is.
        assets: Names of its files.
        changed: Whether this run published it; false where it was there already.
    """

    url: str
    tag: str
    assets: tuple[str, ...]
    changed: bool


def publish_tag(
    desk: Desk,
    forge: ReleaseForge,
    tag: str,
    out: Path,
    signer: Signer | None = None,
    *,
    built: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Shown:
    """Publish the release of a tag with all files of its bundle.

    Args:
        desk: Where it was tagged.
        forge: Where to publish.
        tag: Such as `flights@v1.2.0`, also with `refs/tags/` before it.
        out: Folder for the bundle, or the folder that holds it.
        signer: With what to sign a bundle that is built.
        built: Whether the bundle is there already; it is looked at first.
        say: Told what is being done.

    Raises:
        PolicyError: There is no such release.
        GateError: It was withdrawn, no evidence speaks for it, or what was built is not what was tagged.
        WorldError: As `build`; or the forge does not take it, or it has it with other bytes.
    """
    release = _release(desk, tag.removeprefix(HEAD))
    if not built:
        build_tag(desk, str(_tag(release)), out, signer, say=say)
    with scratch("publish") as temporary:
        archive = out / f"{folder_name(release.artifact, release.version)}{ARCHIVE}"
        folder = _looked_at(release, archive, temporary, say)
        stem = archive.name.removesuffix(ARCHIVE)
        beside = [file for end in BESIDE if (file := archive.with_name(stem + end)).is_file()]
        files = (archive, *beside, *sorted(folder.iterdir()))
        notes = _notes(desk, release, folder, signature=archive.with_name(stem + SIGNATURE))
        return publish(forge, str(_tag(release)), notes, files, say=say)


def publish(
    forge: ReleaseForge,
    tag: str,
    notes: Notes,
    files: Sequence[Path],
    *,
    say: Callable[[str], None] = lambda _: None,
) -> Shown:
    """Publish files as the release of a tag, after all of them arrived whole.

    What an earlier run left half done is finished: files that fit are kept, others are replaced.

    Raises:
        WorldError: The forge does not take it, or shows this tag with other bytes already.
    """
    for left in reversed(range(_ROUNDS)):
        found = forge.releases(tag)
        drafts = [one for one in found if one.draft]
        if found and not found[0].draft:
            _must_be_the_same(forge, found[0], files)
            for draft in drafts:
                forge.remove(draft)
            return Shown(found[0].url, tag, tuple(one.name for one in found[0].assets), changed=False)
        try:
            shown = _fill_and_publish(forge, drafts[0] if drafts else forge.draft(tag, notes), notes, files, say)
        except WorldError:
            # Another run may have been faster: then there is something to look at again.
            if not left or not _changed(forge, tag, found):
                raise
            continue
        for draft in drafts[1:]:
            forge.remove(draft)
        return Shown(shown.url, tag, tuple(file.name for file in files), changed=True)
    raise WorldError(f"the release {tag} changes while it is published", "let one run at a time publish it")


def _changed(forge: ReleaseForge, tag: str, found: Sequence[ForgeRelease]) -> bool:
    return tuple(forge.releases(tag)) != tuple(found)


def _fill_and_publish(
    forge: ReleaseForge, draft: ForgeRelease, notes: Notes, files: Sequence[Path], say: Callable[[str], None]
) -> ForgeRelease:
    names = {file.name for file in files}
    for asset in draft.assets:
        if asset.name not in names:
            forge.remove_asset(asset)
    for file in files:
        _put(forge, draft, file, say)
    now = _again(forge, draft)
    wrong = _differing(forge, now, files)
    if wrong:
        raise WorldError(f"{', '.join(wrong)} of the release {draft.tag} did not arrive whole", "run it again")
    say(f"publishing {draft.tag}")
    return forge.publish(draft, notes)


def _put(forge: ReleaseForge, draft: ForgeRelease, file: Path, say: Callable[[str], None]) -> None:
    there = draft.asset(file.name)
    if there is not None:
        if _fits(forge, there, file):
            return
        forge.remove_asset(there)
    say(f"uploading {file.name}")
    try:
        forge.upload(draft, file)
    except WorldError:
        # It may have arrived although its answer was lost, or in part: then it stands in the way.
        there = _again(forge, draft).asset(file.name)
        if there is None:
            raise
        if not _fits(forge, there, file):
            forge.remove_asset(there)
            forge.upload(draft, file)


def _again(forge: ReleaseForge, draft: ForgeRelease) -> ForgeRelease:
    found = next((one for one in forge.releases(draft.tag) if one.id == draft.id), None)
    if found is None or not found.draft:
        raise WorldError(f"another run takes care of the release {draft.tag}", "let one run at a time publish it")
    return found


def _fits(forge: ReleaseForge, asset: Asset, file: Path) -> bool:
    if not asset.ready or asset.size != file.stat().st_size:
        return False
    if asset.sha256:
        return asset.sha256 == digest(file)
    with scratch("asset") as temporary:
        return digest(forge.download(asset, temporary / "asset")) == digest(file)


def _differing(forge: ReleaseForge, release: ForgeRelease, files: Sequence[Path]) -> list[str]:
    assets = {one.name: one for one in release.assets}
    return [file.name for file in files if file.name not in assets or not _fits(forge, assets[file.name], file)]


def _must_be_the_same(forge: ReleaseForge, release: ForgeRelease, files: Sequence[Path]) -> None:
    """A signature is another one each time it is made: one that speaks of the same files is as good."""
    known = {one.name for one in release.assets}
    sums = {file.name: digest(file) for file in files if not file.name.endswith(BESIDE)}
    wrong = [
        name
        for name in _differing(forge, release, files)
        if not (name.endswith(BESIDE) and name in known and _speaks(forge, release, name, sums))
    ]
    if wrong:
        named = ", ".join(f"{name} ({'with other bytes' if name in known else 'missing'})" for name in wrong)
        raise WorldError(
            f"the release {release.tag} is published already, but not with these files: {named}",
            "a release is never changed: withdraw it (`mlci deprecate`) and release a new version",
        )


def _speaks(forge: ReleaseForge, release: ForgeRelease, name: str, sums: dict[str, str]) -> bool:
    """Whether a signature or an attestation that is published speaks of these files."""
    asset = release.asset(name)
    if asset is None:
        return False
    archives = {each: known for each, known in sums.items() if each.endswith(ARCHIVE)}
    with scratch("asset") as temporary:
        file = forge.download(asset, temporary / name)
        if name.endswith(SIGNATURE):
            return signed_files(file) == {each: known for each, known in sums.items() if each not in archives}
        try:
            return read_provenance(file).subjects >= set(archives.values())
        except (OSError, ValueError):
            return False


def _release(desk: Desk, tag: str) -> Release:
    name, version = asked(tag)
    artifact = desk.artifact(desk.name(name))
    release = artifact.find(version)
    if release is None:
        raise PolicyError(f"{artifact.name} {version} was never released", "see `mlci status`; `git fetch --tags`")
    must_stand(release)
    return release


def _tag(release: Release) -> TagName:
    return TagName("register", release.artifact, version=release.version)


def _looked_at(release: Release, archive: Path, folder: Path, say: Callable[[str], None]) -> Path:
    """The unpacked bundle, which is whole and of this release."""
    if not archive.is_file():
        raise WorldError(f"{archive} is not there", "build it first: `mlci release --build TAG`")
    found = verify(archive, Trust(), replay=False, say=say)
    wrong = [f"{one.what}: {one.said}" for one in found.checks if one.held is False]
    if wrong:
        raise GateError(f"{archive.name} can't be published: {'; '.join(wrong)}", "build it again")
    unpacked = unpack(archive, folder / "bundle")
    manifest = _manifest(unpacked)
    if (manifest.name, manifest.version, manifest.commit) != (release.artifact, release.version, release.commit):
        raise GateError(
            f"{archive.name} is {manifest.name} {manifest.version} of commit {manifest.commit[:10]}, not "
            f"{release.artifact} {release.version} of commit {release.commit[:10]}",
            "build it again from the tag",
        )
    return unpacked


def _manifest(folder: Path) -> Manifest:
    return Manifest.model_validate_json((folder / MANIFEST).read_bytes())


def _notes(desk: Desk, release: Release, folder: Path, *, signature: Path) -> Notes:
    """The tag's own words: what was proposed when it was made."""
    verdict = Verdict.model_validate_json((folder / VERDICT).read_bytes())
    lines = release.events[-1].message.splitlines()
    told = tuple(line.removeprefix("- ") for line in lines if line.startswith("- "))
    latest = desk.registry.artifacts[release.artifact].latest
    return render_notes(
        _manifest(folder),
        verdict,
        told,
        trust=_how_to_trust(signature),
        latest=latest is None or latest.version == release.version,
    )


def _how_to_trust(signature: Path) -> str:
    """The option by which a reader names who signed."""
    try:
        envelope = read_envelope(signature)
    except (OSError, ValueError):
        return ""
    match envelope.kind:
        case "key":
            return "--key team.pub"
        case "certificate":
            return "--root team.crt"
        case "sigstore":
            who = clean(identity(envelope))
            return f"--identity {shlex.quote(who)}" if who else ""
