"""Where a log is: a URL as the policy or the command names it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from mlci.edges.log.postgres import PostgresDatabase, driver
from mlci.edges.log.sqlite import SqliteDatabase
from mlci.errors import PolicyError
from mlci.nouns.log_url import POSTGRES, SQLITE, without_password

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlci.edges.log.database import Database

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_DEFAULTS = {
    "connect_timeout": "3",
    "application_name": "mlci",
    # A host that vanishes is noticed in seconds, not in the hours of the system's defaults.
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


def connector(url: str, root: Path) -> Callable[[], Database]:
    """What opens a log.

    Args:
        url: `sqlite:///FILE` or `postgresql://…`.
        root: Folder that a relative FILE begins at.

    Raises:
        PolicyError: The URL can't be read, or names a variable that isn't set.
    """
    if url.startswith(POSTGRES):
        parts, shown = postgres_parts(url), without_password(url)
        return lambda: PostgresDatabase(parts, shown)
    path = sqlite_path(url, root)
    return lambda: SqliteDatabase(path)


def sqlite_path(url: str, root: Path) -> Path:
    """The file of a log in SQLite."""
    return root / url.removeprefix(SQLITE)


def postgres_parts(url: str) -> dict[str, str]:
    """What the driver needs of a URL, `${NAME}` in a part replaced by the environment's variable.

    What the URL leaves out comes from where every PostgreSQL client looks: PGHOST, PGPASSWORD, ~/.pgpass and so on.

    Raises:
        PolicyError: The URL can't be read, or a variable isn't set.
    """
    psycopg = driver()
    try:
        found = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        # Its message quotes the URL with the password.
        raise PolicyError(
            f"{without_password(url)} is no URL of PostgreSQL",
            "write it as postgresql://USER@HOST:PORT/DATABASE, special characters as %XX",
        ) from None
    return _DEFAULTS | {key: _VARIABLE.sub(_value, str(value)) for key, value in found.items()}


def _value(match: re.Match[str]) -> str:
    name = match[1]
    if name not in os.environ:
        raise PolicyError(f"the log's URL names ${{{name}}}, which is not set", f"set {name} in the environment")
    return os.environ[name]
