"""The rows of the service catalogue and of what each thing in it cost, costs and will cost."""

from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Date, ForeignKey, Index, Select, String, Table, and_, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from cloud.core.database import Base
from cloud.core.listing import Listing, containing
from cloud.core.principal import Principal
from cloud.reception.units import PriceUnit, ServiceKind

NAME_LENGTH = 80
NOTE_LENGTH = 500


class ServiceRow(Base):
    """A fee standard or a service.

    Attributes:
        community_id: where it is offered; None for all communities of the organisation.
    """

    __tablename__ = "services"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    kind: Mapped[ServiceKind]
    name_zh: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_en: Mapped[str] = mapped_column(String(NAME_LENGTH))
    created_at: Mapped[datetime]


class PriceRow(Base):
    """What a service costs from a day on; only its end may be set, and only while it is still to come."""

    __tablename__ = "service_prices"

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id"))
    minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    unit: Mapped[PriceUnit]
    note_zh: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    note_en: Mapped[str] = mapped_column(String(NOTE_LENGTH))
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))

    __table_args__ = (Index("ix_service_prices_service", "service_id", "since"),)


_SERVICES = cast("Table", ServiceRow.__table__).c
_PRICES = cast("Table", PriceRow.__table__).c


def service_listing(principal: Principal, *, on: date) -> Listing:
    """Return the catalogue as a list, fee standards first, by name; its prices are those of a day."""
    is_valid = and_(PriceRow.since <= on, or_(PriceRow.until.is_(None), PriceRow.until > on))
    # any organisation: offered leaves only the principal's
    services = offered(principal).outerjoin(PriceRow, and_(PriceRow.service_id == ServiceRow.id, is_valid))
    return Listing(
        select=cast("Select[Any]", services),
        columns={
            "name": func.coalesce(func.nullif(_SERVICES.name_zh, ""), _SERVICES.name_en),
            "kind": _SERVICES.kind,
            "price": _PRICES.minor,
            "unit": _PRICES.unit,
            "since": _PRICES.since,
            "until": _PRICES.until,
        },
        key=_SERVICES.id,
        order=(_SERVICES.kind, _SERVICES.name_zh),
        search=containing(_SERVICES.name_zh, _SERVICES.name_en, _PRICES.note_zh, _PRICES.note_en),
    )


def offered(principal: Principal) -> Select[ServiceRow]:
    """Return what is offered in the principal's communities."""
    found = select(ServiceRow).where(ServiceRow.organisation_id == principal.organisation_id)
    if principal.communities is None:
        return found
    return found.where(or_(ServiceRow.community_id.is_(None), ServiceRow.community_id.in_(principal.communities)))
