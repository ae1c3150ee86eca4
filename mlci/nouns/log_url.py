"""The URL of a log of predictions."""

from __future__ import annotations

import re

NO_LOG = "none"
SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")

_PASSWORD = re.compile(r"^(\w+://(?:[^/?#@:]*:)?)?.*@", re.DOTALL)
_PARAMETER = re.compile(r"((?:ssl)?password=)[^&\s]*", re.IGNORECASE)


def is_log(url: str) -> bool:
    """Whether a log can be there: `sqlite:///FILE`, `postgresql://…` or `none`."""
    return url == NO_LOG or url.startswith(POSTGRES) or (url.startswith(SQLITE) and len(url) > len(SQLITE))


def without_password(url: str) -> str:
    """The URL as it may be shown: also one that is written wrong shows no password.

    >>> without_password("postgresql://me:s3:/cr@t@db.example.org/log?sslmode=require&password=x")
    'postgresql://me:***@db.example.org/log?sslmode=require&password=***'
    >>> without_password("postgresql:/me:secret@db")
    '***@db'
    """
    if url.startswith(SQLITE):
        return url
    return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1***@", url))
