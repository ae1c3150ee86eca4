"""A real PostgreSQL server of our own: in a new folder, reached by a socket in it, as a user who is not root."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from mlci.edges.scratch import scratch

PASSWORD = "se:cr/et@1"  # noqa: S105 - of a server that lives for a test; the characters are those that URLs trip over


def binaries():
    """The folder of `initdb` and `postgres`; None where PostgreSQL isn't installed."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: -float(place.parent.name))
    return next((place for place in places if (place / "postgres").is_file()), None)


def _user():
    """Who runs it: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


class Postgres:
    """A server that can be stopped and started again."""

    def __init__(self):
        # In a short path, because of its socket, and cleared away by the next run where this one is killed.
        self._ends = contextlib.ExitStack()
        self.folder = self._ends.enter_context(scratch("postgres", Path("/tmp")))  # noqa: S108 - made there with a name of its own
        try:
            self._start_anew()
        except BaseException:
            self._ends.close()
            raise

    def _start_anew(self):
        self._user = _user()
        self._process = None
        self._made = 0
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if self._user:
            self.folder.parent.chmod(0o711)
            for path in (self.folder, secret):
                shutil.chown(path, self._user)
        options = ["--no-sync", "--encoding=UTF8", "--locale=C", "--username=mlci", f"--pwfile={secret}"]
        self._run("initdb", *options, "--auth=scram-sha-256", "-D", str(self.folder / "data"))
        self.start()

    def _command(self, name, *args):
        return [str(binaries() / name), *args]

    def _run(self, name, *args):
        subprocess.run(self._command(name, *args), check=True, capture_output=True, user=self._user, cwd=self.folder)

    def start(self):
        # Processes are killed here, not machines: what the system holds is as good as written.
        settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", f"unix_socket_directories={self.folder}"]
        with (self.folder / "server.log").open("ab") as said:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", str(self.folder / "data"), *settings),
                stdout=said,
                stderr=said,
                user=self._user,
                cwd=self.folder,
            )
        end = time.monotonic() + 60
        ready = self._command("pg_isready", "-q", "-h", str(self.folder), "-U", "mlci", "-d", "postgres")
        while subprocess.run(ready, check=False).returncode:
            alive = self._process.poll() is None and time.monotonic() < end
            assert alive, (self.folder / "server.log").read_text()
            time.sleep(0.05)

    @property
    def stopped(self):
        return self._process.poll() is not None

    def stop(self, how=signal.SIGINT):
        """SIGINT ends it in order, SIGQUIT as a crash would."""
        self._process.send_signal(how)
        self._process.wait(60)

    def url(self, database, password=PASSWORD):
        return f"postgresql://mlci:{quote(password, safe='')}@/{database}?host={quote(str(self.folder), safe='')}"

    def new_database(self):
        """The URL of a database that nobody has used."""
        import psycopg  # noqa: PLC0415 - tests that need no PostgreSQL run without it

        self._made += 1
        name = f"log{self._made}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def close(self):
        if self._process.poll() is None:
            self.stop(signal.SIGINT)
        self._ends.close()
