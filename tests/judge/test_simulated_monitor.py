"""A year of monitoring: how often it alarms without a change, how soon it sees one, and what daily p-values do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import bdtr, kolmogorov
from simulated import Share, keep

from mlci.judge.monitor.detector import log_factors
from mlci.judge.monitor.streams import Watch, rate_stream, shares_stream, watches

pytestmark = [pytest.mark.slow, pytest.mark.statistics]

DAYS = 365
REFERENCE = 10_000
"""Rows of the reference, which is drawn anew for every year."""
RATES = (0.9, 0.8, 0.2)
FEATURES = 20
TENTHS = [0.1] * 10


def first_alarms(streams, rows, draw, days=DAYS):
    """The first day, from 1, on which each stream alarms, or infinity; `draw(day)` makes hits by stream and part."""
    most = max(len(stream.bets) for stream in streams)
    hit, miss = np.zeros((2, len(streams), most))
    part, betting = np.zeros((len(streams), most), dtype=int), np.zeros((len(streams), most))
    for at, stream in enumerate(streams):
        count = len(stream.bets)
        hit[at, :count], miss[at, :count] = log_factors(stream)
        part[at, :count], betting[at, :count] = [bet.part for bet in stream.bets], 1 / count
    threshold = np.array([stream.threshold for stream in streams])
    s, day_of = np.zeros_like(hit), np.full(len(streams), np.inf)
    for day in range(days):
        seen = np.take_along_axis(draw(day), part, axis=1)
        s = np.minimum((s + 1 / DAYS) * np.exp(seen * hit + (rows - seen) * miss), 1e100)
        m = (s * betting).sum(axis=1) + (DAYS - day - 1) / DAYS
        day_of[(m >= threshold) & np.isinf(day_of)] = day + 1
    return day_of


@pytest.mark.parametrize("rows", [50, 200, 1_000])
def test_years_without_a_change(rows):
    """Three rates and twenty features by their deciles; the first rate has half of alpha."""
    years, rng = 150, np.random.default_rng([20_240_601, rows])
    head, rest = watches(len(RATES) - 1 + FEATURES)
    any_rate = np.zeros(years, dtype=bool)
    for rate, watch in zip(RATES, (head, rest, rest), strict=True):
        rates = [rate_stream("rate", int(hits), REFERENCE, watch) for hits in rng.binomial(REFERENCE, rate, size=years)]
        any_rate |= np.isfinite(first_alarms(rates, rows, lambda _, p=rate: rng.binomial(rows, p, size=(years, 1))))
    counts = rng.multinomial(REFERENCE, TENTHS, size=years * FEATURES)
    features = [shares_stream("feature", [*"0123456789"], one.tolist(), rest) for one in counts]
    days = first_alarms(features, rows, lambda _: rng.multinomial(rows, TENTHS, size=years * FEATURES))
    any_feature = np.isfinite(days).reshape(years, FEATURES).any(axis=1)
    ever = Share.of(any_rate | any_feature)
    keep("monitored years", str(rows), rates=Share.of(any_rate), features=Share.of(any_feature), ever=ever)
    assert ever.at_most(0.05)


@pytest.mark.parametrize("rows", [100, 200, 500])
@pytest.mark.parametrize("known", ["well", "by 10,000 rows"])
def test_years_of_one_rate(rows, known):
    """A reference without error shows what the e-detector itself does, one of 10,000 rows what a project gets."""
    years, rng = 4_000, np.random.default_rng([20_240_602, rows])
    size = 10**9 if known == "well" else REFERENCE
    hits = rng.binomial(size, 0.9, size=years)
    streams = [rate_stream("accuracy", int(one), size, Watch(1)) for one in hits]
    days = first_alarms(streams, rows, lambda _: rng.binomial(rows, 0.9, size=(years, 1)))
    ever = Share.of(np.isfinite(days))
    keep("monitored rate", f"{known}, {rows}", ever=ever)
    assert ever.at_most(0.05)


@pytest.mark.parametrize(("rows", "alone"), [(100, 15), (200, 9), (500, 4)])
def test_days_until_three_points_less_are_seen(rows, alone):
    """Half a year without a change, then three points less."""
    years, quiet, rng = 2_000, 180, np.random.default_rng([20_240_603, rows])

    def delays(size, streams):
        watch = Watch(streams)
        made = [rate_stream("accuracy", round(0.9 * size), size, watch)] * years
        days = first_alarms(
            made, rows, lambda day: rng.binomial(rows, 0.9 if day < quiet else 0.87, size=(years, 1)), quiet + 90
        )
        after = np.sort(days[days > quiet] - quiet)
        return float(np.median(after)), float(after[int(0.9 * after.size)])

    medians = {}
    for name, size, streams in (("one", 10**9, 1), ("half", 10**9, 2), ("sampled", 50_000, 2)):
        medians[name], late = delays(size, streams)
        keep("monitored delay", f"{name}, {rows}", median=medians[name], late=late)
        if (rows, name) in {(200, "one"), (200, "half")}:
            assert medians[name] <= 10
            assert late <= 16
    assert medians["one"] == pytest.approx(alone, abs=1)


def test_looking_at_p_values_every_day():
    """A year without a change, p < .05 of accuracy each day, and of each of 20 features by Kolmogorov and Smirnov."""
    years, rng = 400, np.random.default_rng(20_240_604)
    hits = rng.binomial(200, 0.9, size=(years, DAYS))
    alarms = (bdtr(np.arange(201.0), 200, 0.9) < 0.05)[hits].sum(axis=1)
    few, rows = 20, 200
    shares = np.sort(rng.random((few * DAYS, rows)), axis=1)
    steps = np.arange(rows) / rows
    distance = np.maximum(shares - steps, steps + 1 / rows - shares).max(axis=1)
    found = kolmogorov(distance * (np.sqrt(rows) + 0.12 + 0.11 / np.sqrt(rows))) < 0.05
    features = FEATURES * float(found.mean()) * DAYS
    keep("daily p-values", "200", accuracy=float(alarms.mean()), features=features, never=Share.of(alarms == 0))
    assert 12 < alarms.mean() < 18
    assert features == pytest.approx(341, rel=0.15)
