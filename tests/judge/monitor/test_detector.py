"""The e-detector: known answers, what splitting and order may not change, clocks, and states as JSON."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from detectors import evidence_of
from hypothesis import given, settings
from hypothesis import strategies as st

from mlci.errors import ClockError
from mlci.judge.monitor.detector import advance, begin, counted, period_of, suspect, update, valued
from mlci.judge.monitor.streams import (
    Watch,
    bin_counts,
    bin_names,
    decile_edges,
    mean_stream,
    rate_error,
    rate_stream,
    share_tolerance,
    shares_stream,
)
from mlci.nouns.monitor import Bet, StreamState

WATCH = Watch(streams=3)
COUNTS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=24)


def accuracy(**asked):
    return rate_stream("accuracy", 9_000, 10_000, WATCH, **asked)


def fed(stream, days, start=100):
    state = begin(stream, start)
    for day, (rows, hits) in enumerate(days):
        state = update(state, counted(stream, start + day, rows, [hits]))
    return advance(state, start + len(days))


def test_a_bet_on_hits_is_the_likelihood_ratio():
    stream = accuracy(tolerance=0.02, changes=(0.03,))
    batch = counted(stream, 0, 200, [170])
    assert stream.bets[0].null == pytest.approx(0.88)
    expected = 170 * math.log(0.85 / 0.88) + 30 * math.log(0.15 / 0.12)
    assert batch.evidence == pytest.approx((expected,))


def test_evidence_after_two_days_by_hand():
    stream = rate_stream("accuracy", 9_000, 10_000, Watch(1, horizon=10), tolerance=0.02, changes=(0.03,))
    first = (0.85 / 0.88) ** 8 * (0.15 / 0.12) ** 2
    second = (0.85 / 0.88) ** 5 * (0.15 / 0.12) ** 5
    s = (0.1 * first + 0.1) * second
    assert fed(stream, [(10, 8), (10, 5)]).log_m == pytest.approx(math.log(s + 0.8))


def test_agrees_with_the_same_formulas_written_for_many_years():
    rng = np.random.default_rng(5)
    stream = accuracy(direction="both")
    hits = rng.binomial(200, 0.89, size=30)
    states = [fed(stream, [(200, int(one)) for one in hits[: day + 1]]).log_m for day in range(30)]
    assert states == pytest.approx(evidence_of(stream, 200, hits[None, :, None])[0].tolist())


def test_tolerance_is_at_least_the_error_of_the_reference():
    assert accuracy(tolerance=0.02).tolerance == (0.02,)
    assert accuracy().tolerance[0] >= 1.645 * math.sqrt(0.9 * 0.1 / 10_000)
    assert rate_error(50, 50)[0] == pytest.approx(1 - 0.05 ** (1 / 50))
    assert share_tolerance(10, 10_000, Watch(20)) == pytest.approx(math.sqrt(math.log(400 / 0.05) / 20_000))


def test_a_rate_that_cannot_fall_further_is_never_alarmed():
    stream = rate_stream("positives", 0, 1_000, WATCH)
    state = fed(stream, [(100, 0)] * 5)
    assert (state.stream.bets, state.log_m, state.alarms, suspect(state)) == ((), 0.0, (), None)


def test_rare_rates_have_bets():
    assert [bet.toward for bet in rate_stream("fraud", 500, 100_000, WATCH).bets] == pytest.approx([0.0023], abs=2e-4)


def test_alarm_is_raised_stays_and_ends_when_it_is_healthy_again():
    bad = fed(accuracy(), [(500, 400)] * 30)
    assert bad.alarmed
    assert bad.since == 100
    healed = bad
    for day in range(130, 150):
        healed = update(healed, counted(bad.stream, day, 500, [455]))
    assert not healed.alarmed
    assert healed.alarms == (100,)
    again = healed
    for day in range(150, 160):
        again = update(again, counted(bad.stream, day, 500, [400]))
    assert again.alarmed
    assert len(again.alarms) == 2
    assert bad.full >= 1 > healed.full


def test_directions():
    better = [(500, 480)] * 60
    assert not fed(accuracy(), better).alarmed
    assert fed(accuracy(direction="up"), better).alarmed
    found = suspect(fed(accuracy(direction="both"), better))
    assert found.direction == "up"


@settings(deadline=None)
@given(COUNTS, st.randoms())
def test_hours_in_any_order_make_the_day(hours, random):
    days = [(max(a, b), min(a, b)) for a, b in hours]
    stream = accuracy(direction="both")
    batches = [counted(stream, 7, rows, [hits], slot=slot) for slot, (rows, hits) in enumerate(days)]
    random.shuffle(batches)
    split = begin(stream, 5)
    for batch in batches:
        split = update(split, batch)
    whole = update(begin(stream, 5), counted(stream, 7, sum(r for r, _ in days), [sum(h for _, h in days)]))
    split, whole = advance(split, 8), advance(whole, 8)
    assert split.capital == pytest.approx(whole.capital, abs=1e-9)
    assert split.log_m == pytest.approx(whole.log_m, abs=1e-9)
    assert (split.period, split.settled) == (whole.period, whole.settled)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.integers(0, 50)), max_size=25))
def test_twice_is_once_and_the_state_survives_json(seen):
    stream = rate_stream("recall", 80, 100, Watch(2, horizon=12))
    once = twice = begin(stream, 0)
    for period, slot, hits in sorted(seen):
        batch = counted(stream, period, 50, [hits], slot=slot)
        once = update(once, batch)
        twice = StreamState.model_validate_json(update(update(twice, batch), batch).model_dump_json())
    for period, slot, hits in sorted(seen):
        twice = update(twice, counted(stream, period, 50, [hits], slot=slot))
    assert once == twice


def test_order_of_streams_does_not_matter():
    """A stream's state knows its own threshold and nothing of the others."""
    one, two = accuracy(), rate_stream("recall", 80, 100, WATCH)
    assert one.threshold == two.threshold == 60
    rows = [(100, 70)] * 4
    assert [fed(s, rows) for s in (one, two)] == [fed(s, rows) for s in (two, one)][::-1]


