"""What the server counts of itself, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from mlci.nouns.serve import Served

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Counts:
    """Requests, errors, latencies, and what is served."""

    def __init__(self, served: Served) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "mlci_requests", "Requests by route and status.", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "mlci_request_seconds", "Time to answer.", ("route",), buckets=_BUCKETS, registry=self._registry
        )
        self.predictions = Counter("mlci_predictions", "Rows answered.", registry=self._registry)
        self.feedback = Counter(
            "mlci_feedback", "Labels by what became of them.", ("outcome",), registry=self._registry
        )
        self.log_failures = Counter("mlci_log_failures", "Writes that the log refused.", registry=self._registry)
        self.log_waiting = Gauge("mlci_log_waiting", "Rows that the log has not written yet.", registry=self._registry)
        model = Gauge("mlci_model", "What is served.", ("name", "version", "commit"), registry=self._registry)
        model.labels(served.name, served.version, served.commit).set(1)
        Gauge("mlci_ready", "Whether it may answer.", registry=self._registry).set(not served.fault)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one request. The route is one of ours, never a path that a client made up."""
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)
