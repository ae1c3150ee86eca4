"""The table and its 28 checks, as plain constants that every contestant reads."""

from __future__ import annotations

MISSING = {
    "id": 0.0,
    "account": 0.0,
    "amount": 0.05,
    "score": 0.05,
    "quantity": 0.0,
    "age": 0.0,
    "country": 0.0,
    "status": 0.0,
    "code": 0.0,
    "created": 0.0,
    "shipped": 0.0,
    "active": 0.0,
}
"""Column → the largest share of rows that may be missing."""

TYPES = {
    "id": "integer",
    "account": "integer",
    "amount": "float",
    "score": "float",
    "quantity": "integer",
    "age": "integer",
    "country": "string",
    "status": "string",
    "code": "string",
    "created": "timestamp",
    "shipped": "timestamp",
    "active": "boolean",
}

RANGES: dict[str, tuple[float, float]] = {
    "account": (1, 5_000_000),
    "amount": (0, 100_000),
    "score": (-10, 10),
    "quantity": (1, 100),
    "age": (18, 100),
}

COUNTRIES = ("AT", "BR", "CA", "CH", "DE", "ES", "FR", "GB", "IN", "IT", "JP", "US")
STATUSES = ("cancelled", "new", "paid", "refunded", "shipped")
ALLOWED = {"country": COUNTRIES, "status": STATUSES}

UNIQUE = "id"
PATTERN = ("code", "[A-Z]{3}-[0-9]{6}")
MEAN = ("amount", 40.0, 80.0)
MEDIAN = ("score", -0.2, 0.2)
P95 = ("amount", 150.0, 250.0)
FRESH = ("created", "2026-01-02 00:00:00", 3)
"""Column, the moment it is seen from, and the days within which its newest row must lie."""

RULE = "shipped >= created"


def names() -> list[str]:
    """Every check's name, 28 of them."""
    checks = [f"missing {column}" for column in MISSING]
    checks += [f"range {column}" for column in RANGES]
    checks += [f"allowed {column}" for column in ALLOWED]
    return [*checks, "unique", "pattern", "mean", "median", "p95", "rows", "fresh", "rule", "types"]