def test_what_is_older_than_the_open_period_is_refused_by_name():
    state = update(begin(accuracy(), 10), counted(accuracy(), 12, 100, [90]))
    with pytest.raises(ClockError, match="accuracy: rows of period 11 came after period 12"):
        update(state, counted(accuracy(), 11, 100, [90]))
    assert advance(state, 3) == state


def test_periods_without_rows():
    stream = accuracy()
    state = fed(stream, [(0, 0)] * 10)
    assert state.log_m == pytest.approx(0.0)
    assert state.capital == pytest.approx((math.log(11 / 365),) * 5)
    assert advance(begin(stream, 100), 110).capital == pytest.approx(state.capital)


def test_a_horizon_that_is_over_gives_way_to_a_fresh_one():
    stream = rate_stream("accuracy", 9_000, 10_000, Watch(1, horizon=10))
    state = fed(stream, [(100, 89)] * 10)
    assert (state.start, state.period) == (110, 110)
    assert state.capital == begin(stream, 0).capital
    assert advance(state, 10**9).start == 10**9 - 10**9 % 10


def test_extreme_rows_stay_finite():
    state = fed(accuracy(direction="both"), [(10**9, 0), (10**9, 10**9), (0, 0)])
    assert all(math.isfinite(one) for one in (*state.capital, state.log_m))
    assert StreamState.model_validate_json(state.model_dump_json()) == state


def test_counts_that_cannot_be():
    with pytest.raises(ValueError, match="accuracy needs 1 counts between 0 and 10"):
        counted(accuracy(), 0, 10, [11])
    with pytest.raises(ValueError, match="lose everything"):
        Bet(null=0.9, toward=0.1, stake=-11)


def test_means_of_hits_agree_with_rates():
    """A reference of hits and misses has the variance of a rate, and nearly its stake."""
    values = np.repeat([0.0, 1.0], [5_000, 5_000])
    stream = mean_stream("score", values, WATCH, changes=(0.01,))
    bet = stream.bets[0]
    assert bet.stake == pytest.approx(0.01 / 0.2501, rel=1e-3)
    batch = valued(stream, 0, np.array([0.0, 1.0, 0.25]))
    expected = sum(math.log1p(bet.stake * (x - bet.null)) for x in (0.0, 1.0, 0.25))
    assert batch.evidence == pytest.approx((expected,))
    with pytest.raises(ValueError, match="between 0 and 1"):
        valued(stream, 0, np.array([np.nan]))


def test_a_mean_of_little_variance_is_caught_where_a_rate_would_not_be():
    rng = np.random.default_rng(3)
    stream = mean_stream("loss", rng.beta(20, 80, size=5_000), WATCH, direction="both")
    state = begin(stream, 0)
    for day in range(10):
        state = update(state, valued(stream, day, rng.beta(23, 77, size=100)))
    state = advance(state, 10)
    assert state.alarmed
    assert suspect(state).direction == "up"


def test_deciles_name_the_bin_that_moved():
    rng = np.random.default_rng(4)
    then = rng.normal(size=20_000)
    edges = decile_edges(then)
    names = bin_names(edges)
    stream = shares_stream("delay", names, bin_counts(then, edges), Watch(20))
    state = begin(stream, 0)
    for day in range(20):
        now = rng.normal(size=200)
        now[:40] = np.nan
        state = update(state, counted(stream, day, 200, bin_counts(now, edges)))
    state = advance(state, 20)
    assert state.alarmed
    found = suspect(state)
    assert (found.part, found.direction) == ("missing", "up")
    assert len(names) == 11
    assert sum(bin_counts(np.array([np.nan, -9.0, 9.0]), edges)) == 3


def test_constant_features_have_one_edge():
    edges = decile_edges(np.zeros(100))
    assert bin_names(edges) == ("up to 0", "above 0", "missing")
    assert bin_counts(np.array([-1.0, 0.0, 2.0]), edges) == (2, 1, 0)


def test_weeks_begin_on_monday():
    week = timedelta(days=7)
    sunday = datetime(2024, 3, 31, 23, 59, tzinfo=UTC)
    assert period_of(sunday + timedelta(minutes=1), week) == period_of(sunday, week) + 1
    assert period_of(sunday, timedelta(days=1)) == period_of(sunday - timedelta(hours=23), timedelta(days=1))
