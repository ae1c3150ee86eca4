"""A real MariaDB server of our own: in a new folder, reached by a socket in it."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

PASSWORD = "se:cr/et@2"  # noqa: S105 - of a server that lives for a test; the characters are those that URLs trip over


def is_installed():
    """Whether there is a server to be started."""
    return shutil.which("mariadb-install-db") is not None and _binary() is not None


def _binary():
    return shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")


class Mariadb:
    """A server that compares texts as most servers do: without case, and without spaces at their ends."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="my-", dir="/tmp"))
        self.socket = self.folder / "socket"
        user = [f"--user={'root' if os.geteuid() == 0 else ''}"][: os.geteuid() == 0]
        common = ["--no-defaults", f"--datadir={self.folder / 'data'}", *user]
        made = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        subprocess.run(["mariadb-install-db", *common, *made], check=True, capture_output=True, cwd=self.folder)
        settings = [f"--socket={self.socket}", "--skip-networking", "--innodb-flush-log-at-trx-commit=0"]
        settings += ["--innodb-buffer-pool-size=32M", "--character-set-server=utf8mb4", "--lower-case-table-names=0"]
        settings += [f"--pid-file={self.folder / 'pid'}", "--collation-server=utf8mb4_general_ci"]
        with (self.folder / "server.log").open("ab") as said:
            self._process = subprocess.Popen([_binary(), *common, *settings], stdout=said, stderr=said, cwd=self.folder)
        self._wait()
        with self.connection("root", "") as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE warehouse")
            cursor.execute("CREATE USER mlci@localhost IDENTIFIED BY %s", [PASSWORD])
            cursor.execute("GRANT ALL ON warehouse.* TO mlci@localhost")

    def _wait(self):
        end = time.monotonic() + 60
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self.socket)) == 0:
                    return
            alive = self._process.poll() is None and time.monotonic() < end
            assert alive, (self.folder / "server.log").read_text()
            time.sleep(0.05)

    def connection(self, user="mlci", password=PASSWORD, database=None):
        """A connection of PyMySQL, which closes at the end of `with`."""
        import pymysql  # noqa: PLC0415 - tests that need no MariaDB run without it

        return pymysql.connect(
            user=user, password=password, unix_socket=str(self.socket), database=database, autocommit=True
        )

    @property
    def url(self):
        """The URL of the database `warehouse`, without the password."""
        return f"mysql://mlci@localhost/warehouse?unix_socket={quote(str(self.socket), safe='')}"

    def close(self):
        self._process.terminate()
        self._process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)
