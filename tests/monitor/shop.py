"""A repository with a policy, a reference, a log, and a remote."""

import json
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from production import DAY, MODEL, START, rows
from typer.testing import CliRunner

from mlci.cli.app import app
from mlci.errors import MlciError


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Project:
    """A repository with a policy, a reference, a log of Parquet files, and a remote."""

    def __init__(self, root, origin):
        self.root, self.origin = root, origin

    def policy(self, **monitor):
        data = {"visits": {"path": "reference.parquet", "columns": {"colour": {"allowed": ["red", "green", "blue"]}}}}
        given = {"reference": "reference.parquet", "log": "log/*.parquet", **monitor}
        told = {"mlci": {"model": MODEL, "data": data, "monitor": given}}
        (self.root / "params.yaml").write_text(yaml.safe_dump(told))

    def log(self, first, last, count=200, **how):
        for day in range(first, last):
            pq.write_table(rows(day, count, **how), self.root / f"log/{day:03}.parquet")

    def look(self, day, *options, code=0):
        """One look at the end of so many days; what it found."""
        until = f"{START + day * DAY:%Y-%m-%dT%H:%M:%S}"
        done = CliRunner().invoke(
            app, ["monitor", "-C", str(self.root), "--until", until, "--json", *options], catch_exceptions=True
        )
        if isinstance(done.exception, MlciError):
            raise done.exception
        assert done.exit_code == code, (done.output, done.exception)
        return json.loads(done.stdout)


def make(folder):
    origin, root = folder / "origin.git", folder / "shop"
    subprocess.run(["git", "init", "-q", "--bare", str(origin)], check=True)
    subprocess.run(["git", "clone", "-q", str(origin), str(root)], check=True, capture_output=True)
    git(root, "config", "user.name", "someone")
    git(root, "config", "user.email", "someone@localhost")
    (root / "log").mkdir()
    reference = rows(-100, 20_000)
    inputs = pa.concat_arrays(reference.column("inputs").chunks)
    flat = pa.table(
        {
            "visit": reference.column("id"),
            **{field.name: inputs.field(place) for place, field in enumerate(inputs.type)},
            "score": reference.column("score"),
            "bought": reference.column("label"),
        }
    )
    pq.write_table(flat, root / "reference.parquet")
    project = Project(root, origin)
    project.policy()
    (root / ".gitignore").write_text("log\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "Begin")
    git(root, "push", "-q", "origin", "HEAD")
    return project
