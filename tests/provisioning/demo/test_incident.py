from pathlib import Path

from sqlalchemy import select

from cloud.core.clock import SystemClock
from cloud.core.database import Base, Database
from cloud.core.files import FileStore
from cloud.notifications.domain import Kind
from cloud.notifications.tables import MessageRow
from cloud.tickets.incident_reading import incident as find_incident
from provisioning.demo import estate, incident, people, residents


async def test_the_practice_estate_has_a_water_cut_of_which_the_building_is_told(tmp_path: Path) -> None:
    database, clock = Database(f"sqlite+aiosqlite:///{tmp_path / 'gatehouse.db'}"), SystemClock()
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        picture = await residents.photo(FileStore(f"file://{tmp_path / 'files'}"))
        async with database.transaction() as session:
            principal = await people.found(session, clock)
            await estate.build(session, clock, principal)
            await residents.move_in(session, clock, principal, picture)
            incident_id = await incident.cut_water(session, clock, principal)
        async with database.reading() as session:
            found = await find_incident(session, clock, principal, incident_id=incident_id)
            told = (await session.scalars(select(MessageRow.text_zh).where(MessageRow.kind == Kind.INCIDENT))).all()
    finally:
        await database.close()
    assert [each.label for each in found.affected] == [f"{estate.COMMUNITY} · {estate.BUILDING_2}"]
    assert "储水" in found.script
    assert set(told) == {found.notice}
