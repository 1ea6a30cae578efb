from edge.buffer.rows import Row
from edge.poller.intake import Intake
from protocols.readings import Decoded, Quality, RowClass
from tests.edge.poller.doubles import point


class _StoppedClock:
    boot_id = "0" * 32

    def monotonic_us(self) -> int:
        return 5_000_000


def _intake() -> Intake:
    points = [point("energy", row_class=RowClass.REGISTER), point("power")]
    return Intake("meter", points, clock=_StoppedClock())


def test_a_value_becomes_a_row_with_quality_and_both_times() -> None:
    assert _intake().rows([Decoded("energy", 12.5, Quality.SUSPECT, 99)]) == [
        Row("meter/energy", RowClass.REGISTER, 12.5, Quality.SUSPECT, 5_000_000, 99)
    ]


def test_the_same_timestamp_again_is_no_new_reading() -> None:
    intake = _intake()
    intake.taken(intake.rows([Decoded("energy", 1.0, Quality.GOOD, 99), Decoded("power", 7.0, Quality.GOOD, 99)]))
    again = [Decoded("energy", 1.0, Quality.GOOD, 99), Decoded("power", 8.0, Quality.GOOD, 100)]
    assert [row.point for row in intake.rows(again)] == ["meter/power"]


def test_what_was_not_taken_is_still_new() -> None:
    intake = _intake()
    first = intake.rows([Decoded("energy", 1.0, Quality.GOOD, 99)])
    assert intake.rows([Decoded("energy", 1.0, Quality.GOOD, 99)]) == first


def test_without_a_timestamp_every_value_is_a_reading() -> None:
    intake = _intake()
    intake.taken(intake.rows([Decoded("power", 7.0)]))
    assert len(intake.rows([Decoded("power", 7.0)])) == 1
