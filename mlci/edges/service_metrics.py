"""What a server counts of itself, read from its Prometheus text."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, NamedTuple

from mlci.errors import WorldError

if TYPE_CHECKING:
    from pathlib import Path

_LINE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_SECONDS = 10
_MOST = 5_000_000
_SERVER_ERROR = 500
_ROUTES = ("health", "ready", "live", "metrics", "openapi", "docs")


class ServiceCounts(NamedTuple):
    """Requests, those that failed, and for each upper end of a bucket how many took no longer."""

    requests: float
    errors: float
    took: dict[float, float]

    def slower(self, seconds: float) -> tuple[float, float]:
        """The share of requests that took longer than the largest bucket's end that is at most that, and that end."""
        total = max(self.took.values(), default=0.0)
        ends = [end for end in self.took if end >= seconds]
        if not total or not ends:
            return 0.0, seconds
        return 1 - self.took[min(ends)] / total, min(ends)


def read_counts(root: Path, source: str) -> ServiceCounts:
    """The counts of a server.

    Args:
        root: Folder that a path begins at.
        source: A file, or an http address.

    Raises:
        WorldError: It can't be read.
    """
    requests, errors = 0.0, 0.0
    took: dict[float, float] = {}
    for line in _text(root, source).splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        labels = dict(_LABEL.findall(match[2] or ""))
        try:
            value = float(match[3])
        except ValueError:
            continue
        if any(part in labels.get("route", "") for part in _ROUTES):
            continue
        if match[1] == "mlci_requests_total":
            requests += value
            status = labels.get("status", "")
            errors += value if status.isdigit() and int(status) >= _SERVER_ERROR else 0.0
        elif match[1] == "mlci_request_seconds_bucket":
            end = float(labels.get("le", "inf"))
            took[end] = took.get(end, 0.0) + value
    return ServiceCounts(requests, errors, took)


def _text(root: Path, source: str) -> str:
    try:
        if source.startswith(("http://", "https://")):
            with urllib.request.urlopen(source, timeout=_SECONDS) as answer:  # noqa: S310 - http or https by the check
                return str(answer.read(_MOST).decode("utf-8", "replace"))
        return (root / source).read_text(encoding="utf-8")
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise WorldError(
            f"the server's metrics {source} can't be read: {error}", "correct `mlci.monitor.software.metrics`"
        ) from error
