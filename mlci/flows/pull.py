"""Pull a release: find out which one is meant, download it, verify it, put it in place."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mlci.edges.archive import unpack
from mlci.edges.files import copy_tree, digest, unwritable, write_bytes
from mlci.edges.git import History
from mlci.edges.revisions import Revisions
from mlci.edges.scratch import scratch
from mlci.edges.tags import Tags
from mlci.errors import GateError, MlciError, PolicyError
from mlci.flows.evidence import evidence_at, policy_at
from mlci.flows.obtain import obtain
from mlci.flows.resolve import resolve, wanted
from mlci.flows.verify import ARCHIVE, SIGNATURE, verify
from mlci.nouns.bundle import MANIFEST, MODEL, Checked, Manifest, Pulled, Verification
from mlci.nouns.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlci.edges.signing import Trust
    from mlci.flows.obtain import Place
    from mlci.nouns.registry import Release


class Shop(NamedTuple):
    """Where releases are looked up and fetched.

    Attributes:
        root: Folder of a project in its repository.
        policy: Name of the policy's file.
        place: Where bundles come from.
        trust: Whom to believe.
    """

    root: Path
    policy: str
    place: Place
    trust: Trust


def pull(
    shop: Shop, text: str, out: Path, *, model: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> Pulled:
    """Bring a release here: all of it, verified, or nothing.

    Args:
        shop: Where.
        text: `flights@v1.2.0`, `flights#prod` or `flights@latest`.
        out: Folder to put the bundle's folder into.
        model: File to write the model to, instead of the bundle.
        say: Told what is being done.

    Raises:
        PolicyError: It names no release.
        GateError: The release was withdrawn, or what was downloaded is not to be trusted.
        WorldError: It can't be fetched or written.
    """
    release = look_up(shop, text)
    say(f"{text} is {release.artifact} {release.version}")
    with scratch("pull") as temporary:
        archive = obtain(shop.place, release, temporary, say)
        found = verified(shop, release, archive, say)
        _must_be_trusted(found)
        if archive is None:
            file = _model_alone(shop, release, say)[0]
            target = write_bytes(model or out / f"{_stem(release)}.onnx", file.read_bytes())
            return _pulled(release, found, (target,))
        folder = unpack(archive, temporary / "bundle")
        if model is not None:
            return _pulled(release, found, (write_bytes(model, (folder / MODEL).read_bytes()),))
        return _pulled(release, found, _placed(folder, archive, out))


def look_up(shop: Shop, text: str) -> Release:
    """The release that is meant, by the tags of the repository. Raises PolicyError, GateError or WorldError."""
    tags = Tags(History(shop.root))
    tags.fetch()
    return resolve(Registry.fold(tags.read()), wanted(text))


def verified(
    shop: Shop,
    release: Release,
    archive: Path | None,
    say: Callable[[str], None] = lambda _: None,
    *,
    signature: Path | None = None,
) -> Verification:
    """What a download says of itself, and whether the tag says the same."""
    if archive is None:
        file, checks = _model_alone(shop, release, say)
        return Verification(source=file.name, name=release.artifact, version=release.version, checks=checks)
    found = verify(archive, shop.trust, signature=signature, say=say)
    say("comparing it with the tag")
    with scratch("compare") as temporary:
        folder = unpack(archive, temporary / "bundle")
        checks = (*found.checks, _of_the_tag(folder, release), _of_the_commit(shop, folder / MODEL, release))
    return found.model_copy(update={"checks": checks})


def _of_the_tag(folder: Path, release: Release) -> Checked:
    what = "it is the release that the tag names"
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return Checked(what=what, held=False, said=f"{MANIFEST} can't be read")
    theirs = f"{manifest.name} {manifest.version} of commit {manifest.commit[:10]}"
    ours = f"{release.artifact} {release.version} of commit {release.commit[:10]}"
    same = (manifest.name, manifest.version, manifest.commit) == (release.artifact, release.version, release.commit)
    return Checked(what=what, held=same, said=theirs if same else f"it is {theirs}, the tag is {ours}")


def _of_the_commit(shop: Shop, model: Path, release: Release) -> Checked:
    what = "it is the model that the tagged commit names"
    try:
        path, version = _recorded(shop, release)
    except MlciError as error:
        return Checked(what=what, held=None, said=error.problem)
    if not version:
        return Checked(what=what, held=None, said=f"the commit names no {path}")
    same = _version_of(shop, model, like=version) == version
    return Checked(what=what, held=same, said=version if same else f"{path} of the commit is {version}")


def _recorded(shop: Shop, release: Release) -> tuple[str, str]:
    """Path and version of the model at a release's commit."""
    history = History(_folder(shop, release))
    policy = policy_at(history, release.commit, shop.policy).policy
    if policy.model is None:
        raise PolicyError(f"{shop.policy} of commit {release.commit[:10]} names no model", "")
    return policy.model.path, Revisions(shop.root, history).version(release.commit, policy.model.path)


