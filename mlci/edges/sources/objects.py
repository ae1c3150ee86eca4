"""Objects in S3 and files behind HTTP, which DuckDB reads in parts as if they were local.

DuckDB's own extension for this is downloaded from a server of its makers; here the same is done by packages that the
lock file pins, and nothing is fetched that the policy does not name.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from mlci.errors import WorldError

if TYPE_CHECKING:
    import duckdb

_MEND = "Check the URL, the network and the credentials (AWS_PROFILE or AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL)."


class Found(NamedTuple):
    """An object: its URL and what tells one version of it from another."""

    url: str
    version: str


@cache
def file_system(scheme: str) -> Any:  # noqa: ANN401 - fsspec has no types
    """The file system behind a scheme."""
    try:
        import fsspec  # noqa: PLC0415 - only who reads remote tables has it

        if scheme == "s3":
            return fsspec.filesystem("s3", use_listings_cache=False)
        from fsspec.implementations.http import HTTPFileSystem  # noqa: PLC0415

        class Http(HTTPFileSystem):  # type: ignore[misc] # it has no types
            """Files behind HTTP; DuckDB asks when they were written."""

            def modified(self, path: str) -> datetime:
                """When a file was written, or long ago where the server does not say."""
                said = self.info(path).get("last_modified") or self.info(path).get("Last-Modified")
                return parsedate_to_datetime(said) if said else datetime(1970, 1, 1, tzinfo=UTC)

        return Http(use_listings_cache=False, block_size=1 << 20)
    except ImportError as error:
        raise WorldError(
            f"tables of {scheme}:// need packages that are not installed: {error}",
            "Install them with `pip install 'mlci[remote]'`, or fetch the table with `dvc import-url`.",
        ) from error


def scheme_of(path: str) -> str:
    """`s3` or `http`, which stands for https too."""
    return "s3" if path.startswith("s3://") else "http"


def find_objects(path: str) -> tuple[Found, ...]:
    """The objects behind a URL, or behind a pattern in S3, sorted; at least one.

    Raises:
        WorldError: There is none, or the server can't be reached.
    """
    system = file_system(scheme_of(path))
    try:
        urls = [path]
        if scheme_of(path) == "s3" and any(char in path for char in "*?["):
            urls = sorted(f"s3://{name}" for name in system.glob(path))
        found = tuple(Found(url, _version(system.info(url))) for url in urls)
    except Exception as error:  # every library below has errors of its own
        behind = error.__cause__ or error
        unreachable = isinstance(behind, OSError) and not isinstance(behind, FileNotFoundError)
        if isinstance(error, FileNotFoundError) and not unreachable:
            raise WorldError(f"{path} does not exist", _MEND) from error
        said = str(behind).strip().splitlines() or [type(behind).__name__]
        raise WorldError(f"{path} can't be reached: {said[0]}", _MEND) from error
    if not found:
        raise WorldError(f"no object matches {path}", _MEND)
    return found


def _version(info: dict[str, Any]) -> str:
    tag = info.get("ETag") or info.get("LastModified") or info.get("mimetype")
    return f"{info.get('size')} {tag}"


def let_read(connection: duckdb.DuckDBPyConnection, path: str) -> None:
    """Let a session read such paths."""
    connection.register_filesystem(file_system(scheme_of(path)))
