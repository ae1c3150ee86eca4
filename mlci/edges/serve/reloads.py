"""Other models in place of those that are served, when a signal or the clock asks for it."""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from mlci.errors import MlciError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlci.nouns.serve import Lineup


_LOOK, _TIME, _END = "look", "time", "end"


class Stage(Protocol):
    """Whatever answers: a worker, or several."""

    def swap(self, wanted: Lineup) -> str:
        """Answer by other models from now on; gives what is wrong with them, and then nothing has changed."""
        ...

    def note(self, outcome: str, problem: str) -> None:
        """Keep what became of a reload."""
        ...


class Reloads:
    """Looks for other models, and has them served if nothing is wrong with them.

    Args:
        look: Finds what is to be served now.
        served: What is served at first.
        every: Seconds between two looks; None: only when asked.
        say: Told what is reloaded, and what is refused.
    """

    def __init__(
        self,
        look: Callable[[Lineup | None], Lineup],
        served: Lineup,
        every: float | None,
        say: Callable[[str], None],
    ) -> None:
        self._look = look
        self._served = served
        self._every = every
        self._say = say
        self._refused: Lineup | None = None
        self._failed = ""
        self._asked: queue.SimpleQueue[str] = queue.SimpleQueue()

    def ask(self) -> None:
        """Look soon; may be called from a signal's handler."""
        self._asked.put(_LOOK)

    @contextmanager
    def running(self, stage: Stage) -> Iterator[None]:
        """Look for as long as the context is open."""
        thread = threading.Thread(target=self._run, args=(stage,), name="mlci-reload")
        thread.start()
        try:
            yield
        finally:
            self._asked.put(_END)
            thread.join()

    def _run(self, stage: Stage) -> None:
        while True:
            try:
                asked = self._asked.get(timeout=self._every)
            except queue.Empty:
                asked = _TIME
            if asked == _END:
                return
            self._reload(stage, by_clock=asked == _TIME)

    def _reload(self, stage: Stage, *, by_clock: bool) -> None:
        try:
            wanted = self._look(self._refused or self._served)
        except MlciError as error:
            self._tell_failure(stage, error.problem)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the models that are served go on
            self._tell_failure(stage, f"{type(error).__name__}: {error}")
            return
        self._failed = ""
        if wanted == self._served or (by_clock and wanted == self._refused):
            if wanted == self._served:
                self._refused = None
                stage.note("unchanged", "")
            return
        problem = stage.swap(wanted)
        name = f"{wanted.current.name or wanted.current.asked} {wanted.current.version}".strip()
        if problem:
            self._refused = wanted
            self._say(f"reload refused, and what was served is served on: {problem}")
            stage.note("refused", problem)
            return
        self._served, self._refused = wanted, None
        self._say(f"reloaded: {name}")
        stage.note("swapped", "")

    def _tell_failure(self, stage: Stage, problem: str) -> None:
        stage.note("failed", problem)
        if problem != self._failed:
            # Once, not at every look, while a registry can't be reached.
            self._say(f"reload failed, and what was served is served on: {problem}")
        self._failed = problem
