"""Repairs of the practice estate: a plan that waits for its owner, one in work, one done and rated, and the stock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import people
from cloud.core.clock import Clock
from cloud.core.money import Money
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.feedback import service as feedback
from cloud.feedback.domain import OpinionDue, Rating
from cloud.fleet import service as fleet
from cloud.properties import occupancies
from cloud.properties import service as properties
from cloud.properties.domain import OccupancyKind
from cloud.properties.tree import read_tree
from cloud.repairs import consent, plans, preventive, prices, results, stock, surveys, visits
from cloud.repairs.consent import Answer
from cloud.repairs.domain import Hazard, LineKind, Reply, Terms
from cloud.repairs.preventive import Draft
from cloud.repairs.prices import Wanted
from cloud.repairs.rhythm import Rhythm
from cloud.repairs.visits import Window
from cloud.tickets import service as tickets
from cloud.tickets.domain import Payer
from cloud.tickets.opening import Location, open_ticket
from cloud.tickets.reading import ticket

_CURRENCY = "CNY"
_WORKER = "worker"
_PUMPS = "water-meters/volume_0"
"""What the pumps have moved, which stands for the hours that they have run."""
_EVERY_M3 = Decimal(500)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Price:
    code: str
    kind: LineKind
    name: Words
    unit: str
    yuan: str
    in_stock: str = ""


_PRICES = (
    _Price(code="plumber", kind=LineKind.LABOUR, name=Words(zh="水工", en="Plumber"), unit="h", yuan="80"),
    _Price(code="electrician", kind=LineKind.LABOUR, name=Words(zh="电工", en="Electrician"), unit="h", yuan="90"),
    _Price(
        code="ppr-20", kind=LineKind.MATERIAL, name=Words(zh="PPR 管 DN20", en="PPR pipe DN20"), unit="m",
        yuan="12.99", in_stock="60",
    ),
    _Price(
        code="valve-15", kind=LineKind.MATERIAL, name=Words(zh="角阀 DN15", en="Angle valve DN15"), unit="个",
        yuan="28", in_stock="24",
    ),
    _Price(
        code="led-12w", kind=LineKind.MATERIAL, name=Words(zh="LED 灯盘 12 W", en="LED panel 12 W"), unit="个",
        yuan="45.50", in_stock="15",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    flat: str
    type_code: str
    subject: Words
    findings: str
    lines: tuple[tuple[str, str], ...]
    """Codes of the price list, each with its quantity; labour first."""


_WAITING = _Job(
    flat="301",
    type_code="water_indoor",
    subject=Words(zh="卫生间角阀漏水", en="An angle valve leaks in the bathroom"),
    findings="角阀锈蚀，阀后 1 米支管开裂，需一并更换。",
    lines=(("plumber", "1.5"), ("valve-15", "1"), ("ppr-20", "1.2")),
)
_IN_WORK = _Job(
    flat="101",
    type_code="water_indoor",
    subject=Words(zh="厨房水管渗水", en="A pipe seeps in the kitchen"),
    findings="水槽下接头老化。",
    lines=(("plumber", "1"), ("ppr-20", "2")),
)
_DONE = _Job(
    flat="202",
    type_code="electricity_indoor",
    subject=Words(zh="客厅灯不亮", en="The living room's lamp is dark"),
    findings="灯盘驱动烧坏。",
    lines=(("electrician", "0.5"), ("led-12w", "1")),
)


async def stock_up(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Make the price list, and put what repairs need into the store."""
    for each in _PRICES:
        await prices.define_price(
            session, clock, principal, code=each.code, kind=each.kind, name=each.name, unit=each.unit,
            price=Money.of(each.yuan, _CURRENCY), version=0,
        )  # fmt: skip
        if each.in_stock:
            quantity = Decimal(each.in_stock)
            await stock.receive(session, clock, principal, item=each.code, quantity=quantity, text="期初入库")


