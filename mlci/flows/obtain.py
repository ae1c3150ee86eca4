"""Get the bundle of a release from where it lies: a folder, an address, the forge."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from mlci.edges.download import download, is_url
from mlci.edges.forge import GoneError
from mlci.errors import WorldError
from mlci.flows.forge_access import asking_forge
from mlci.flows.verify import ARCHIVE, BESIDE, PROVENANCE, SIGNATURE
from mlci.nouns.registry import TagName
from mlci.render.card import folder_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlci.flows.forge_access import Home
    from mlci.nouns.registry import Release

FORGE, DVC = "forge", "dvc"


class Place(NamedTuple):
    """Where bundles come from.

    Attributes:
        source: `forge`, `dvc`, a folder, a file or an address; empty: the forge, then DVC.
        home: Of the repository on a forge; None where it has none.
    """

    source: str = ""
    home: Home | None = None


def obtain(place: Place, release: Release, folder: Path, say: Callable[[str], None] = lambda _: None) -> Path | None:
    """Get the archive of a release, with its signature and its attestation beside it if there are any.

    Args:
        place: Where it comes from.
        release: Of the registry.
        folder: To put both into.
        say: Told what is being done.

    Returns:
        The archive; None where only the model can be had, from Git or DVC.

    Raises:
        WorldError: It is not there, or can't be fetched.
    """
    name = folder_name(release.artifact, release.version)
    if place.source == DVC:
        return None
    if is_url(place.source):
        whole = urlsplit(place.source).path.endswith(ARCHIVE)
        return fetch(place.source if whole else f"{place.source.rstrip('/')}/{name}{ARCHIVE}", folder, say)
    if place.source and place.source != FORGE:
        return _from_folder(Path(place.source), name, folder)
    if not place.source and place.home is None:
        return None
    try:
        return _from_forge(place, release, name, folder, say)
    except GoneError:
        if place.source:
            raise
        say("the forge has no release of it; looking for the model alone")
        return None


def fetch(url: str, folder: Path, say: Callable[[str], None] = lambda _: None) -> Path:
    """Get an archive by its address, with its signature and its attestation if there are any. Raises as `download`."""
    parts = urlsplit(url)
    archive = folder / Path(parts.path).name
    say(f"fetching {archive.name}")
    download(url, archive)
    for end, what in ((SIGNATURE, "signature"), (PROVENANCE, "attestation")):
        beside = parts._replace(path=parts.path.removesuffix(ARCHIVE) + end).geturl()
        try:
            download(beside, folder / (archive.name.removesuffix(ARCHIVE) + end))
        except GoneError:
            say(f"it has no {what} beside it")
    return archive


def _from_folder(source: Path, name: str, folder: Path) -> Path:
    archive = source if source.name.endswith(ARCHIVE) else source / f"{name}{ARCHIVE}"
    if not archive.is_file():
        raise GoneError(f"{archive} is not there", "name the folder that holds the archive with --from")
    beside = [archive.with_name(archive.name.removesuffix(ARCHIVE) + end) for end in BESIDE]
    try:
        for file in (archive, *beside):
            if file.is_file():
                shutil.copyfile(file, folder / file.name)
    except OSError as error:
        raise WorldError(f"{archive} cannot be copied: {error.strerror or error}", "make it readable") from error
    return folder / archive.name


def _from_forge(place: Place, release: Release, name: str, folder: Path, say: Callable[[str], None]) -> Path:
    tag = str(TagName("register", release.artifact, version=release.version))
    with asking_forge(place.home) as forge:
        say(f"asking the forge for {tag}")
        found = forge.published(tag)
        archive = found.asset(f"{name}{ARCHIVE}")
        if archive is None:
            raise WorldError(f"the release {tag} has no {name}{ARCHIVE}", "publish it again: `mlci release --publish`")
        say(f"fetching {archive.name} ({archive.size:,} bytes)")
        beside = [asset for end in BESIDE if (asset := found.asset(f"{name}{end}")) is not None]
        for asset in (archive, *beside):
            forge.download(asset, folder / asset.name)
    return folder / archive.name
