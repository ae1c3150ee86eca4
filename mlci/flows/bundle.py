"""Build what a release hands out: one folder, the same bytes for the same tag, and its archive."""

from __future__ import annotations

import json
import re
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple, get_args

from mlci import __version__
from mlci.edges.archive import digest_of, pack, sums
from mlci.edges.files import copy_tree, digest, write_bytes, write_text
from mlci.edges.revisions import NotKept, Revisions
from mlci.edges.scratch import scratch
from mlci.edges.signing import prepared, sign
from mlci.edges.table_span import span
from mlci.errors import GateError, PolicyError, WorldError
from mlci.flows.evidence import evidence_at, policy_at
from mlci.flows.registry import asked
from mlci.flows.release_notes import release_notes
from mlci.flows.verdict import judged_paths
from mlci.judge.evidence import chosen, refusal
from mlci.nouns.bundle import (
    BOM,
    CARD,
    EMBEDDED,
    MANIFEST,
    MODEL,
    PAGE,
    POLICY,
    SUMS,
    VERDICT,
    Card,
    DataUse,
    DataVersion,
    Manifest,
)
from mlci.render.bom import render_bom
from mlci.render.card import folder_name, limits_of, render_card, render_card_page
from mlci.render.json import to_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.edges.signing import Signer
    from mlci.flows.registry import Desk
    from mlci.nouns.policy import Policy, PolicyFile
    from mlci.nouns.registry import Event, Release
    from mlci.nouns.report import Report

_EXAMPLES = 20
EVIDENCE = re.compile(r"^Evidence: ([0-9a-f]{64})$", re.MULTILINE)


class Built(NamedTuple):
    """A bundle on disk."""

    folder: Path
    archive: Path
    card: Card


def build(desk: Desk, release: Release, out: Path, *, say: Callable[[str], None] = lambda _: None) -> Built:
    """Build the bundle of a release.

    Args:
        desk: Where the release was tagged.
        release: Of the registry.
        out: Folder to write the bundle's folder and archive to; what an earlier build left there is replaced.
        say: Told what is being done.

    Raises:
        GateError: No passing verdict speaks for the release's commit.
        PolicyError: The policy of that commit does not say what a release needs.
        WorldError: The model or the test table can't be fetched, or nothing can be written.
    """
    event = release.events[-1]
    policy = policy_at(desk.history, release.commit, desk.policy.file)
    report = _evidence(desk, release, policy)
    with scratch("bundle") as temporary:
        folder = temporary / folder_name(release.artifact, release.version)
        card = _fill(desk, release, event, policy, report, folder, say)
        say("packing")
        target = out / folder.name
        copy_tree(folder, target)
        archive = pack(target, out / f"{folder.name}.tar.gz", at=int(event.at.timestamp()))
    return Built(target, archive, card)


def _evidence(desk: Desk, release: Release, policy: PolicyFile) -> Report:
    known = evidence_at(desk.root, desk.history, release.commit, policy).reports
    accept = policy.policy.release is not None and policy.policy.release.inconclusive == "accept"
    named = EVIDENCE.search(release.events[-1].message)
    same = [one for one in known if named is not None and report_digest(one) == named[1]]
    why = refusal([one.verdict for one in known], accept_inconclusive=accept)
    if why is not None:
        raise GateError(f"{release.artifact} {release.version} can't be bundled: {why.problem}", why.mend)
    # What the tag names, so that a verdict that came later changes nothing.
    return same[0] if same else chosen(known, accept_inconclusive=accept)


def report_digest(report: Report) -> str:
    """SHA-256 of a report, as a release's tag names it."""
    return digest_of(report.model_dump_json().encode())


def _fill(
    desk: Desk,
    release: Release,
    event: Event,
    policy: PolicyFile,
    report: Report,
    folder: Path,
    say: Callable[[str], None],
) -> Card:
    model = policy.policy.model
    if model is None:
        raise PolicyError(f"{policy.file} names no model", "write `model: {name: …}` under `mlci:`")
    revisions = Revisions(desk.root, desk.history)
    say(f"fetching {model.path}")
    write_bytes(folder / MODEL, revisions.fetch(release.commit, model.path).read_bytes())
    manifest = _manifest(desk, release, event, policy, folder / MODEL, say)
    previous, notes = release_notes(desk, release, report)
    page = _page(folder, manifest, policy.policy, say)
    card = Card(
        manifest=manifest,
        verdict=report.verdict,
        metrics=report.metrics,
        slices=report.slices,
        notes=notes,
        previous=previous,
        page_bytes=page,
    )
    write_text(folder / MANIFEST, to_json(manifest))
    write_text(folder / VERDICT, to_json(report.verdict))
    write_bytes(folder / POLICY, desk.history.read(release.commit, desk.policy.file) or b"")
    write_text(folder / CARD, render_card(card))
    write_text(folder / PAGE, render_card_page(card))
    write_text(folder / BOM, json.dumps(render_bom(card, limits_of(card)), indent=2, ensure_ascii=False) + "\n")
    files = [file for file in folder.iterdir() if file.name != SUMS]
    write_text(folder / SUMS, sums(files, folder))
    return card


