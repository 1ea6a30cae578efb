"""Who lives in the practice estate: invented people with invented numbers, and the fault that one of them reported."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from PIL import Image, ImageDraw
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.phones import shown
from cloud.core import files
from cloud.core.clock import Clock
from cloud.core.files import FileStore, Saved
from cloud.core.principal import Principal, Role
from cloud.properties import occupancies
from cloud.properties import service as properties
from cloud.properties.domain import OccupancyKind
from cloud.properties.tree import read_tree
from cloud.tickets import attachments, reports
from cloud.tickets.attachments import NewAttachment
from cloud.tickets.opening import Location

_SINCE = timedelta(days=200)
_SIZE = (800, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody in a flat."""

    building: str
    flat: str
    name: str
    phone: str
    kind: OccupancyKind = OccupancyKind.OWNER


REPORTER = Resident(building="1 号楼", flat="301", name="张三丰", phone="+8613800000001")
"""Has reported a fault; signs in with the code that the practice gateway shows."""

RESIDENTS: Sequence[Resident] = (
    REPORTER,
    Resident(building="1 号楼", flat="301", name="张家人", phone="+8613800000002", kind=OccupancyKind.FAMILY),
    Resident(building="1 号楼", flat="101", name="李四喜", phone="+8613800000003"),
    Resident(building="1 号楼", flat="202", name="王五福", phone="+8613800000004"),
    Resident(building="2 号楼", flat="102", name="赵六安", phone="+8613800000005", kind=OccupancyKind.TENANT),
    Resident(building="2 号楼", flat="302", name="张三丰", phone="+8613800000001"),
)


def reporters_number() -> str:
    """Return the number that is to be tried, as it is typed."""
    return shown(REPORTER.phone)


async def photo(store: FileStore) -> Saved:
    """Store the picture of what is broken; before the transaction that adds its row."""
    drawn = Image.new("RGB", _SIZE, "#dfe6ea")
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((0, 430, 800, 600), fill="#b9a58b")
    pen.rectangle((240, 180, 520, 230), fill="#7b858d")
    pen.rectangle((470, 180, 520, 300), fill="#7b858d")
    pen.ellipse((472, 330, 518, 400), fill="#4a90c2")
    pen.ellipse((330, 470, 660, 560), fill="#7fb4d6")
    written = io.BytesIO()
    drawn.save(written, "JPEG", quality=85)
    return await store.save(written.getvalue())


async def move_in(session: AsyncSession, clock: Clock, principal: Principal, picture: Saved) -> None:
    """Let everybody move in, and one of them report a dripping tap."""
    [community] = await properties.list_communities(session, principal)
    tree = await read_tree(session, principal, community.id)
    flats = {(building.name, unit.name): unit.id for building in tree.buildings for unit in building.units}
    since = (clock.now() - _SINCE).date()
    for resident in RESIDENTS:
        await occupancies.move_in(
            session,
            clock,
            principal,
            unit_id=flats[resident.building, resident.flat],
            name=resident.name,
            phone=resident.phone,
            kind=resident.kind,
            since=since,
        )
    await _report(session, clock, principal, unit_id=flats[REPORTER.building, REPORTER.flat], picture=picture)


async def _report(session: AsyncSession, clock: Clock, principal: Principal, *, unit_id: int, picture: Saved) -> None:
    today = clock.now().date()
    inside = await occupancies.occupants(session, principal, [unit_id], on=today)
    person = next(occupant for occupant in inside[unit_id] if occupant.phone == REPORTER.phone)
    somebody = Principal(
        organisation_id=principal.organisation_id,
        person_id=person.person_id,
        name=person.name,
        roles=frozenset({Role.OWNER}),
    )
    owner = await occupancies.at_home(session, somebody, on=today)
    label = await occupancies.unit_label(session, principal, unit_id)
    [community] = await properties.list_communities(session, principal)
    ticket_id = await reports.report(
        session,
        clock,
        owner,
        key="practice",
        location=Location(community_id=community.id, place=label),
        unit_id=unit_id,
        text="厨房水龙头关不紧，一直滴水",
        phone=REPORTER.phone,
        has_photo=True,
    )
    name = "水龙头.jpg"
    file_id = await files.add(session, clock, owner, picture, name=name, media_type="image/jpeg")
    new = NewAttachment(file_id=file_id, name=name, width=_SIZE[0], height=_SIZE[1])
    await attachments.attach(session, clock, owner, ticket_id=ticket_id, attachments=[new], is_public=True)
