"""What workers can do, and the certificates that say so."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import organisations, people
from cloud.core import audit
from cloud.core.clock import Clock
from cloud.core.errors import NotFound, Refused
from cloud.core.principal import Principal, Role
from cloud.core.words import Words
from cloud.tickets.dispatch import Obstacle
from cloud.tickets.dispatch_tables import CERTIFICATE_LENGTH, WorkerSkillRow
from cloud.tickets.types import list_types
from firmware_configs.look.words import _

EXPIRES_SOON = timedelta(days=60)
"""A certificate is renewed at an authority that takes weeks: how early its end is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """Something that work may need.

    Attributes:
        needs_certificate: the law wants one (special operations and special equipment; fire control rooms).
    """

    code: str
    name: Words
    needs_certificate: bool = False


SKILLS = (
    Skill(code="plumbing", name=Words(zh="给排水", en="Plumbing")),
    Skill(code="electrical", name=Words(zh="电工", en="Electrical"), needs_certificate=True),
    Skill(code="lift", name=Words(zh="电梯", en="Lifts"), needs_certificate=True),
    Skill(code="fire_protection", name=Words(zh="消防设施", en="Fire protection"), needs_certificate=True),
    Skill(code="hvac", name=Words(zh="空调通风", en="Air conditioning"), needs_certificate=True),
    Skill(code="access_control", name=Words(zh="门禁道闸", en="Access control")),
    Skill(code="welding", name=Words(zh="焊接", en="Welding"), needs_certificate=True),
    Skill(code="work_at_height", name=Words(zh="高处作业", en="Work at height"), needs_certificate=True),
    Skill(code="carpentry", name=Words(zh="木工", en="Carpentry")),
    Skill(code="masonry", name=Words(zh="泥瓦", en="Masonry")),
)
"""Those that have a name; a type of ticket may ask for others by a code of its own."""

