"""Where the data is, and whether others can get it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlci.errors import MlciError
from mlci.flows.doctor.patient import Look, listed
from mlci.nouns.base import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlci.flows.doctor.patient import Patient
    from mlci.nouns.diagnosis import Diagnosed

_SECRET = re.compile(
    r"^\s*['\"]?(password|secret_access_key|session_token|connection_string|account_key|sas_token|client_secret|token|"
    r"key_password|passphrase|gdrive_client_secret|oss_key_secret|bearer_token|access_key_id)['\"]?\s*=\s*\S",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"://[^/@\s:]+:[^/@\s]+@")
_CONFIGS = (".dvc/config", ".dvc/config.local")


def secrets(patient: Patient) -> Iterator[Diagnosed]:
    """No password of the storage is in Git."""
    look = Look("storage.secrets", "Storage")
    for file in _CONFIGS:
        if file not in patient.files or not (patient.root / file).is_file():
            continue
        if file.endswith(".local"):
            yield look.failure(f"Git tracks {file}, which is for secrets", f"`git rm --cached {file}`")
        text = (patient.root / file).read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            name = _SECRET.match(line)
            if name or _IN_ADDRESS.search(line):
                what = f"`{name[1]}`" if name else "a password in an address"
                yield look.failure(
                    f"a secret is in Git: {what}",
                    "change the secret, then `dvc remote modify --local REMOTE …` keeps the new one out of Git "
                    "(in GitHub Actions: a repository secret)",
                    Place(file=file, line=number),
                )


def remote(patient: Patient) -> Iterator[Diagnosed]:
    """Others can get the data."""
    look = Look("storage.remote", "Storage")
    pipeline = patient.pipeline
    if isinstance(pipeline, MlciError):
        return
    if not pipeline.cached:
        yield look.fine("DVC keeps no data: all of it is in Git")
    elif not patient.has_remote:
        yield from _without(look, pipeline.sources, pipeline.cached)
    elif patient.offline:
        yield look.not_asked("the remote was not asked", "leave out --offline")
    else:
        yield from _answered(look, patient)


def _without(look: Look, sources: tuple[str, ...], cached: tuple[str, ...]) -> Iterator[Diagnosed]:
    mend = "`dvc remote add -d NAME URL` (a folder will do), commit .dvc/config, and `dvc push`"
    if sources:
        yield look.failure(f"no DVC remote: nobody else can get {listed(sources)}", mend)
    else:
        yield look.warning(f"no DVC remote: every clone makes {listed(cached)} again", mend)


def _answered(look: Look, patient: Patient) -> Iterator[Diagnosed]:
    probe = patient.probe
    name = f"the remote `{probe.remote}`" if probe.remote else "the default remote"
    at = f" ({probe.address})" if probe.address else ""
    if probe.problem:
        yield look.failure(
            f"{name}{at} cannot be reached: {probe.problem}",
            "see that the address is right, that this machine may read it, and that DVC's extra for it is installed",
            _written(patient),
        )
        return
    if not probe.unpushed and not probe.lost:
        yield look.fine(f"{name}{at} has everything that the lock names")
    if probe.unpushed:
        yield Look("storage.pushed", "Storage").failure(
            f"{name} lacks {listed(probe.unpushed)}: a runner could not pull", "`dvc push`"
        )
    if probe.lost:
        yield Look("storage.lost", "Storage").failure(
            f"neither the cache nor {name} has {listed(probe.lost)}",
            "`dvc push` where they were made, or `dvc repro` makes them again",
        )


def _written(patient: Patient) -> Place | None:
    file = patient.root / ".dvc/config"
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    number = next((number for number, line in enumerate(lines, 1) if line.strip().startswith("url")), 0)
    return Place(file=".dvc/config", line=number) if number else None


def at_hand(patient: Patient) -> Iterator[Diagnosed]:
    """What is not here can be had."""
    look = Look("storage.here", "Storage")
    pipeline = patient.pipeline
    if isinstance(pipeline, MlciError) or not pipeline.absent:
        return
    sources = [path for path in pipeline.absent if path in pipeline.sources]
    if sources and not patient.has_remote:
        yield look.failure(
            f"{listed(sources)} is neither here nor in the cache, and no stage makes it",
            "copy the cache of whoever has it, or `dvc push` there once a remote is configured",
        )
    else:
        mend = "`dvc pull`" if patient.has_remote else "`dvc repro` makes it"
        yield look.warning(f"not here yet: {listed(pipeline.absent)}", mend)


CHECKS = (secrets, remote, at_hand)
