"""Looks at predictions in memory: what is counted, what alarms, what explains it."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from production import DAY, SIGNATURE, START, days, policy, rows

from mlci.flows.monitor_memory import look_at, reference_of


@pytest.fixture(scope="module")
def made():
    return reference_of(policy(), rows(-100, 20_000), SIGNATURE)


def causes(found):
    return [each.cause for each in found.alarms]


def test_nothing_alarms_where_nothing_changed(made):
    found, state = look_at(policy(), made, days(0, 40), until=START + 40 * DAY)
    assert (found.healthy, found.alarms, found.rows) == (True, (), 40 * 200)
    assert len(found.seen) == 40
    assert state.until - state.begun == 40


def test_a_loss_of_accuracy_is_a_performance_alarm(made):
    window = pa.concat_tables([days(0, 20), days(20, 40, wrong=0.2)])
    found, _ = look_at(policy(), made, window, until=START + 40 * DAY)
    assert not found.healthy
    assert causes(found)[0] == "performance"
    first = found.alarms[0].raised[0]
    assert (first.stream, first.direction) == ("accuracy", "down")
    assert f"{START + 20 * DAY:%Y-%m-%d}" < first.since < f"{START + 32 * DAY:%Y-%m-%d}"


def test_drift_is_told_by_the_feature_and_blocks_nothing(made):
    window = pa.concat_tables([days(0, 20), days(20, 40, shift=1.5)])
    found, _ = look_at(policy(), made, window, until=START + 40 * DAY)
    assert found.healthy
    assert causes(found) == ["drift"]
    assert [one.stream for one in found.alarms[0].raised] == ["feature size"]
    assert found.drift[0].column == "size"


def states_agree(one, other):
    for a, b in zip(one.streams, other.streams, strict=True):
        assert a.capital == pytest.approx(b.capital, abs=1e-9)
        assert (a.since, a.alarms, a.period) == (b.since, b.alarms, b.period)


def known_by(window, moment):
    """The window as it was at a moment: later labels are not there yet."""
    late = pc.greater(window.column("labelled_at"), pa.scalar(moment, pa.timestamp("us", "UTC")))
    late = pc.fill_null(late, fill_value=False)
    for name in ("label", "labelled_at", "contradicted"):
        place = window.schema.get_field_index(name)
        kept = pc.if_else(late, pa.scalar(None, window.schema.field(name).type), window.column(name))
        window = window.set_column(place, window.schema.field(name), kept)
    return window.filter(pc.less(window.column("predicted_at"), pa.scalar(moment, pa.timestamp("us", "UTC"))))


def test_looking_every_hour_finds_what_one_look_finds(made):
    window = pa.concat_tables([days(0, 4), days(4, 8, wrong=0.3)])
    _, whole = look_at(policy(), made, window, until=START + 8 * DAY)
    state = made
    for hour in range(1, 8 * 24 + 1):
        now = START + hour * DAY / 24
        _, state = look_at(policy(), state, known_by(window, now), until=now)
    states_agree(state, whole)
    assert state.seen == whole.seen


def test_labels_that_come_late_count_once(made):
    early = days(0, 10, labelled=0.5)
    window = days(0, 10)
    _, state = look_at(policy(), made, early, until=START + 8 * DAY)
    _, state = look_at(policy(), state, window, until=START + 10 * DAY)
    _, again = look_at(policy(), state, window, until=START + 10 * DAY)
    assert again.streams == state.streams
    counted = sum(each.counted["accuracy"].rows for each in state.seen)
    # Labels of the last half a day are still to come.
    assert counted == sum(each.labels for each in state.seen) > 9 * 200


def test_half_a_day_of_missing_labels_is_no_alarm_and_loses_nothing(made):
    window = days(0, 12)
    _, whole = look_at(policy(), made, window, until=START + 12 * DAY)
    missing = pc.and_(
        pc.greater(window.column("predicted_at"), pa.scalar(START + 5 * DAY, pa.timestamp("us", "UTC"))),
        pc.less(window.column("predicted_at"), pa.scalar(START + 5.5 * DAY, pa.timestamp("us", "UTC"))),
    )
    place = window.schema.get_field_index("label")
    without = window.set_column(
        place, "label", pc.if_else(missing, pa.scalar(None, pa.bool_()), window.column("label"))
    )
    found, state = look_at(policy(), made, without, until=START + 8 * DAY)
    assert found.alarms == ()
    assert found.labels < found.rows
    _, state = look_at(policy(), state, window, until=START + 12 * DAY)
    counted, wanted = (sum(each.counted["accuracy"].rows for each in known.seen) for known in (state, whole))
    assert counted == wanted


def test_a_clock_that_runs_ahead_closes_nothing_that_rows_are_still_to_come_for(made):
    _, state = look_at(policy(), made, days(0, 5), until=START + 500 * DAY)
    assert state.until - state.begun in {5, 6}
    found, state = look_at(policy(), state, days(0, 12), until=START + 12 * DAY)
    assert found.late <= 200
    assert state.until - state.begun == 12


def test_a_clock_that_went_back_changes_nothing(made):
    _, state = look_at(policy(), made, days(0, 5), until=START + 5 * DAY)
    _, again = look_at(policy(), state, days(0, 5), until=START + 2 * DAY)
    assert again.streams == state.streams
    assert again.until == state.until
