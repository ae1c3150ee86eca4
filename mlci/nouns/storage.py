"""What DVC says of a project: which stages are out of date, and what of the data is where."""

from __future__ import annotations

from mlci.nouns.base import Noun


class Pipeline(Noun):
    """The pipeline against its lock.

    Attributes:
        changed: What differs from the lock, by stage, in words; nothing of what merely isn't there.
        absent: Files that the lock knows, and that are neither here nor in the cache.
        cached: Outputs that DVC keeps, by path; those of stages and of `.dvc` files.
        sources: Those among them that no stage makes.
        remote: The default remote; empty where there is none.
        address: Where it is, without a password: an address, or a folder of this machine.
    """

    changed: dict[str, tuple[str, ...]] = {}
    absent: tuple[str, ...] = ()
    cached: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    remote: str = ""
    address: str = ""


class Probe(Noun):
    """What a DVC remote answered.

    Attributes:
        remote: Its name; empty where none is the default.
        address: Where it is, without a password.
        problem: Why it could not be asked; empty where it could.
        unpushed: What it lacks, and the cache has.
        lost: What neither of them has.
    """

    remote: str = ""
    address: str = ""
    problem: str = ""
    unpushed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
