import pytest

from cloud.core.errors import Refused
from cloud.tickets.ladder import DEFAULT_LADDER, Rung, Whom, above_breach, check_ladder, climbed


@pytest.mark.parametrize(
    ("percent", "is_emergency", "told"),
    [
        (50, False, [Whom.ASSIGNEE]),
        (80, False, [Whom.LEAD]),
        (100, False, [Whom.MANAGER]),
        (150, False, []),
        (150, True, [Whom.AREA]),
    ],
)
def test_the_ladder_tells(percent: int, is_emergency: bool, told: list[Whom]) -> None:
    assert [rung.whom for rung in climbed(DEFAULT_LADDER, percent=percent, is_emergency=is_emergency)] == told


@pytest.mark.parametrize(("is_emergency", "steps"), [(False, []), (True, [150])])
def test_steps_after_a_missed_target_are(is_emergency: bool, steps: list[int]) -> None:
    assert above_breach(DEFAULT_LADDER, is_emergency=is_emergency) == steps


@pytest.mark.parametrize("percent", [0, 49, 81, 501])
def test_a_step_where_no_clock_speaks_is_refused(percent: int) -> None:
    with pytest.raises(Refused) as refused:
        check_ladder([Rung(percent=percent, whom=Whom.LEAD)])
    assert refused.value.field == "ladder"


def test_the_same_people_twice_on_a_step_are_refused() -> None:
    with pytest.raises(Refused, match="twice"):
        check_ladder([Rung(percent=80, whom=Whom.LEAD), Rung(percent=80, whom=Whom.LEAD, only_emergency=True)])


def test_different_people_stand_on_one_step() -> None:
    check_ladder([Rung(percent=80, whom=Whom.LEAD), Rung(percent=80, whom=Whom.MANAGER)])
