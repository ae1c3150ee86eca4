"""Dates and times as a policy writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime


def read_time(text: str) -> date | datetime | None:
    """An ISO date or time; None where the text is neither. A time with a zone becomes UTC without one.

    >>> read_time("2013-12-31"), read_time("2013-12-31T12:00+02:00"), read_time("soon")
    (datetime.date(2013, 12, 31), datetime.datetime(2013, 12, 31, 10, 0), None)
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