_KNOWN = {skill.code: skill for skill in SKILLS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A skill that somebody has.

    Attributes:
        certificate: its number; empty where none is needed.
        valid_until: the last day; None when it never ends.
    """

    id: int
    person_id: int
    skill: str
    certificate: str
    valid_until: date | None

    def has_expired(self, today: date) -> bool:
        """Return whether work that needs it may no longer be given."""
        return self.valid_until is not None and self.valid_until < today

    def expires_soon(self, today: date) -> bool:
        """Return whether it is time to renew it."""
        return self.valid_until is not None and not self.has_expired(today) and self.valid_until <= today + EXPIRES_SOON


def skill_name(code: str) -> Words:
    """Return what a skill is called; its code where nobody gave it a name."""
    known = _KNOWN.get(code)
    return known.name if known else Words(zh=code, en=code)


def needs_certificate(code: str) -> bool:
    """Return whether a certificate must be shown for the skill."""
    return code in _KNOWN and _KNOWN[code].needs_certificate


async def offered_skills(session: AsyncSession, principal: Principal) -> Sequence[str]:
    """Return the codes that somebody may have: those with a name, and what the types in force ask for besides."""
    asked = {skill for ticket_type in await list_types(session, principal) for skill in ticket_type.skills}
    return [*_KNOWN, *sorted(asked - set(_KNOWN))]


async def today(session: AsyncSession, clock: Clock, principal: Principal) -> date:
    """Return the organisation's present day: certificates end with one."""
    organisation = await organisations.find_organisation(session, principal)
    return clock.now().astimezone(ZoneInfo(organisation.time_zone)).date()


async def skills_of(session: AsyncSession, principal: Principal, *, person_id: int) -> Sequence[Certified]:
    """Return what somebody can do, by skill."""
    return (await all_skills(session, principal, person_ids=[person_id])).get(person_id, [])


def forbidden_by(needed: Collection[str], held: Sequence[Certified], *, day: date) -> Obstacle | None:
    """Return what of certificates keeps whoever has `held` from work that needs skills; None where nothing does.

    A skill for which the law wants no certificate forbids nothing: a dispatcher knows who can change a tap.
    """
    if any(each.skill in needed and each.has_expired(day) for each in held):
        return Obstacle.CERTIFICATE_EXPIRED
    lacking = set(needed) - {each.skill for each in held}
    return Obstacle.NO_SKILL if any(needs_certificate(skill) for skill in lacking) else None


async def forbidden(
    session: AsyncSession, clock: Clock, principal: Principal, *, person_id: int, needed: Collection[str]
) -> Obstacle | None:
    """Return what of certificates keeps somebody from work today, as `forbidden_by` says."""
    if not needed:
        return None
    held = await skills_of(session, principal, person_id=person_id)
    return forbidden_by(needed, held, day=await today(session, clock, principal))


async def all_skills(
    session: AsyncSession, principal: Principal, *, person_ids: Collection[int] | None = None
) -> Mapping[int, Sequence[Certified]]:
    """Return what people can do by person, of all or of these; whoever has no skill is left out."""
    found = select(WorkerSkillRow).where(WorkerSkillRow.organisation_id == principal.organisation_id)
    if person_ids is not None:
        found = found.where(WorkerSkillRow.person_id.in_(person_ids))
    by_person: dict[int, list[Certified]] = defaultdict(list)
    for row in await session.scalars(found.order_by(WorkerSkillRow.skill)):
        by_person[row.person_id].append(_certified(row))
    return by_person


async def count_expiring(session: AsyncSession, clock: Clock, principal: Principal) -> int:
    """Return how many certificates have ended or soon will."""
    until = await today(session, clock, principal) + EXPIRES_SOON
    counted = select(func.count()).where(
        WorkerSkillRow.organisation_id == principal.organisation_id, WorkerSkillRow.valid_until <= until
    )
    return await session.scalar(counted) or 0


async def give_skill(
    session: AsyncSession,
    clock: Clock,
    principal: Principal,
    *,
    person_id: int,
    skill: str,
    certificate: str = "",
    valid_until: date | None = None,
) -> None:
    """Write down that somebody can do something, or the new certificate for it.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: there is no such person.
        Refused: they do no repairs, nobody asks for such a skill, or its certificate is missing or has ended.
    """
    principal.require(Role.ADMINISTRATOR)
    person = await people.find_person(session, principal, person_id)
    if Role.WORKER not in person.roles:
        raise Refused(_("Choose somebody who does repairs."), "person_id")
    if skill not in await offered_skills(session, principal):
        raise Refused(_("Choose one of the values offered."), "skill")
    _check_certificate(skill, certificate.strip(), valid_until, await today(session, clock, principal))
    row = await session.scalar(
        select(WorkerSkillRow).where(
            WorkerSkillRow.organisation_id == principal.organisation_id,
            WorkerSkillRow.person_id == person_id,
            WorkerSkillRow.skill == skill,
        )
    )
    before = _state(row) if row else None
    if row is None:
        row = WorkerSkillRow(organisation_id=principal.organisation_id, person_id=person_id, skill=skill)
        session.add(row)
    row.certificate, row.valid_until = certificate.strip(), valid_until
    await session.flush()
    subject, after = f"person:{person_id}", _state(row)
    audit.record(session, clock, principal, action="tickets.skill_given", subject=subject, before=before, after=after)


async def take_skill(
    session: AsyncSession, clock: Clock, principal: Principal, *, person_id: int, skill_id: int
) -> None:
    """Write down that somebody can do something no longer.

    Raises:
        Forbidden: the principal is no administrator.
        NotFound: they do not have it.
    """
    principal.require(Role.ADMINISTRATOR)
    row = await session.scalar(
        select(WorkerSkillRow).where(
            WorkerSkillRow.organisation_id == principal.organisation_id,
            WorkerSkillRow.person_id == person_id,
            WorkerSkillRow.id == skill_id,
        )
    )
    if row is None:
        raise NotFound(_("They do not have this skill."))
    await session.delete(row)
    subject = f"person:{person_id}"
    audit.record(session, clock, principal, action="tickets.skill_taken", subject=subject, before=_state(row))


def _check_certificate(skill: str, certificate: str, valid_until: date | None, day: date) -> None:
    if len(certificate) > CERTIFICATE_LENGTH:
        raise Refused(_("Too long: at most %(length)d characters."), "certificate", length=CERTIFICATE_LENGTH)
    if needs_certificate(skill) and not certificate:
        raise Refused(_("This work needs a certificate by law: enter its number."), "certificate")
    if needs_certificate(skill) and valid_until is None:
        raise Refused(_("Enter until when the certificate is valid."), "valid_until")
    if valid_until is not None and valid_until < day:
        raise Refused(_("This certificate has ended already."), "valid_until")


def _certified(row: WorkerSkillRow) -> Certified:
    return Certified(
        id=row.id,
        person_id=row.person_id,
        skill=row.skill,
        certificate=row.certificate,
        valid_until=row.valid_until,
    )


def _state(row: WorkerSkillRow) -> dict[str, object]:
    until = row.valid_until.isoformat() if row.valid_until else None
    return {"skill": row.skill, "certificate": row.certificate, "valid_until": until}
