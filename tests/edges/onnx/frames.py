"""Tables with categories, and models trained on them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa


def flights(rows: int = 1_500, seed: int = 0, carriers: int = 12) -> pd.DataFrame:
    """Rows with strings, missing strings, numbers, missing numbers, whole numbers and booleans."""
    rng = np.random.default_rng(seed)
    carrier = rng.choice([f"é{at}" for at in range(carriers)], rows).astype(object)
    carrier[rng.random(rows) < 0.05] = None
    wind = rng.normal(size=rows)
    wind[rng.random(rows) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "carrier": carrier,
            "origin": rng.choice(["EWR", "JFK", "LGA"], rows),
            "month": rng.integers(1, 13, rows),
            "wind speed": wind,
            "holiday": rng.random(rows) < 0.3,
            "distance": rng.integers(100, 5_000, rows),
        }
    )


def delay(frame: pd.DataFrame, seed: int = 0) -> np.ndarray:
    """A number that every column has a say in."""
    effect = (
        frame["carrier"]
        .map(lambda text: (ord(text[-1]) % 5) - 2 if isinstance(text, str) and text else 1.5)
        .to_numpy(float)
    )
    noise = np.random.default_rng(seed).normal(size=len(frame)) / 3
    wind = frame["wind speed"].fillna(0.7).to_numpy() * (frame["month"].to_numpy() % 3)
    return effect + wind + (frame["origin"] == "JFK") + frame["holiday"] * (frame["distance"] > 2_000) + noise


def categories(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    return frame.assign(**{name: frame[name].astype("category") for name in names})


def table(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)
