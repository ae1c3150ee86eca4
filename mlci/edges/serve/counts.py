"""What the server counts of itself, for Prometheus."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlci.nouns.serve import Served

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Variable of the environment with the folder that several workers count in; the library reads it at import."""
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Counts:
    """Requests, errors, latencies, and what is served."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "mlci_requests", "Requests by route and status.", ("route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "mlci_request_seconds", "Time to answer.", ("route",), buckets=_BUCKETS, registry=registry
        )
        self._predictions = Counter(
            "mlci_predictions", "Rows that a model predicted.", ("role", "version"), registry=registry
        )
        self._shadow = Counter(
            "mlci_shadow_unanswered", "Rows that a shadow did not answer.", ("why", "version"), registry=registry
        )
        self.feedback = Counter("mlci_feedback", "Labels by what became of them.", ("outcome",), registry=registry)
        self.log_failures = Counter("mlci_log_failures", "Writes that the log refused.", registry=registry)
        self.unlogged = Counter("mlci_unlogged", "Rows that the log does not have.", registry=registry)
        self.log_up = Gauge(
            "mlci_log_up", "Whether the log takes rows.", registry=registry, multiprocess_mode="livemin"
        )
        self.log_up.set(1)
        self.log_waiting = Gauge(
            "mlci_log_waiting",
            "Rows that the log has not written yet.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._model = Gauge(
            "mlci_model",
            "What is served: 1; what was: 0.",
            ("role", "name", "version", "commit"),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._ready = Gauge("mlci_ready", "Whether it may answer.", registry=registry, multiprocess_mode="livemin")
        self._reloads = Counter("mlci_reloads", "Reloads by what became of them.", ("outcome",), registry=registry)
        self._refused = Gauge(
            "mlci_reload_refused",
            "Whether another model is wanted than is served, because it was refused.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._served: set[tuple[str, ...]] = set()
        # What is counted at every request: looking it up by its labels takes the library longer than counting.
        self._of: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._rows: dict[tuple[str, str], Counter] = {}

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one request. The route is one of ours, never a path that a client made up."""
        self.answered_together(route, status, (seconds,))

    def answered_together(self, route: str, status: int, seconds: Sequence[float]) -> None:
        """Count several requests that ended alike."""
        if (key := (route, status)) not in self._of:
            self._of[key] = self._requests.labels(route, status), self._seconds.labels(route)
        requests, times = self._of[key]
        requests.inc(len(seconds))
        for each in seconds:
            times.observe(each)

    def predicted(self, role: str, version: str, rows: int) -> None:
        """Count rows that a model answered."""
        if (key := (role, version)) not in self._rows:
            self._rows[key] = self._predictions.labels(role, version)
        self._rows[key].inc(rows)

    def shadowed(self, why: str, version: str, rows: int) -> None:
        """Count rows that a shadow did not answer."""
        self._shadow.labels(why, version).inc(rows)

    def serving(self, models: Mapping[str, Served]) -> None:
        """Tell what is served from now on, by role."""
        now = {(role, one.name, one.version, one.commit) for role, one in models.items()}
        for labels in self._served - now:
            self._model.labels(*labels).set(0)
        for labels in now:
            self._model.labels(*labels).set(1)
        self._served |= now
        self._ready.set(not models["current"].fault)

    def reloaded(self, outcome: str, *, refused: bool, once: bool) -> None:
        """Count a reload; of several workers one does."""
        if once:
            self._reloads.labels(outcome).inc()
        self._refused.set(refused)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format; the sum over all workers where there are several."""
        if FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call] # the library has types for the rest only
        return generate_latest(together)