def _folder(shop: Shop, release: Release) -> Path:
    """The folder of the model's project: a repository may hold several."""
    top = History(shop.root).top or shop.root
    inside, colon, _ = release.artifact.partition(":")
    folder = (top / inside).resolve() if colon else top
    if not folder.is_relative_to(top.resolve()):
        raise PolicyError(f"{release.artifact} is in no folder of the repository", "a tag names a folder inside of it")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _version_of(shop: Shop, file: Path, like: str) -> str:
    return f"md5:{digest(file, 'md5')}" if like.startswith("md5:") else f"git:{History(shop.root).blob_here(file)}"


def _model_alone(shop: Shop, release: Release, say: Callable[[str], None]) -> tuple[Path, tuple[Checked, ...]]:
    """The model out of Git or DVC, and what its verdicts say of it."""
    say(f"fetching the model of commit {release.commit[:10]}")
    root = _folder(shop, release)
    history = History(root)
    policy = policy_at(history, release.commit, shop.policy)
    about = policy.policy.model
    if about is None:
        raise PolicyError(f"{shop.policy} of commit {release.commit[:10]} names no model", "pull a bundle of it")
    revisions = Revisions(root, history)
    file = revisions.fetch(release.commit, about.path)
    version = revisions.version(release.commit, about.path)
    same = _version_of(shop, file, like=version) == version
    verdicts = evidence_at(root, history, release.commit, policy).verdicts
    known = {one.digests.model for one in verdicts} - {""}
    judged = any(one.outcome != "fail" for one in verdicts) and (not known or digest(file) in known)
    said = verdicts[-1].headline if verdicts else "no verdict speaks for its commit"
    checks = [
        Checked(what="it is the model that the tagged commit names", held=same, said=version),
        Checked(what="a verdict speaks for this model", held=judged, said=said),
    ]
    if shop.trust.named:
        alone = "unsigned: there is no bundle of it, only the model"
        checks.append(Checked(what="it is signed by who is trusted", held=False, said=alone))
    return file, tuple(checks)


def _must_be_trusted(found: Verification) -> None:
    wrong = [f"{one.what}: {one.said}" for one in found.checks if one.held is False]
    if wrong:
        name = f"{found.name} {found.version}".strip()
        raise GateError(
            f"{name} was not put in place, because this does not hold: {'; '.join(wrong)}",
            "download it again; if that does not help, ask who released it",
        )


def _placed(folder: Path, archive: Path, out: Path) -> tuple[Path, ...]:
    """Put the folder where it belongs in one step, beside its signature; what was there goes."""
    target = out / folder.name
    signature = archive.with_name(archive.name.removesuffix(ARCHIVE) + SIGNATURE)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=out) as temporary:
            new, old = Path(temporary) / "new", Path(temporary) / "old"
            copy_tree(folder, new)
            if target.exists():
                target.rename(old)
            try:
                new.rename(target)
            except OSError:
                if old.exists():
                    old.rename(target)
                raise
    except OSError as error:
        raise unwritable(target, error) from error
    if not signature.is_file():
        return (target,)
    return target, write_bytes(out / f"{folder.name}{SIGNATURE}", signature.read_bytes())


def _stem(release: Release) -> str:
    from mlci.render.card import folder_name  # noqa: PLC0415 - templates are slow to load

    return folder_name(release.artifact, release.version)


def _pulled(release: Release, found: Verification, files: tuple[Path, ...]) -> Pulled:
    return Pulled(
        name=release.artifact,
        version=release.version,
        commit=release.commit,
        files=tuple(os.fspath(file) for file in files),
        checks=found.checks,
    )
