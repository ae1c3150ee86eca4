"""What goes wrong between a client and a forge."""

import re
import threading
import time
from dataclasses import dataclass, field

MESSAGES = {
    401: "Bad credentials",
    403: "Resource not accessible by integration",
    404: "Not Found",
    422: "Validation Failed",
    429: "API rate limit exceeded",
    500: "Server Error",
    502: "Server Error",
    503: "Service Unavailable",
}


@dataclass
class Fault:
    """Something that happens to the next requests that match.

    Attributes:
        method: Only requests with this method; empty for all.
        path: Only requests whose path holds a match of this pattern.
        times: How many requests it happens to.
        status: Answer with this status instead of asking the emulator; 0 asks it.
        message: GitHub's words; default: its usual ones for the status.
        headers: Of the answer, such as `{"Retry-After": "1"}`.
        drop: `before` closes the connection without asking the emulator, `after` asks it and loses the answer, `half`
            lets half of an upload arrive and closes the connection then.
        delay: Seconds to wait first.
        wait: Wait until so many requests have come that match, so that they are worked on at once.
        body: Bytes of the answer instead of JSON with the message.
    """

    method: str = ""
    path: str = ""
    times: int = 1
    status: int = 0
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    drop: str = ""
    delay: float = 0.0
    wait: int = 0
    body: bytes | None = None

    def __post_init__(self):
        self.met = threading.Barrier(self.wait) if self.wait else None

    def matches(self, method, path):
        return self.times > 0 and self.method in {"", method} and re.search(self.path, path) is not None

    def hold(self):
        """Wait as long as the fault says."""
        time.sleep(self.delay)
        if self.met is not None:
            self.met.wait(timeout=60)

    def answer(self):
        """Status, headers and words of the answer that it gives."""
        return self.status, self.headers, self.message or MESSAGES.get(self.status, "Error")
