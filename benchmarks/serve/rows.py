"""Rows of flights, made up and the same each time, and the bodies that each server wants them in."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

TEXTS = {
    "carrier": ("AA", "B6", "DL", "EV", "MQ", "UA"),
    "origin": ("EWR", "JFK", "LGA"),
    "dest": ("ATL", "BOS", "LAX", "ORD", "SFO"),
}
NUMBERS = {
    "distance": (100, 4000),
    "minute": (300, 1400),
    "weekday": (0, 6),
    "duration": (40, 500),
    "age": (0, 30),
    "seats": (50, 300),
    "engines": (1, 4),
    "temp": (10, 90),
    "dewp": (0, 70),
    "humid": (20, 100),
    "wind_dir": (0, 360),
    "wind_speed": (0, 30),
    "wind_gust": (0, 40),
    "precip": (0, 1),
    "pressure": (990, 1030),
    "visib": (0, 10),
}

Row = dict[str, str | int]


def rows(count: int) -> list[Row]:
    """So many of them."""
    draw = random.Random(1)  # noqa: S311 - rows for a benchmark
    return [
        {name: draw.choice(values) for name, values in TEXTS.items()}
        | {name: draw.randint(*ends) for name, ends in NUMBERS.items()}
        for _ in range(count)
    ]


def named(row: Row) -> bytes:
    """One row of named fields."""
    return json.dumps(row).encode()


def protocol(row: Row) -> bytes:
    """The Open Inference Protocol, version 2."""
    inputs = [
        {"name": name, "shape": [1, 1], "datatype": "BYTES" if name in TEXTS else "INT64", "data": [value]}
        for name, value in row.items()
    ]
    return json.dumps({"inputs": inputs}).encode()


def records(row: Row) -> bytes:
    """What MLflow's server takes."""
    return json.dumps({"dataframe_records": [row]}).encode()


def score_of_protocol(told: dict) -> float:
    """The score in an answer of the protocol."""
    return next(each["data"][0] for each in told["outputs"] if each["name"] == "score")


Body = Callable[[Row], bytes]
Read = Callable[[dict], float]