def _page(folder: Path, manifest: Manifest, policy: Policy, say: Callable[[str], None]) -> int:
    """Write the page that runs the model in a browser, where the policy asks for it; its size in bytes, else 0."""
    if policy.release is None or not policy.release.embed:
        return 0
    from mlci.flows.embed import page_of_bundle  # noqa: PLC0415 - the runtime is heavy

    page = page_of_bundle((folder / MODEL).read_bytes(), manifest, policy, say=say).encode()
    write_bytes(folder / EMBEDDED, page)
    return len(page)


def _manifest(
    desk: Desk, release: Release, event: Event, policy: PolicyFile, file: Path, say: Callable[[str], None]
) -> Manifest:
    from mlci.edges.onnx.examples import make_examples  # noqa: PLC0415 - the runtime is heavy
    from mlci.edges.onnx.session import OnnxModel  # noqa: PLC0415

    about, gate = policy.policy.model, policy.policy.gate
    if about is None or gate is None:
        raise PolicyError(f"{policy.file} promises nothing of the model", "write `gate:` under `mlci:`")
    model = OnnxModel.load(file)
    threshold = about.threshold if about.task == "binary" else None
    say("asking the model some rows")
    table = _kept(Revisions(desk.root, desk.history), release.commit, gate.test)
    return Manifest(
        name=release.artifact,
        version=release.version,
        commit=release.commit,
        released=f"{event.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        tool=f"mlci {__version__}",
        sha256=digest(file),
        signature=model.signature,
        threshold=threshold,
        examples=make_examples(model, table, _EXAMPLES, threshold),
        purpose=about.purpose,
        owner=about.owner,
        population=about.population,
        cost=about.cost,
        data=_tables(desk, release.commit, policy.policy),
    )


def _kept(revisions: Revisions, commit: str, path: str) -> Path:
    try:
        return revisions.fetch(commit, path)
    except NotKept as error:
        raise WorldError(
            f"{path} of commit {commit[:10]} is neither here nor in the remote", "whoever has it runs `dvc push`"
        ) from error


def _tables(desk: Desk, commit: str, policy: Policy) -> tuple[DataVersion, ...]:
    """The tables that a model was made and tested with, training first."""
    gate, model = policy.gate, policy.model
    uses: dict[str, DataUse] = dict.fromkeys(
        (path for path in judged_paths(policy) if model is None or path != model.path), "data"
    )
    if gate is not None:
        uses |= {gate.test: "testing", gate.predictions: "predictions"}
        if Revisions(desk.root, desk.history).version(commit, gate.train):
            uses[gate.train] = "training"
    order = list(get_args(DataUse))
    return tuple(
        _table(desk, commit, path, uses[path]) for path in sorted(uses, key=lambda one: order.index(uses[one]))
    )


def _table(desk: Desk, commit: str, path: str, use: DataUse) -> DataVersion:
    revisions = Revisions(desk.root, desk.history)
    version = revisions.version(commit, path)
    if not version or version.endswith(".dir"):
        return DataVersion(path=path, version=version, use=use)
    # What one machine finds and another does not would make two bundles of one tag.
    file = _kept(revisions, commit, path)
    rows, since, until = span(file)
    return DataVersion(path=path, version=version, use=use, sha256=digest(file), rows=rows, since=since, until=until)


def build_tag(
    desk: Desk, tag: str, out: Path, signer: Signer | None, *, say: Callable[[str], None] = lambda _: None
) -> tuple[Path, ...]:
    """Build the bundle of a release's tag, and sign it where there is something to sign with.

    Returns:
        The archive, and the signature beside it.

    Raises:
        PolicyError: There is no such release.
        GateError: It was withdrawn, or no evidence speaks for it.
        WorldError: As `build`; or it can't be signed.
    """
    name, version = asked(tag)
    artifact = desk.artifact(desk.name(name))
    release = artifact.find(version)
    if release is None:
        raise PolicyError(
            f"{artifact.name} {version} was never released", "see `mlci status`; fetch tags: `git fetch --tags`"
        )
    if release.withdrawn:
        raise GateError(
            f"{artifact.name} {version} was withdrawn: {release.events[-1].message}", "release a new version"
        )
    if signer is not None:
        prepared(signer)
    built = build(desk, release, out, say=say)
    signature = out / f"{built.folder.name}.sig"
    signature.unlink(missing_ok=True)
    if signer is None:
        return (built.archive,)
    say("signing")
    return built.archive, sign(built.folder, signature, signer)
