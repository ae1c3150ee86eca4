"""The log in a PostgreSQL database."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from mlci.edges.log.join import Made, Said
from mlci.edges.log.records import LogError, LostError, RowError
from mlci.edges.log.schema import check_schema, make
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import psycopg

    from mlci.edges.log.join import New, Repeat
    from mlci.edges.log.records import Record

_LOCK = 0x6D6C6369
"""Of those who make the tables at the same time; `mlci` in ASCII."""
_THERE = "SELECT 1 FROM pg_tables WHERE tablename = 'mlci_log' AND schemaname = ANY(current_schemas(false))"
"""Asked of the catalogue as of this moment: `to_regclass` goes by what the session remembers."""
_SETTINGS = (
    # Acknowledged means on the disk, whatever the server's default is.
    "SET synchronous_commit = on",
    "SET statement_timeout = '10s'",
    "SET lock_timeout = '5s'",
    "SET client_encoding = 'UTF8'",
)


class PostgresDatabase:
    """A connection to a database that other processes write too.

    Args:
        parts: Of the connection, from `postgres_parts`.
        shown: How messages name it.

    Raises:
        LogError: It can't be reached.
        WorldError: Its tables are of another version, or it can't hold all texts.
    """

    def __init__(self, parts: Mapping[str, str], shown: str) -> None:
        self._shown = shown
        self._secrets = [parts[key] for key in ("password", "sslpassword") if parts.get(key)]
        self._connection: psycopg.Connection[Any] = self._connect(parts)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _connect(self, parts: Mapping[str, str]) -> Any:  # noqa: ANN401 - see `driver`
        psycopg = driver()
        with self._told():
            # Without prepared statements, so that a pooler may stand between.
            return psycopg.connect(**parts, autocommit=True, prepare_threshold=None)

    def _prepare(self) -> None:
        for setting in _SETTINGS:
            self._do(setting)
        encoding = self._all("SHOW server_encoding")[0][0]
        if encoding != "UTF8":
            raise WorldError(f"{self._shown} is in {encoding}, which can't hold all texts", "make a database in UTF8")
        self.begin()
        try:
            if not self._all(_THERE):
                self._do("SELECT pg_advisory_xact_lock(%s)", _LOCK)
                # Another process may have made them while this one waited.
                if not self._all(_THERE):
                    make(self._do)
            found = self._all("SELECT schema_version FROM mlci_log")[0][0]
            self.commit()
        except BaseException:
            self.rollback()
            raise
        check_schema(found, self._shown)

    def begin(self) -> None:
        """Begin a transaction; see `Database`, also for the other methods."""
        self._do("BEGIN")

    def commit(self) -> None:
        """All is on the disk afterwards."""
        self._do("COMMIT")

    def rollback(self) -> None:
        """Keep nothing."""
        with suppress(driver().Error):
            self._connection.execute("ROLLBACK")

    def insert(self, records: Sequence[Record]) -> None:
        """Add predictions."""
        kinds = ["float8" if field == "at" else "text" for field in records[0]._fields]
        # As text, arrays would take four times as long.
        arrays = ", ".join(f"%b::{kind}[]" for kind in kinds)
        columns = [list(column) for column in zip(*records, strict=True)]
        self._do(f"INSERT INTO predictions SELECT * FROM unnest({arrays}) ON CONFLICT (id) DO NOTHING", *columns)

    def made(self, ids: Collection[str]) -> dict[str, Made]:
        """Predictions by id, locked in their order, so that two that lock the same don't wait for each other."""
        select = (
            "SELECT id, at, model, version, revision FROM predictions WHERE role <> 'shadow' AND id = ANY(%b) "
            "ORDER BY id FOR NO KEY UPDATE"
        )
        return {row[0]: Made(*row[1:]) for row in self._all(select, list(ids))}

    def said(self, ids: Collection[str]) -> list[Said]:
        """Labels that there are."""
        select = "SELECT id, place, label, source FROM feedback WHERE id = ANY(%b)"
        return [Said(*row) for row in self._all(select, list(ids))]

    def label(self, new: Sequence[New], repeats: Sequence[Repeat]) -> None:
        """Add labels."""
        insert = "INSERT INTO feedback (id, place, label, source, at, last_at) VALUES (%s, %s, %s, %s, %s, %s)"
        self._many(insert, [(*each, each.at) for each in new])
        self._many("UPDATE feedback SET times = times + 1, last_at = %s WHERE id = %s AND place = %s", repeats)

    def forget(self, before: float, most: int) -> int:
        """Remove the oldest."""
        self.begin()
        try:
            # What another process removes or labels at this moment is left to the next time.
            old = self._all(
                "DELETE FROM predictions WHERE id IN (SELECT id FROM predictions WHERE at < %s "
                "ORDER BY at, id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id",
                before,
                most,
            )
            self._do("DELETE FROM feedback WHERE id = ANY(%b)", [row[0] for row in old])
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return len(old)

    def close(self) -> None:
        """Let go of the connection."""
        with suppress(driver().Error):
            self._connection.close()

    def _do(self, statement: str, *values: Any) -> None:  # noqa: ANN401 - what SQL takes
        with self._told():
            self._connection.execute(statement, values or None)

    def _many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            with self._told(), self._connection.cursor() as cursor:
                cursor.executemany(statement, rows)

    def _all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - what SQL takes
        with self._told():
            return self._connection.execute(statement, values or None).fetchall()

    @contextmanager
    def _told(self) -> Iterator[None]:
        psycopg = driver()
        try:
            yield
        except (psycopg.DataError, psycopg.IntegrityError, UnicodeError) as error:
            raise RowError(self._said_of(error)) from None
        except psycopg.Error as error:
            lost = error.sqlstate is None or error.sqlstate[:2] in {"08", "40"} or error.sqlstate[:4] == "57P0"
            raise (LostError if lost else LogError)(self._said_of(error)) from None

    def _said_of(self, error: Exception) -> str:
        """The message without its details, which quote rows, and without any password."""
        diagnosed = getattr(error, "diag", None)
        text = (diagnosed.message_primary if diagnosed is not None else None) or str(error)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return re.sub(r"\s+", " ", text).strip()


def driver() -> Any:  # noqa: ANN401 - a module
    """psycopg, which takes time to load and is needed by those only who have PostgreSQL.

    Raises:
        WorldError: It isn't installed.
    """
    try:
        import psycopg  # noqa: PLC0415 - see above
    except ImportError as error:
        raise WorldError("a log in PostgreSQL needs psycopg", 'install it: `pip install "mlci[serve]"`') from error
    return psycopg
