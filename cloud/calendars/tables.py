"""The rows of calendars, and how they are found."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud.calendars.definition import NAME_LENGTH, CalendarVersion, Definition, SpecialDay
from cloud.calendars.domain import Window
from cloud.core.database import Base, Json
from cloud.core.words import Words

Spans = list[list[int]]
"""Windows as they are stored: pairs of minutes."""


class CalendarRow(Base):
    """A version of a calendar; see definition.Definition.

    Attributes:
        week: the seven weekdays' windows.
        days: by date, the name in both languages and the windows.
        replaced_at: when a newer version took its place; None for the one in force.
    """

    __tablename__ = "calendars"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    code: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    name_zh: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    time_zone: Mapped[str] = mapped_column(String(40))
    week: Mapped[list[Spans]] = mapped_column(Json)
    days: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("organisation_id", "code", "version"),)

    @classmethod
    def of(cls, definition: Definition, *, organisation_id: int, version: int, created_at: datetime) -> "CalendarRow":
        """Return the row of a new version."""
        return cls(
            organisation_id=organisation_id,
            code=definition.code,
            version=version,
            name_zh=definition.name.zh,
            name_en=definition.name.en,
            time_zone=definition.time_zone,
            week=[spans(windows) for windows in definition.week],
            days={
                each.day.isoformat(): {"zh": each.name.zh, "en": each.name.en, "windows": spans(each.windows)}
                for each in definition.days
            },
            created_at=created_at,
        )

    @property
    def as_version(self) -> CalendarVersion:
        """Return the row as a plain value."""
        return CalendarVersion(
            id=self.id,
            version=self.version,
            definition=self.definition,
            created_at=self.created_at,
            replaced_at=self.replaced_at,
        )

    @property
    def definition(self) -> Definition:
        """Return what the version says; its days in order, which a JSON object may have lost."""
        return Definition(
            code=self.code,
            name=Words(zh=self.name_zh, en=self.name_en),
            time_zone=self.time_zone,
            week=tuple(windows(each) for each in self.week),
            days=tuple(
                SpecialDay(
                    day=date.fromisoformat(day),
                    name=Words(zh=said["zh"], en=said["en"]),
                    windows=windows(said["windows"]),
                )
                for day, said in sorted(self.days.items())
            ),
        )


def spans(windows: Sequence[Window]) -> Spans:
    """Return windows as they are stored."""
    return [[window.start_min, window.end_min] for window in windows]


def windows(stored: Spans) -> tuple[Window, ...]:
    """Return stored windows as values."""
    return tuple(Window(start_min, end_min) for start_min, end_min in stored)


async def in_force(session: AsyncSession, *, organisation_id: int, code: str) -> CalendarRow | None:
    """Return the newest version of a calendar."""
    return await session.scalar(
        select(CalendarRow).where(
            CalendarRow.organisation_id == organisation_id,
            CalendarRow.code == code,
            CalendarRow.replaced_at.is_(None),
        )
    )


async def all_in_force(session: AsyncSession, *, organisation_id: int) -> Sequence[CalendarRow]:
    """Return the newest version of every calendar, by code."""
    found = select(CalendarRow).where(CalendarRow.organisation_id == organisation_id, CalendarRow.replaced_at.is_(None))
    return (await session.scalars(found.order_by(CalendarRow.code))).all()


async def versions_of(session: AsyncSession, *, organisation_id: int, code: str) -> Sequence[CalendarRow]:
    """Return all versions of a calendar, the newest first."""
    found = select(CalendarRow).where(CalendarRow.organisation_id == organisation_id, CalendarRow.code == code)
    return (await session.scalars(found.order_by(CalendarRow.version.desc()))).all()


async def by_ids(session: AsyncSession, *, organisation_id: int, ids: Collection[int]) -> Sequence[CalendarRow]:
    """Return these versions, as far as they are the organisation's."""
    found = select(CalendarRow).where(CalendarRow.organisation_id == organisation_id, CalendarRow.id.in_(ids))
    return (await session.scalars(found)).all()
