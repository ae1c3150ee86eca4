"""A real server process on a free port, and a client for it."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
MODEL = REPOSITORY / "models" / "model.onnx"


def run_serve(folder, *args):
    """`mlci serve` that ends by itself: exit code and what was said."""
    command = [sys.executable, "-m", "mlci", "serve", *args, "-C", str(folder), "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=180, check=False)


class Server:
    """`mlci serve`, started and waited for."""

    def __init__(self, folder, *args, model=MODEL):
        command = [sys.executable, "-m", "mlci", "serve", str(model), "-C", str(folder), "--port", "0", *args]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        said, found = "", None
        while not found:
            line = self.process.stderr.readline()
            assert line, said
            said += line
            found = re.search(r"on (http://\S+)", line)
        self.url = found[1]

    def ask(self, path, body=None, method=None, **headers):
        """Status and decoded body of one request; `body` is bytes or what becomes JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        known = {"Content-Type": "application/json"} | {key.replace("_", "-"): value for key, value in headers.items()}
        request = urllib.request.Request(self.url + path, data, known, method=method)  # noqa: S310 - our own server
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        return status, json.loads(text) if text[:1] in b"{[" else text.decode()

    def headers(self, path):
        """Headers of an answer, by their names in lower case."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=60) as answer:  # noqa: S310 - our own server
                found = answer.headers
        except urllib.error.HTTPError as error:
            with error:
                found = error.headers
        return {key.lower(): value for key, value in found.items()}

    def stop(self):
        """SIGTERM; gives the exit code and what was said last."""
        self.process.terminate()
        said = self.process.stderr.read()
        self.process.stderr.close()
        return self.process.wait(60), said

    def kill(self):
        self.process.kill()
        self.process.wait(60)
        self.process.stderr.close()
