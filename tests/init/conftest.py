"""A folder, and `mlci init` in it as a person runs it: the real program, Git and DVC."""

import csv
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Place:
    """A folder in which somebody works."""

    def __init__(self, folder, home):
        self.folder = folder
        keep = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        self.environment = keep | {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(home / "site"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
            "COLUMNS": "80",
        }

    def run(self, *command, stdin="", folder="."):
        return subprocess.run(
            [*command],
            cwd=self.folder / folder,
            env=self.environment,
            input=stdin,
            text=True,
            capture_output=True,
            check=False,
        )

    def mlci(self, *arguments, stdin="", folder="."):
        done = self.run(sys.executable, "-m", "mlci", *arguments, stdin=stdin, folder=folder)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def init(self, *arguments, stdin="", code=0, folder="."):
        done = self.mlci("init", *arguments, stdin=stdin, folder=folder)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def must(self, *command):
        done = self.run(*command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def git(self, *arguments):
        return self.must("git", *arguments).strip()

    def commit(self, message="A commit"):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def write(self, path, text):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())

    def read(self, path):
        return (self.folder / path).read_bytes().decode()

    def files(self):
        """Every file's bytes by its path, without what Git and DVC keep for themselves."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not {".git", ".cache"} & set(path.parts) and ".dvc/tmp" not in path.as_posix()
        }

    def people(self, path, rows=600, seed=1):
        """A table of people, and whether each of them bought."""
        rng = random.Random(seed)  # noqa: S311 - the same table each time
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", newline="") as out:
            table = csv.writer(out)
            table.writerow(["person_id", "age", "region", "bought"])
            for number in range(rows):
                age = rng.randint(18, 90)
                table.writerow([f"p{seed}-{number:04}", age, rng.choice("NESW"), int(age + rng.gauss(0, 20) > 55)])


@pytest.fixture
def place(tmp_path):
    folder, home = tmp_path / "shop", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    return Place(folder, home)


@pytest.fixture
def repository(place):
    """With a Git repository, and a commit of a script and a table."""
    place.git("init", "--quiet", "--initial-branch", "main")
    place.people("data/people.csv")
    place.write("train.py", "print('trained')\n")
    place.commit()
    return place
