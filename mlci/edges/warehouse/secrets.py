"""Credentials of a warehouse: from the environment, and in nothing that anybody reads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from mlci.nouns.warehouse_url import without_secrets

if TYPE_CHECKING:
    from mlci.nouns.engine import Engine

VARIABLE = "MLCI_WAREHOUSE_PASSWORD"
_KNOWN = (VARIABLE, "PGPASSWORD", "MYSQL_PWD", "MOTHERDUCK_TOKEN", "motherduck_token")
_SHORTEST = 4
"""A shorter secret would blot out words of a message; nobody has one."""


def password() -> str | None:
    """The password that is given to any warehouse."""
    return os.environ.get(VARIABLE) or None


def redacted(text: str, engine: Engine) -> str:
    """A message of a driver, without what it may have picked up of credentials."""
    shown = text.replace(engine.url, without_secrets(engine.url)) if engine.url else text
    for name in _KNOWN:
        secret = os.environ.get(name, "")
        if len(secret) >= _SHORTEST:
            for form in dict.fromkeys((secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1])):
                shown = shown.replace(form, "***")
    return shown
