"""Who takes part: how each server is started, asked and understood."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import rows

if TYPE_CHECKING:
    from rows import Body, Read

HERE = Path(__file__).parent
SCRIPTS = HERE / "contestants"
ROOT = HERE.parent.parent
MODEL = ROOT / "models" / "model.onnx"
HELLO = "hello"
OURS = "mlci"


@dataclass(frozen=True)
class Contestant:
    """A server of the model.

    Attributes:
        name: As the tables show it.
        command: Arguments to start it; {python}, {port}, {folder} and {scripts} are filled in.
        what: What stands in the table beside it.
        packages: What its virtual environment holds; empty for the one that runs this.
        environment: The name of that; contestants may share one.
        path: Where it is asked.
        body: What it is asked.
        read: The score in its answer; None where it has none.
    """

    name: str
    command: tuple[str, ...]
    what: str
    packages: tuple[str, ...] = ()
    environment: str = ""
    path: str = "/predict"
    body: Body = rows.named
    read: Read | None = field(default=lambda told: told["score"])


_PROTOCOL = {"path": "/v2/models/flights/infer", "body": rows.protocol, "read": rows.score_of_protocol}
_RUNTIME = ("onnxruntime==1.32.0", "numpy==2.4.6")


def _mlci(name: str, what: str, log: str = "none", *more: str, **about: object) -> Contestant:
    command = ("{python}", "-m", "mlci", "serve", str(MODEL), "-C", "{folder}", "--port", "{port}", "--log", log, *more)
    return Contestant(name, command, what, **{"read": lambda told: told["scores"]["score"]} | about)


def _script(script: str, *more: str) -> tuple[str, ...]:
    return ("{python}", f"{{scripts}}/{script}", "{port}", *more)


MINE = (
    Contestant(HELLO, _script("hello.py"), "uvicorn, reads the body and answers a constant", read=None),
    _mlci(OURS, "no log; `POST /predict`"),
    _mlci("mlci, protocol", "no log; the Open Inference Protocol", **_PROTOCOL),
    _mlci("mlci, log behind", "SQLite, written after the answer", "sqlite:///log.db", "--durable", "behind"),
    _mlci("mlci, log before reply", "SQLite, on the disk before the answer", "sqlite:///log.db"),
)
PEERS = {
    "fastapi": Contestant(
        "FastAPI",
        _script("fastapi_app.py"),
        "by hand: FastAPI, pydantic, uvicorn with uvloop and httptools",
        ("fastapi==0.165.0", "uvicorn[standard]==0.54.0", *_RUNTIME),
    ),
    "mlserver": Contestant(
        "MLServer",
        _script("mlserver_runtime.py"),
        "a runtime of one's own, in the server's process",
        ("mlserver==1.7.1", *_RUNTIME),
        **_PROTOCOL,
    ),
    "kserve": Contestant(
        "KServe", _script("kserve_server.py"), "a model class of one's own", ("kserve==0.21.0", *_RUNTIME), **_PROTOCOL
    ),
    "mlflow": Contestant(
        "MLflow",
        _script("mlflow_model.py", "{folder}/model"),
        "`mlflow models serve` of a pyfunc model",
        ("mlflow==3.17.2", "onnxruntime==1.32.0", "numpy==2.4.6"),
        path="/invocations",
        body=rows.records,
        read=lambda told: told["predictions"][0],
    ),
    "bentoml": Contestant(
        "BentoML",
        (
            "{python}",
            "-m",
            "bentoml",
            "serve",
            "bento_service:Flights",
            "--working-dir",
            "{scripts}",
            "--host",
            "127.0.0.1",
            "-p",
            "{port}",
        ),
        "a service with one worker",
        ("bentoml==1.4.40", *_RUNTIME),
    ),
}


def filled(contestant: Contestant, python: Path, port: int, folder: Path) -> list[str]:
    """The command that starts it."""
    words = {"python": str(python), "port": str(port), "folder": str(folder), "scripts": str(SCRIPTS)}
    return [each.format(**words) for each in contestant.command]


def surroundings(python: Path) -> dict[str, str]:
    """The environment's variables that a server starts with, beside those of this process."""
    return {
        "BENCH_MODEL": str(MODEL),
        "PYTHONPATH": str(ROOT if python == Path(sys.executable) else SCRIPTS),
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "BENTOML_DO_NOT_TRACK": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "NO_COLOR": "1",
    }
