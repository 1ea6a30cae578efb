"""Two flats on one landing and who owns them: what tests of an owner's pages and of neighbours stand on."""

import io
from dataclasses import dataclass
from datetime import date

from PIL import Image

from cloud.core import files
from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.files import FileStore
from cloud.core.principal import Principal, Role
from cloud.properties import occupancies, unit_codes
from cloud.properties import service as properties
from cloud.properties.domain import OccupancyKind
from cloud.properties.tree import read_tree
from cloud.tickets import attachments, reports
from cloud.tickets.attachments import NewAttachment
from cloud.tickets.opening import Location
from tests.cloud.estate import Estate, add_owner

SINCE = date(2026, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Households:
    """The organisation's owner 冯九 in 501, and 陈十 in 502 across the landing.

    Attributes:
        owner: as they are at home, with their units.
        next_door_login: with what 陈十 signs in.
    """

    unit_id: int
    next_door_unit_id: int
    occupancy_id: int
    owner: Principal
    next_door: Principal
    next_door_login: str

    def next_door_login_of(self, _role: Role) -> str:
        """Return the neighbour's login, whatever role is asked for."""
        return self.next_door_login


async def make_households(database: Database, clock: Clock, estate: Estate, *, community_id: int) -> Households:
    """Let the two move into new flats of the community's first building."""
    admin = estate.administrator
    next_door_login = f"next-door-{estate.organisation_id}"
    next_door = await add_owner(database, clock, estate, name="陈十", login=next_door_login)
    async with database.transaction() as session:
        building = (await read_tree(session, admin, community_id)).buildings[0]
        units = [
            await properties.create_unit(session, clock, admin, building_id=building.id, name=name)
            for name in ("501", "502")
        ]
        people = (estate.principals[Role.OWNER], next_door)
        settled = [
            await occupancies.settle(
                session, clock, admin, unit_id=unit_id, person_id=person.person_id or 0, kind=OccupancyKind.OWNER,
                since=SINCE,
            )
            for unit_id, person in zip(units, people, strict=True)
        ]  # fmt: skip
        at_home = [await occupancies.at_home(session, person, on=clock.now().date()) for person in people]
    return Households(
        unit_id=units[0],
        next_door_unit_id=units[1],
        occupancy_id=settled[0],
        owner=at_home[0],
        next_door=at_home[1],
        next_door_login=next_door_login,
    )


async def give_them_life(
    database: Database, clock: Clock, households: Households, desk: Principal, store: FileStore
) -> dict[str, object]:
    """Let 冯九 have reported a fault with a photo, and the desk have printed a letter; return them as examples."""
    owner, saved = households.owner, await store.save(_photo())
    async with database.transaction() as session:
        where = Location(community_id=next(iter(owner.communities or ())), place="云杉苑 · 3 栋 · 501")
        repair_id = await reports.report(
            session, clock, owner, key="example", location=where,
            unit_id=households.unit_id, text="厨房水龙头漏水", phone="13800000001", has_photo=True,
        )  # fmt: skip
        file_id = await files.add(session, clock, owner, saved, name="水龙头.jpg", media_type="image/jpeg")
        photo = NewAttachment(file_id=file_id, name="水龙头.jpg", width=4, height=3)
        await attachments.attach(session, clock, owner, ticket_id=repair_id, attachments=[photo], is_public=True)
        letter = await unit_codes.issue(
            session, clock, desk, unit_id=households.unit_id, name="冯家人", kind=OccupancyKind.FAMILY
        )
    return {
        "repair_id": repair_id,
        "file_id": file_id,
        "unit_code": unit_codes.read(letter.code),
        "unit_id": households.unit_id,
        "occupancy_id": households.occupancy_id,
    }


def _photo() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (4, 3), "grey").save(written, "JPEG")
    return written.getvalue()
