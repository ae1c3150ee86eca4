"""What the table of flights promises: every flight, its label, and nothing that was not known two hours before."""

import hashlib

import numpy as np
import pandas as pd

UNKNOWN_BEFORE = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum"}


def test_holds_every_flight_of_the_year_once(flights):
    assert len(flights) == 336_776
    assert flights["flight_id"].is_unique
    assert flights["scheduled"].is_monotonic_increasing


def test_reaches_up_to_the_month_asked_for(spring):
    scheduled = spring.table("flights")["scheduled"]
    assert len(scheduled) == 27_004 + 24_951
    assert scheduled.min() >= pd.Timestamp("2013-01-01")
    assert pd.Timestamp("2013-02-28") < scheduled.max() < pd.Timestamp("2013-03-01")


def test_an_earlier_end_changes_no_row_before_it(flights, spring):
    early = spring.table("flights")
    pd.testing.assert_frame_equal(flights.head(len(early)), early)


def test_label_is_late_by_more_than_15_minutes_or_never_arrived(flights, raw):
    late = (raw["arr_delay"] > 15).to_numpy()
    never = raw["arr_delay"].isna().to_numpy()
    assert never.sum() == 9_430
    np.testing.assert_array_equal(flights["disrupted"] == 1, late | never)
    assert round(flights["disrupted"].mean(), 4) == 0.2585


def test_no_column_tells_what_happened_afterwards(flights):
    assert not UNKNOWN_BEFORE & set(flights.columns)
    numbers = flights.drop(columns="disrupted").select_dtypes("number")
    assert numbers.corrwith(flights["disrupted"]).abs().max() < 0.3


def test_a_missing_tail_number_cannot_be_told_from_the_plane(flights, raw):
    """It is missing only where the flight was cancelled, so an empty plane must not become its mark."""
    cancelled = raw["tailnum"].isna().to_numpy()
    assert cancelled.sum() == 2_512
    unknown = flights["seats"].isna()
    by_carrier = pd.DataFrame({"cancelled": unknown[cancelled], "flown": unknown[~cancelled]})
    by_carrier = by_carrier.groupby(flights["carrier"]).mean().dropna()
    many = raw.loc[cancelled, "carrier"].value_counts().loc[lambda count: count > 50].index
    assert (by_carrier.loc[many, "cancelled"] - by_carrier.loc[many, "flown"]).abs().max() < 0.1


def test_weather_is_that_of_two_hours_before_the_planned_hour(flights, raw, weather):
    hour = pd.to_datetime(raw["time_hour"]).dt.tz_localize(None).to_numpy()
    observed = weather.assign(time_hour=pd.to_datetime(weather["time_hour"]).dt.tz_localize(None))
    observed = observed.set_index(["origin", "time_hour"])
    for row in np.random.default_rng(0).choice(len(flights), 300, replace=False):
        flight = flights.iloc[row]
        key = (flight["origin"], pd.Timestamp(hour[row]) - pd.Timedelta(hours=2))
        if key in observed.index:
            expected = observed.loc[key, ["temp", "humid", "wind_speed", "precip", "visib"]].astype(float)
            np.testing.assert_array_equal(flight[expected.index].astype(float), expected)
        else:
            assert np.isnan(flight["temp"])


def test_the_last_evening_has_no_weather(flights):
    last_day = flights["scheduled"] >= pd.Timestamp("2013-12-31")
    assert flights.loc[last_day, "precip"].isna().sum() == 776


def test_planned_times_are_on_one_clock(flights, raw):
    """A planned duration lies somewhat above the time in the air, wherever the destination's clock stands."""
    assert (flights["scheduled_arrival"] > flights["scheduled"]).all()
    ground = flights["duration"].to_numpy() - raw["air_time"]
    assert 20 < ground.median() < 50
    by_destination = ground.groupby(flights["dest"].to_numpy()).median().dropna()
    assert len(by_destination) == 104
    assert by_destination.between(10, 80).all()


def test_the_same_parameters_give_the_same_bytes(spring):
    table = spring.root / "data" / "flights.parquet"
    before = hashlib.sha256(table.read_bytes()).hexdigest()
    spring.run("data/ingest.py")
    assert hashlib.sha256(table.read_bytes()).hexdigest() == before
