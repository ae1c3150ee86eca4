"""The URL of a warehouse: what of it may be seen."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from mlci.nouns.log_url import without_password

_UNQUOTED = re.compile(r"[\w+]+://[^/?#@:]*:(?!\d+[/?#]).*@", re.DOTALL)
"""Also one whose `/` or `@` is not quoted, which would else be taken for the end of the host."""
_SECRET = ("password", "passwd", "pwd", "token", "secret", "private_key", "passcode", "apikey", "api_key")


def secret_in(url: str) -> str | None:
    """The name of what should not be in a file of the repository; None where there is none.

    >>> secret_in("snowflake://me:hunter2@account/db"), secret_in("duckdb://md:db?motherduck_token=x")
    ('a password', '`motherduck_token`')
    >>> secret_in("mysql://me@host/db?ssl_mode=REQUIRED") is None
    True
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a password" if "@" in url else None
    if parts.password is not None or _UNQUOTED.match(url):
        return "a password"
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    return next((f"`{name}`" for name in names if any(word in name.lower() for word in _SECRET)), None)


def without_secrets(url: str) -> str:
    """The URL as it may be shown.

    >>> without_secrets("databricks://token:dapi1@host/x?access_token=abc&http_path=/sql")
    'databricks://token:***@host/x?access_token=***&http_path=/sql'
    """
    head, mark, query = without_password(url).partition("?")
    kept = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        secret = any(word in name.lower() for word in _SECRET)
        kept.append(f"{name}{equals}{'***' if secret and value else value}")
    return head + mark + "&".join(kept)
