"""What tells one version of a table from another, where it is no file of the project."""

from __future__ import annotations

import hashlib

from mlci.edges.sources.objects import find_objects

UNVERSIONED = "unversioned"
"""Of a database's table nobody can say whether it is still the same."""


def remote_digest(path: str) -> str:
    """SHA-256 over the names, sizes and tags of the objects behind a URL; `unversioned` for a database's table.

    Raises:
        WorldError: The server can't be reached.
    """
    if not path.startswith(("s3://", "http://", "https://")):
        return UNVERSIONED
    return hashlib.sha256(repr([tuple(item) for item in find_objects(path)]).encode()).hexdigest()
