"""What a change of a model's signature means for whoever calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mlci.nouns.signature import Signature


class SignatureChange(NamedTuple):
    """One difference.

    Attributes:
        said: In a sentence; names stand between backticks.
        breaks: Whether a call that worked may fail or mean something else.
    """

    said: str
    breaks: bool


def changes(old: Signature, new: Signature) -> tuple[SignatureChange, ...]:
    """What differs, the gravest first."""
    before = {each.name: each for each in old.inputs}
    after = {each.name: each for each in new.inputs}
    found = []
    if old.task != new.task:
        found.append(SignatureChange(f"It is a {new.task} model now; it was a {old.task} one.", breaks=True))
    if old.classes != new.classes or old.positive_class != new.positive_class:
        found.append(SignatureChange(f"Its classes are {_listed(new)} now; they were {_listed(old)}.", breaks=True))
    for name, each in after.items():
        if name not in before:
            found.append(SignatureChange(f"It wants a further column `{name}` ({each.type}).", breaks=True))
        elif before[name].type != each.type:
            found.append(SignatureChange(f"`{name}` is {each.type} now; it was {before[name].type}.", breaks=True))
        elif before[name].nullable and not each.nullable:
            found.append(SignatureChange(f"`{name}` may not be missing any more.", breaks=True))
        elif each.nullable and not before[name].nullable:
            found.append(SignatureChange(f"`{name}` may be missing now.", breaks=False))
    # Whoever still sends a column that nobody reads is answered as before.
    found += [SignatureChange(f"It reads `{name}` no more.", breaks=False) for name in before if name not in after]
    return tuple(sorted(found, key=lambda one: not one.breaks))


def grave(change: SignatureChange) -> bool:
    """Whether a change asks for a new major version."""
    return change.breaks


def _listed(signature: Signature) -> str:
    return ", ".join(f"`{each}`" for each in signature.classes) or "none"
