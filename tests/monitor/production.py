"""A made-up production: predictions of a model over days, with labels that come later."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from mlci.edges.log.window import window_schema
from mlci.nouns.policy import Policy, PolicyFile
from mlci.nouns.signature import Input, Signature

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
SIGNATURE = Signature(
    model="m",
    task="binary",
    inputs=(Input(name="size", type="float"), Input(name="colour", type="string"), Input(name="age", type="integer")),
    classes=(False, True),
)
MODEL = {"name": "m", "label": "bought", "id": "visit"}


def policy(**monitor):
    return PolicyFile(Policy.model_validate({"model": MODEL, "monitor": monitor}))


def rows(day, count, *, seed=0, wrong=0.1, shift=0.0, labelled=1.0, after=0.5, colours=("red", "green", "blue")):
    """One day's predictions: scores that mean what they say, but for `wrong` more errors than they say."""
    rng = np.random.default_rng([seed, day + 10_000])
    chosen = rng.random(count) < 0.5
    score = np.where(chosen, 0.9, 0.1) + rng.uniform(-0.05, 0.05, count)
    label = np.where(rng.random(count) < wrong, ~chosen, chosen)
    at = [START + day * DAY + DAY * float(part) for part in np.sort(rng.random(count))]
    known = rng.random(count) < labelled
    inputs = pa.StructArray.from_arrays(
        [
            pa.array(rng.normal(shift, 1, count)),
            pa.array(rng.choice(list(colours), count).tolist()),
            pa.array(rng.integers(18, 80, count)),
        ],
        fields=list(window_schema(SIGNATURE).field("inputs").type),
    )
    columns = {
        "id": [f"{day}-{number}" for number in range(count)],
        "predicted_at": at,
        "role": ["current"] * count,
        "model": ["m"] * count,
        "version": ["v1"] * count,
        "commit": [""] * count,
        "inputs": inputs,
        "prediction": chosen,
        "score": score,
        "label": pa.array(label, mask=~known),
        "labelled_at": pa.array([moment + after * DAY for moment in at], pa.timestamp("us", "UTC"), mask=~known),
        "label_source": pa.nulls(count, pa.string()),
        "contradicted": pa.array([False] * count, mask=~known),
    }
    return pa.table(columns).cast(window_schema(SIGNATURE))


def days(first, last, count=200, **how):
    return pa.concat_tables([rows(day, count, **how) for day in range(first, last)])
