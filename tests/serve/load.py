"""Clients that ask without a pause, and waiting for what they see."""

import threading
import time

from served_models import ROW


class Load:
    """Clients that ask without a pause; every answer's status and version."""

    def __init__(self, server, clients=4):
        self._server = server
        self._end = threading.Event()
        self.answers = []
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self):
        while not self._end.is_set():
            try:
                status, told = self._server.ask("/predict", ROW)
            except OSError as error:
                status, told = 0, {"error": str(error)}
            self.answers.append((status, told.get("version"), told.get("error")))

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for each in self._threads:
            each.join()


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)
    return found
