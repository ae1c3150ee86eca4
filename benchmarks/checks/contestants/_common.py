"""What every contestant is called with and answers: `python contestant.py TABLE ROWS` → the failed checks as JSON.

`run.py` puts the folder above on `PYTHONPATH`, where `suite.py` is.
"""

from __future__ import annotations

import json
import sys


def asked() -> tuple[str, int]:
    """The table's path and the number of rows that it should have."""
    return sys.argv[1], int(sys.argv[2])


def answer(failed: list[str]) -> None:
    """Print the names of the checks that failed."""
    print(json.dumps(sorted(failed)))
