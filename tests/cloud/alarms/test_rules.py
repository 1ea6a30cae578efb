from dataclasses import replace

import pytest
from sqlalchemy import select

from cloud.alarms.domain import Deed, Priority
from cloud.alarms.rules import change_rule, create_rule, remove_rule, rule, rules_at, try_terms
from cloud.alarms.service import record
from cloud.alarms.terms import Equals, Limits, Rate, Silence, Terms, checked
from cloud.core.audit import AuditEntry
from cloud.core.errors import Conflict, Forbidden, NotFound, Refused
from cloud.core.principal import Role
from cloud.core.words import Words
from cloud.fleet import service as fleet
from tests.cloud.alarms.site import OFFICE, Site, draft
from tests.cloud.estate import make_organisation


async def watched(site: Site) -> set[str]:
    async with site.database.reading() as session:
        points = await fleet.points(session, site.system)
    return {point.key for point in points if point.watched}


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        pytest.param(Limits(), "high", id="no limit at all"),
        pytest.param(Limits(low=80, high=60), "high", id="limits crossed"),
        pytest.param(Limits(low=60, high=80, deadband=11), "deadband", id="nothing normal left"),
        pytest.param(Limits(high=80, deadband=-1), "deadband", id="negative deadband"),
        pytest.param(Limits(high=float("nan")), "high", id="no number"),
        pytest.param(Limits(high=80, on_delay_s=-1), "on_delay_s", id="negative delay"),
        pytest.param(Limits(high=80, off_delay_s=8 * 86_400), "off_delay_s", id="delay of more than a week"),
        pytest.param(Rate(high=-1), "high", id="a rise that falls"),
        pytest.param(Rate(low=1), "low", id="a fall that rises"),
        pytest.param(Rate(high=1, over_s=0), "over_s", id="a rate over no time"),
        pytest.param(Silence(after_s=0), "after_s", id="a silence of no time"),
        pytest.param(Silence(after_s=float("inf")), "after_s", id="a silence for ever"),
    ],
)
def test_terms_that_contradict_themselves_are_refused_at_their_field(terms: Terms, field: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(terms)
    assert refused.value.field == field


async def test_a_unit_of_another_quantity_is_refused_and_names_the_points(site: Site) -> None:
    with pytest.raises(Refused, match="°F") as refused:
        await site.rule(unit="kW")
    assert refused.value.field == "unit"


async def test_only_an_administrator_makes_rules(site: Site) -> None:
    others = [principal for role, principal in site.estate.principals.items() if role is not Role.ADMINISTRATOR]
    for other in others:
        async with site.database.transaction() as session:
            with pytest.raises(Forbidden):
                await create_rule(session, site.clock, other, point_id=site.points["probe/temperature"], draft=draft())


async def test_another_organisations_points_and_rules_are_not_there(site: Site) -> None:
    rule_id = await site.rule()
    stranger = (await make_organisation(site.database, site.clock, name="邻家物业")).administrator
    point_id = site.points["probe/temperature"]
    async with site.database.transaction() as session:
        with pytest.raises(NotFound):
            await create_rule(session, site.clock, stranger, point_id=point_id, draft=draft())
        with pytest.raises(NotFound):
            await rule(session, stranger, rule_id=rule_id)
        with pytest.raises(NotFound):
            await change_rule(session, site.clock, stranger, rule_id=rule_id, version=1, draft=draft())
        with pytest.raises(NotFound):
            await remove_rule(session, site.clock, stranger, rule_id=rule_id)
        assert await rules_at(session, stranger, point_id=point_id) == []


async def test_a_rule_comes_back_as_it_was_written(site: Site) -> None:
    written = draft(Rate(low=-2.5, high=3, over_s=300, off_delay_s=60), priority=Priority.LOW)
    async with site.database.transaction() as session:
        rule_id = await create_rule(
            session,
            site.clock,
            site.estate.administrator,
            point_id=site.points["probe/temperature"],
            draft=written,
        )
    async with site.database.reading() as session:
        assert (await rule(session, site.system, rule_id=rule_id)).draft == written
        assert [
            found.id for found in await rules_at(session, site.system, point_id=site.points["probe/temperature"])
        ] == [rule_id]


async def test_a_point_is_watched_while_a_rule_is_in_force_at_it(site: Site) -> None:
    assert await watched(site) == set()
    rule_id = await site.rule()
    await site.rule(Equals(value=1), unit="1", point="leak/water")
    assert await watched(site) == {"probe/temperature", "leak/water"}
    administrator = site.estate.administrator
    async with site.database.transaction() as session:
        off = draft(is_enabled=False)
        await change_rule(session, site.clock, administrator, rule_id=rule_id, version=1, draft=off)
    assert await watched(site) == {"leak/water"}
    async with site.database.transaction() as session:
        await change_rule(session, site.clock, administrator, rule_id=rule_id, version=2, draft=draft())
    assert await watched(site) == {"probe/temperature", "leak/water"}
    async with site.database.transaction() as session:
        await remove_rule(session, site.clock, administrator, rule_id=rule_id)
    assert await watched(site) == {"leak/water"}


async def test_a_rule_that_somebody_saved_meanwhile_is_not_overwritten(site: Site) -> None:
    rule_id = await site.rule()
    administrator = site.estate.administrator
    async with site.database.transaction() as session:
        await change_rule(session, site.clock, administrator, rule_id=rule_id, version=1, draft=draft(Limits(high=90)))
    async with site.database.transaction() as session:
        with pytest.raises(Conflict):
            await change_rule(session, site.clock, administrator, rule_id=rule_id, version=1, draft=draft())
        assert (await rule(session, administrator, rule_id=rule_id)).draft.terms == Limits(high=90)


async def test_new_terms_end_what_the_old_ones_raised_and_judge_from_the_newest_reading_on(site: Site) -> None:
    rule_id = await site.rule()
    await site.send((-60, 70.0), (-30, 91.0))
    async with site.database.transaction() as session:
        tighter = draft(Limits(high=65.0))
        await change_rule(session, site.clock, site.estate.administrator, rule_id=rule_id, version=1, draft=tighter)
    (old,) = await site.alarms()
    assert (old.returned_at, old.returned_value) == (site.clock.now(), None)
    async with site.database.reading() as session:
        assert [line.deed for line in await record(session, site.operator, alarm_id=old.id)] == [Deed.RULE_CHANGED]
    await site.measure((-50, 71.0))
    assert [alarm.id for alarm in await site.alarms()] == [old.id]
    await site.measure((10, 70.0))
    await site.measure((5, 69.0))
    _, new = await site.alarms()
    assert (new.raised_value, new.limit) == (69.0, 65.0)


async def test_changing_only_words_leaves_an_alarm_standing(site: Site) -> None:
    rule_id = await site.rule()
    await site.measure((-30, 91.0))
    async with site.database.transaction() as session:
        renamed = draft(name=Words(zh="太热或太冷", en="Too hot or cold"))
        await change_rule(session, site.clock, site.estate.administrator, rule_id=rule_id, version=1, draft=renamed)
    (alarm,) = await site.alarms()
    assert alarm.is_active
    assert alarm.name == Words(zh="太热或太冷", en="Too hot or cold")


async def test_a_rule_that_is_switched_off_hears_nothing_and_falls_due_never(site: Site) -> None:
    rule_id = await site.rule(Silence(after_s=60))
    async with site.database.transaction() as session:
        off = draft(Silence(after_s=60), is_enabled=False)
        await change_rule(session, site.clock, site.estate.administrator, rule_id=rule_id, version=1, draft=off)
    site.clock.advance(hours=1)
    await site.look_at_the_clock()
    assert await site.alarms() == []


async def test_what_is_done_to_rules_is_written_down(site: Site) -> None:
    rule_id = await site.rule()
    async with site.database.transaction() as session:
        hotter = draft(replace(OFFICE, high=90.0))
        await change_rule(session, site.clock, site.estate.administrator, rule_id=rule_id, version=1, draft=hotter)
        await remove_rule(session, site.clock, site.estate.administrator, rule_id=rule_id)
    async with site.database.reading() as session:
        entries = (await session.scalars(select(AuditEntry).where(AuditEntry.subject == f"rule:{rule_id}"))).all()
    assert [entry.action for entry in entries] == ["alarms.rule_created", "alarms.rule_changed", "alarms.rule_removed"]
    assert entries[1].before["terms"]["high"] == 80.0
    assert entries[1].after["terms"]["high"] == 90.0


async def test_a_trial_tells_what_the_terms_would_have_raised_in_thirty_days(site: Site) -> None:
    day = 86_400
    rows = [(-31 * day, 99.0), (-29 * day, 70.0), (-20 * day, 85.0), (-20 * day + 60, 70.0), (-1 * day, 55.0)]
    point_id = site.points["probe/temperature"]
    await site.series.append([(point_id, site.us(seconds), value, 0) for seconds, value in rows])
    async with site.database.reading() as session:
        trial = await try_terms(
            session, site.clock, site.series, site.system, point_id=point_id, terms=OFFICE, unit="[degF]"
        )
    assert trial.readings == 4
    assert [(found.side, found.returned_us) for found in trial.episodes] == [
        ("high", site.us(-20 * day + 60)),
        ("low", None),
    ]
