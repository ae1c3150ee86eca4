"""Tell a channel something, as Slack and what understands it take it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from mlci.errors import PolicyError, WorldError

_SECONDS = 10


def post(address: str, text: str, name: str) -> None:
    """Post a message.

    Args:
        address: Where to; it is a secret and never shown.
        text: The message.
        name: Of the variable that holds the address, for messages.

    Raises:
        PolicyError: It is no address.
        WorldError: Nobody takes it.
    """
    if not address.startswith(("https://", "http://")):
        raise PolicyError(f"{name} holds no address", "a webhook's address begins with https://")
    request = urllib.request.Request(  # noqa: S310 - http or https by the check
        address, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
            answer.read(1_000)
    except (OSError, ValueError, urllib.error.URLError) as error:
        # The address is a secret, and some errors quote it.
        raise WorldError(
            f"the webhook in {name} did not take the message ({type(error).__name__})",
            "see whether the address still holds; the next run tells it again",
        ) from None
