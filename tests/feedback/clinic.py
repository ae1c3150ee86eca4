"""A clinic: a small model in a repository with DVC, and its log of predictions and labels."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import yaml
from typer.testing import CliRunner

sys.path.append(str(Path(__file__).parents[1] / "serve"))
from served_models import binary

from mlci.cli.app import app
from mlci.edges.log.address import connector
from mlci.edges.log.database import Work, write
from mlci.edges.log.records import Label, Record

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=40)


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Clinic:
    """A repository with a policy, a model and a log."""

    def __init__(self, root, log):
        self.root, self.log = root, log

    def policy(self, serve=None, **feedback):
        told = {
            "model": {"name": "people", "label": "ill", "id": "visit"},
            "serve": {"log": self.log, **(serve or {})},
            "feedback": {"store": "git", **feedback},
        }
        (self.root / "params.yaml").write_text(yaml.safe_dump({"mlci": told}))

    def predict(self, *names, day=0, said=0, fever=0.5, pulse=-1.0):
        records = [
            Record(
                name,
                (START + timedelta(days=day, seconds=place)).timestamp(),
                "people",
                "v1",
                "c0ffee",
                json.dumps({"fever": fever, "pulse": pulse}),
                json.dumps(said),
                '{"score": 0.3}',
                name,
                "current",
            )
            for place, name in enumerate(names)
        ]
        self._write(Work(records, []))

    def label(self, name, value, source="", day=1):
        self._write(Work([], [Label(name, json.dumps(value), (START + timedelta(days=day)).timestamp(), source)]))

    def _write(self, work):
        database = connector(self.log, self.root)()
        write(database, [work])
        database.close()

    def collect(self, *options, code=0, now=NOW):
        until = f"{now:%Y-%m-%dT%H:%M:%S}"
        arguments = ["feedback", "collect", "-C", str(self.root), "--until", until, "--json", *options]
        done = CliRunner().invoke(app, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, (done.output, done.exception)
        return json.loads(done.stdout)

    def table(self, path="data/feedback.parquet"):
        return pq.read_table(self.root / path).to_pylist()


def make(folder, log):
    root = folder / "clinic"
    (root / "models").mkdir(parents=True)
    binary(root / "models/model.onnx")
    clinic = Clinic(root, log)
    clinic.policy()
    return clinic
