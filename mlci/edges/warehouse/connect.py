"""Connect to a warehouse, and ask it statements."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlci.edges.portable import first_line
from mlci.edges.warehouse.backends import BACKENDS, WHY_NOT, all_rows
from mlci.edges.warehouse.secrets import VARIABLE, password, redacted
from mlci.errors import WorldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlci.edges.warehouse.backends import Backend
    from mlci.nouns.engine import Engine
    from mlci.nouns.table_schema import DialectName

_OF_THE_LINE = {"OperationalError", "InterfaceError"}
"""What PEP 249 calls the errors of a connection."""
_OF_THE_DATA = {"DataError", "ProgrammingError", "DatabaseError"}


_OF_VALUES = frozenset({1139, 1264, 1292, 1365, 1366, 1411, 1690, 3692})
"""Of MySQL, which calls these operational too: bad patterns, and values that are out of range or no numbers."""


class RefusedError(Exception):
    """The warehouse answers a statement with an error; the connection goes on."""


@dataclass
class Warehouse:
    """A connection.

    Attributes:
        ibis: Of Ibis.
        backend: What is known of its kind.
        engine: What the policy says.
        dialect: Its words.
        version: As it tells it.
    """

    ibis: Any
    backend: Backend
    engine: Engine
    dialect: DialectName = "postgres"
    version: str = ""

    @contextmanager
    def asked(self, sql: str) -> Iterator[Any]:
        """What a statement gives, to be read inside the block."""
        found = self.ibis.raw_sql(sql)
        try:
            yield found
        finally:
            if self.backend.closes:
                found.close()

    def rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a statement.

        Raises:
            RefusedError: The warehouse answers with an error.
            Exception: The connection's own, where it is lost.
        """
        try:
            with self.asked(sql) as found:
                return all_rows(found)
        except Exception as error:
            if _is_of_the_data(error):
                raise RefusedError(self.said(error)) from error
            raise

    def booleans(self, place: str, name: str) -> Sequence[str]:
        """The columns that hold true and false in a type that Ibis takes for numbers."""
        if not self.backend.booleans:
            return ()
        quoted = {
            word: "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
            for word, text in (("place", place), ("name", name))
        }
        return [row[0] for row in self.rows(self.backend.booleans.format(**quoted))]

    def said(self, error: Exception) -> str:
        """What an error says, in one line and without credentials."""
        reason = error
        # Drivers put a number before their words.
        if len(error.args) > 1 and isinstance(error.args[0], int):
            reason = Exception(*error.args[1:2])
        return redacted(first_line(reason), self.engine)


def _is_of_the_data(error: Exception) -> bool:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "pymysql" in type(error).__module__ and error.args[0] in _OF_VALUES:
        return True
    return bool(kinds & _OF_THE_DATA) and not kinds & _OF_THE_LINE


@contextmanager
def warehouse(engine: Engine) -> Iterator[Warehouse]:
    """A connection.

    Raises:
        WorldError: Ibis or a driver is not installed, the warehouse can't be reached, or its words are not known.
    """
    url = engine.url or ""
    connection = _connected(url, engine)
    try:
        backend = _backend(connection.name, url)
        held = Warehouse(connection, backend, engine)
        try:
            for statement in backend.session:
                with held.asked(statement):
                    pass
            held.version = str(held.rows(backend.version)[0][0])
        except Exception as error:
            raise WorldError(
                f"{_shown(url)} can't be set up: {held.said(error)}", "Check the user's rights, and the URL."
            ) from error
        held.dialect = backend.dialect(held.version)
        yield held
    finally:
        with suppress(Exception):  # it may be gone already
            connection.disconnect()


def _connected(url: str, engine: Engine) -> Any:  # noqa: ANN401 - Ibis's
    try:
        import ibis  # noqa: PLC0415 - heavy, and not everybody has it
    except ImportError as error:
        raise WorldError(
            "the policy measures in a warehouse (`mlci.engine.name: warehouse`), and Ibis is not installed",
            "Install it with `pip install 'mlci[warehouse]'`.",
        ) from error
    name = url.partition(":")[0]
    secret = {"password": found} if (found := password()) is not None else {}
    try:
        if name == "mysql":
            _drive_mysql()
        with warnings.catch_warnings():
            # Ibis tries to set the time zone by a name that few servers know; ours is set below.
            warnings.filterwarnings("ignore", "Unable to set session timezone")
            return ibis.connect(url, **secret)
    except ImportError as error:
        extra = BACKENDS[name].extra if name in BACKENDS else "warehouse"
        raise WorldError(
            f"{name} needs a driver that is not installed: {first_line(error)}",
            f"Install it with `pip install 'mlci[{extra}]'`.",
        ) from error
    except Exception as error:  # each of its backends has errors of its own
        raise WorldError(
            f"{_shown(url)} can't be reached: {redacted(first_line(error), engine)}",
            f"Check the URL, the network and the credentials ({VARIABLE}, or what the driver reads itself).",
        ) from error


def _drive_mysql() -> None:
    """Ibis asks for mysqlclient, which must be compiled; PyMySQL, all Python, takes its place where it is missing."""
    if "MySQLdb" in sys.modules:
        return
    try:
        import MySQLdb  # noqa: F401, PLC0415 - only some have it
    except ImportError:
        import pymysql  # noqa: PLC0415

        pymysql.install_as_MySQLdb()


def _backend(name: str, url: str) -> Backend:
    if name in BACKENDS:
        return BACKENDS[name]
    why = WHY_NOT.get(name, f"it speaks {', '.join(BACKENDS)}")
    raise WorldError(
        f"mlci does not speak {name}'s dialect ({_shown(url)}): {why}",
        "Unload the table to Parquet in an object store, or read it through Spark (`mlci.engine.name: spark`).",
    )


def _shown(url: str) -> str:
    from mlci.nouns.warehouse_url import without_secrets  # noqa: PLC0415 - only for a message

    return without_secrets(url)
