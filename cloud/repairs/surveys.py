"""What somebody finds on the spot: in words, in photos, and how dangerous it is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.alarms.domain import Priority
from cloud.core.clock import Clock
from cloud.core.principal import Principal
from cloud.repairs import sight, tables
from cloud.repairs.domain import Hazard, Stage
from cloud.repairs.tables import PhotoRow, SurveyRow
from cloud.tickets import service as tickets
from cloud.tickets.attachments import NewAttachment
from cloud.tickets.moving import required
from cloud.tickets.reading import may_see
from firmware_configs.look.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found."""

    at: datetime
    actor: str
    findings: str
    hazard: Hazard


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo(NewAttachment):
    """A stored file that shows a repair."""

    stage: Stage


async def survey(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    ticket_id: int,
    findings: str,
    hazard: Hazard,
    photos: Collection[NewAttachment] = (),
) -> None:
    """Write down what was found; a danger makes the ticket one of the highest priority.

    Raises:
        Refused: nothing is said.
        Conflict: the ticket is closed.
        Forbidden: somebody else has the ticket.
    """
    ticket = await sight.worked_on(session, clock, principal, ticket_id=ticket_id)
    said = required(findings, "findings", _("Write down what you found."))
    row = SurveyRow(
        organisation_id=principal.organisation_id,
        ticket_id=ticket_id,
        at=clock.now(),
        person_id=principal.person_id,
        actor=principal.name,
        findings=said,
        hazard=hazard,
    )
    session.add(row)
    await keep_photos(session, clock, principal, ticket_id=ticket_id, photos=photos, stage=Stage.SURVEY)
    await tickets.arrive(session, clock, principal, ticket_id=ticket_id)
    if hazard is Hazard.DANGER and ticket.priority is not Priority.CRITICAL:
        system = Principal.system(principal.organisation_id)
        await tickets.reclassify(
            session,
            clock,
            system,
            ticket_id=ticket_id,
            version=ticket.version,
            type_code=ticket.type.code,
            priority=Priority.CRITICAL,
        )


async def keep_photos(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    ticket_id: int,
    photos: Collection[NewAttachment],
    stage: Stage,
) -> None:
    """Say of stored files what they show; whoever may see the ticket may see them."""
    session.add_all(
        PhotoRow(
            organisation_id=principal.organisation_id,
            ticket_id=ticket_id,
            file_id=photo.file_id,
            stage=stage,
            name=photo.name[:200],
            width=photo.width,
            height=photo.height,
            at=clock.now(),
        )
        for photo in photos
    )
    await session.flush()


async def surveys(session: AsyncSession, principal: Principal, *, ticket_id: int) -> Sequence[Survey]:
    """Return what was found at the place of a ticket that the principal has seen, the newest first."""
    return [
        Survey(at=row.at, actor=row.actor, findings=row.findings, hazard=row.hazard)
        for row in await tables.surveys_of(session, principal, ticket_id)
    ]


async def photos(session: AsyncSession, principal: Principal, *, ticket_id: int) -> Sequence[Photo]:
    """Return the photos of a ticket that the principal has seen, the first one first."""
    rows = await tables.photos_of(session, principal, ticket_id)
    return [
        Photo(file_id=row.file_id, name=row.name, width=row.width, height=row.height, stage=row.stage) for row in rows
    ]


async def may_see_photo(session: AsyncSession, principal: Principal, *, file_id: int) -> bool:
    """Return whether a file shows a repair whose ticket the principal may see."""
    ticket_id = await tables.ticket_of_photo(session, principal, file_id)
    return ticket_id is not None and await may_see(session, principal, ticket_id=ticket_id)
