"""Verify a bundle wherever it is: a file, an address, or the release of a tag."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlci.edges.download import is_url
from mlci.edges.scratch import scratch
from mlci.flows.obtain import fetch, obtain
from mlci.flows.pull import look_up, verified
from mlci.flows.resolve import Asked
from mlci.flows.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from mlci.edges.signing import Trust
    from mlci.flows.pull import Shop
    from mlci.nouns.bundle import Verification


def verify_any(
    source: str,
    trust: Trust,
    shop: AbstractContextManager[Shop],
    *,
    signature: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Check what somebody names.

    Args:
        source: An archive, its folder, a file inside of it, an address, or a release such as `flights@v1.2.0`.
        trust: Whom to believe.
        shop: Where to look a release up; opened only for one.
        signature: Its file; default: beside the bundle.
        say: Told what is being done.

    Raises:
        PolicyError: There is no such release.
        GateError: The release was withdrawn.
        WorldError: It is no bundle at all, or can't be fetched.
    """
    if Path(source).exists() or (not is_url(source) and Asked.read(source) is None):
        return verify(Path(source), trust, signature=signature, say=say)
    with scratch("verify") as temporary:
        if is_url(source):
            archive = fetch(source, temporary, say)
            return verify(archive, trust, signature=signature, say=say).model_copy(update={"source": source})
        with shop as where:
            release = look_up(where, source)
            bundle = obtain(where.place, release, temporary, say)
            found = verified(where, release, bundle, say, signature=signature)
            return found.model_copy(update={"source": source})