async def repair(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Let one plan wait for its owner, one job be in work with a time agreed on, and one be done and rated."""
    worker = await _worker(session, principal)
    flats = await _flats(session, principal)
    await _planned(session, clock, principal, worker, _WAITING, flats)
    going_on, owner = await _planned(session, clock, principal, worker, _IN_WORK, flats)
    await _offer(session, clock, worker, ticket_id=going_on)
    await _begin(session, clock, worker, owner, ticket_id=going_on)
    await visits.arrive(session, clock, worker, ticket_id=going_on)
    done, owner = await _planned(session, clock, principal, worker, _DONE, flats)
    await _begin(session, clock, worker, owner, ticket_id=done)
    await _finish(session, clock, worker, owner, ticket_id=done)


async def plan_inspections(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    """Have the pumps inspected by what they have moved, and the lifts every month; a box without the meter has none."""
    points = {point.key: point for point in await fleet.points(session, principal)}
    places = await properties.list_places(session, principal)
    labels = await properties.labels(session, principal, [place.id for place in places])
    where = {label.split(" · ", 1)[-1]: place_id for place_id, label in labels.items()}
    lifts = Draft(
        name=Words(zh="电梯月检", en="Lifts, monthly"),
        place_id=where["1 号楼 · 1 号电梯"],
        checklist=(Words(zh="轿厢照明", en="Car lighting"), Words(zh="紧急呼叫", en="Emergency call")),
        rhythm=Rhythm.MONTHS,
        every=Decimal(1),
        first_on=(clock.now() + timedelta(days=7)).date(),
    )
    await preventive.create_plan(session, clock, principal, lifts)
    if _PUMPS in points:
        pumps = Draft(
            name=Words(zh="水泵巡检（按供水量）", en="Pumps, by what they have moved"),
            place_id=where["1 号楼 · B1 水泵房"],
            checklist=(Words(zh="轴封漏水", en="Seal leaks"), Words(zh="异响与振动", en="Noise and vibration")),
            rhythm=Rhythm.METER,
            every=_EVERY_M3,
            point_id=points[_PUMPS].id,
        )
        await preventive.create_plan(session, clock, principal, pumps)


async def _planned(
    session: AsyncSession, clock: Clock, principal: Principal, worker: Principal, job: _Job, flats: Mapping[str, int]
) -> tuple[int, Principal]:
    """Open a job, survey it and put its plan to the flat's owner; return the ticket's id and the owner."""
    owner = await _owner(session, clock, principal, unit_id=flats[job.flat])
    label = await occupancies.unit_label(session, principal, flats[job.flat])
    community_id = next(iter(owner.communities or ()))
    ticket_id = await open_ticket(
        session, clock, principal, type_code=job.type_code, subject=job.subject,
        location=Location(community_id=community_id, place=label), unit_id=flats[job.flat],
        requester_id=owner.person_id, requester_name=owner.name,
    )  # fmt: skip
    await tickets.assign(session, clock, principal, ticket_id=ticket_id, version=1, person_id=worker.person_id or 0)
    await surveys.survey(session, clock, worker, ticket_id=ticket_id, findings=job.findings, hazard=Hazard.NONE)
    wanted = [Wanted(kind=_kind(code), item=code, quantity=Decimal(quantity)) for code, quantity in job.lines]
    terms = Terms(
        lines=tuple(await prices.priced(session, principal, wanted, is_zh=True)),
        payer=Payer.OWNER,
        visits=1,
        finish_on=(clock.now() + timedelta(days=5)).date(),
        valid_until=clock.now() + timedelta(days=14),
    )
    await plans.put_forward(session, clock, worker, ticket_id=ticket_id, terms=terms)
    return ticket_id, owner


async def _offer(session: AsyncSession, clock: Clock, worker: Principal, *, ticket_id: int) -> None:
    tomorrow = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    windows = [
        Window(starts_at=tomorrow + timedelta(hours=later), ends_at=tomorrow + timedelta(hours=later + 2))
        for later in (0, 4)
    ]
    await visits.offer(session, clock, worker, ticket_id=ticket_id, windows=windows)


async def _begin(session: AsyncSession, clock: Clock, worker: Principal, owner: Principal, *, ticket_id: int) -> None:
    plan = await plans.current_plan(session, worker, ticket_id=ticket_id)
    if plan is not None:
        answer = Answer(reply=Reply.AGREED, version=plan.version, amount=plan.budget)
        await consent.reply(session, clock, owner, ticket_id=ticket_id, answer=answer)
    seen = await ticket(session, clock, worker, ticket_id=ticket_id)
    await tickets.start(session, clock, worker, ticket_id=ticket_id, version=seen.version)


async def _finish(session: AsyncSession, clock: Clock, worker: Principal, owner: Principal, *, ticket_id: int) -> None:
    await stock.take(session, clock, worker, ticket_id=ticket_id, item="led-12w", quantity=Decimal(1))
    await visits.arrive(session, clock, worker, ticket_id=ticket_id)
    await visits.leave(session, clock, worker, ticket_id=ticket_id, labour_minutes=30, signer=owner.name)
    seen = await ticket(session, clock, worker, ticket_id=ticket_id)
    await results.finish(
        session, clock, worker, ticket_id=ticket_id, version=seen.version, text="已更换灯盘，试亮正常。"
    )
    due = OpinionDue(organisation_id=worker.organisation_id, ticket_id=ticket_id)
    await feedback.ask_when_done(session, clock, due)
    await feedback.rate(session, clock, owner, ticket_id=ticket_id, rating=Rating.VERY_GOOD, text="来得很快")


async def _worker(session: AsyncSession, principal: Principal) -> Principal:
    staff = await people.list_people(session, principal, role=Role.WORKER)
    person = next(each for each in staff if each.login == _WORKER)
    return Principal(
        organisation_id=principal.organisation_id, person_id=person.id, name=person.name, roles=person.roles
    )


async def _owner(session: AsyncSession, clock: Clock, principal: Principal, *, unit_id: int) -> Principal:
    today = clock.now().date()
    inside = (await occupancies.occupants(session, principal, [unit_id], on=today))[unit_id]
    person = next(each for each in inside if each.kind is OccupancyKind.OWNER)
    somebody = Principal(
        organisation_id=principal.organisation_id,
        person_id=person.person_id,
        name=person.name,
        roles=frozenset({Role.OWNER}),
    )
    return await occupancies.at_home(session, somebody, on=today)


async def _flats(session: AsyncSession, principal: Principal) -> dict[str, int]:
    """Return the ids of the first building's flats by their names."""
    [community] = await properties.list_communities(session, principal)
    building = (await read_tree(session, principal, community.id)).buildings[0]
    return {unit.name: unit.id for unit in building.units}


def _kind(code: str) -> LineKind:
    return next(each.kind for each in _PRICES if each.code == code)
