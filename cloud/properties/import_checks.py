"""Whether a table can be imported: what each row would make, what is there already, and what is wrong in which cell."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, TypeVar

from cloud.accounts.domain import check_login, check_roles, login_key
from cloud.accounts.domain import check_name as check_person
from cloud.accounts.phones import check_phone
from cloud.core.errors import GatehouseError, Refused
from cloud.core.principal import Role
from cloud.properties.domain import OccupancyKind, check_address, check_name, check_period
from cloud.properties.import_lines import Line
from firmware_configs.look.words import _

Path = tuple[str, str, str]
"""Community, building and unit by their names."""

News = TypeVar("News")
Key = TypeVar("Key")

ROLES: Mapping[str, Role] = {
    "管理员": Role.ADMINISTRATOR,
    "监控室": Role.OPERATOR,
    "客服前台": Role.DESK,
    "前台": Role.DESK,
    "维修": Role.WORKER,
    "维修工": Role.WORKER,
    "收费": Role.OFFICE,
    "财务": Role.OFFICE,
    "经理": Role.MANAGER,
} | {role.value: role for role in Role if role is not Role.OWNER}
"""What a table may call the roles of those who work here."""

KINDS: Mapping[str, OccupancyKind] = {
    "业主": OccupancyKind.OWNER,
    "租户": OccupancyKind.TENANT,
    "租客": OccupancyKind.TENANT,
    "家属": OccupancyKind.FAMILY,
} | {kind.value: kind for kind in OccupancyKind}
"""What a table may call the kinds of occupants."""

_BETWEEN = str.maketrans("、，；;/", ",,,,,")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something in a cell that can't be.

    Attributes:
        cell: as the spreadsheet calls it: "C12".
        value: what stands there.
        error: what is wrong with it and what to do.
    """

    cell: str
    value: str
    error: GatehouseError


@dataclass(slots=True)
class Check(Generic[News]):
    """What an import would do; it can be done when nothing is faulty.

    Attributes:
        rows: of the table; each is among the news, the known or the faulty.
        known: rows that tell nothing new.
        faulty: rows with at least one fault.
    """

    rows: int
    news: list[News] = field(default_factory=list)
    known: int = 0
    faulty: int = 0
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUnit:
    """A unit to make, with the building and the community around it where these are not there yet."""

    path: Path
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOccupancy:
    """Somebody to move in; `phone` is in E.164."""

    unit_id: int
    name: str
    phone: str | None
    kind: OccupancyKind
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """Somebody to add; `communities` are ids, None for all."""

    login: str
    name: str
    roles: frozenset[Role]
    phone: str | None
    communities: frozenset[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOccupants:
    """What is there before occupants are imported.

    Attributes:
        units: ids by path.
        there: until when somebody is in a unit, None while no end is known; by unit and phone or, without one, name.
    """

    units: Mapping[Path, int]
    there: Mapping[tuple[int, str], date | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStaff:
    """What is there before staff are imported.

    Attributes:
        logins: by login key, the name of those of this organisation; None for a login that another one's has.
        phones: numbers that somebody has, with their names.
        communities: ids by name.
    """

    logins: Mapping[str, str | None]
    phones: Mapping[str, str]
    communities: Mapping[str, int]


def check_estate(lines: Sequence[Line], known: frozenset[Path]) -> Check[NewUnit]:
    """Return what a table of units would make."""
    check = Check[NewUnit](rows=len(lines))
    seen: dict[Path, int] = {}
    for line in lines:
        with _reading(check, line) as row:
            cells = row.read(community=check_name, building=check_name, unit=check_name, address=check_address)
            path = (cells["community"], cells["building"], cells["unit"])
            row.once(seen, path, "unit")
            if path in known:
                row.is_known = True
            else:
                row.news = NewUnit(path=path, address=cells["address"])
    return check


def check_occupants(lines: Sequence[Line], known: KnownOccupants) -> Check[NewOccupancy]:
    """Return whom a table of occupants would move in where."""
    check = Check[NewOccupancy](rows=len(lines))
    seen: dict[tuple[int, str], int] = {}
    named: dict[str, str] = {}
    for line in lines:
        with _reading(check, line) as row:
            path = (line.texts["community"], line.texts["building"], line.texts["unit"])
            cells = row.read(unit=_finding(known.units, path), name=check_person, phone=_phone, kind=_kind, since=_day)
            new = NewOccupancy(
                unit_id=cells["unit"],
                name=cells["name"],
                phone=cells["phone"],
                kind=cells["kind"],
                since=cells["since"],
            )
            if new.phone and named.setdefault(new.phone, new.name) != new.name:
                row.blame("phone", Refused(_("The same number stands for %(name)s further up."), name=named[new.phone]))
            key = (new.unit_id, new.phone or new.name)
            row.once(seen, key, "name")
            if key in known.there and ((until := known.there[key]) is None or until > new.since):
                row.is_known = True
            else:
                row.news = new
    return check


def check_staff(lines: Sequence[Line], known: KnownStaff) -> Check[NewStaff]:
    """Return whom a table of staff would add."""
    check = Check[NewStaff](rows=len(lines))
    logins: dict[str, int] = {}
    phones: dict[str, int] = {}
    for line in lines:
        with _reading(check, line) as row:
            cells = row.read(
                login=check_login,
                name=check_person,
                roles=_roles,
                phone=_phone,
                communities=_choosing(known.communities),
            )
            new = NewStaff(**cells)
            key = login_key(new.login)
            row.once(logins, key, "login")
            if known.logins.get(key) == new.name:
                row.is_known = True
                continue
            if key in known.logins:
                row.blame("login", Refused(_("The login %(login)s is taken. Choose another."), login=new.login))
            if new.phone:
                row.once(phones, new.phone, "phone")
                if new.phone in known.phones:
                    sentence = _("This number is already that of %(name)s.")
                    row.blame("phone", Refused(sentence, name=known.phones[new.phone]))
            row.news = new
    return check


def counted(check: Check[NewUnit], known: frozenset[Path]) -> Counter[str]:
    """Return how many communities, buildings and units a table of units would make."""
    communities = {path[0] for path in known}
    buildings = {path[:2] for path in known}
    return Counter(
        communities=len({unit.path[0] for unit in check.news} - communities),
        buildings=len({unit.path[:2] for unit in check.news} - buildings),
        units=len(check.news),
    )


class _Reading(Generic[News]):
    """A row being read: what it would make, and what is wrong in it, cell by cell."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.faults: list[Fault] = []
        self.is_known = False
        self.news: News | None = None

    def read(self, **checks: Callable[[str], Any]) -> dict[str, Any]:
        """Return what each column means.

        Raises:
            _Unreadable: some mean nothing; every one of them is noted.
        """
        meant = {name: self._meant(name, check) for name, check in checks.items()}
        if self.faults:
            raise _Unreadable
        return meant

    def once(self, seen: dict[Key, int], key: Key, name: str) -> None:
        """Note a fault when a row further up told the same."""
        before = seen.setdefault(key, self._line.number)
        if before != self._line.number:
            self.blame(name, Refused(_("This is in row %(row)s already."), row=before))

    def blame(self, name: str, error: GatehouseError) -> None:
        """Note a fault in a column."""
        self.faults.append(Fault(cell=self._line.cell(name), value=self._line.texts.get(name, ""), error=error))

    def _meant(self, name: str, check: Callable[[str], Any]) -> Any:
        try:
            return check(self._line.texts.get(name, ""))
        except GatehouseError as error:
            self.blame(name, error)


class _Unreadable(Exception):
    """Cells of a row mean nothing, so that the rest of it can't be judged."""


@contextmanager
def _reading(check: Check[News], line: Line) -> Iterator[_Reading[News]]:
    """Yield a row to be read; afterwards the check counts it as faulty, known or news."""
    row = _Reading[News](line)
    with suppress(_Unreadable):
        yield row
    if row.faults:
        check.faulty += 1
        check.faults += row.faults
    elif row.is_known:
        check.known += 1
    elif row.news is not None:
        check.news.append(row.news)


def _finding(units: Mapping[Path, int], path: Path) -> Callable[[str], int]:
    def find(_text: str) -> int:
        if path not in units:
            sentence = _("There is no unit %(unit)s in %(building)s of %(community)s: import or add the unit first.")
            raise Refused(sentence, unit=path[2], building=path[1], community=path[0])
        return units[path]

    return find


def _choosing(known: Mapping[str, int]) -> Callable[[str], frozenset[int] | None]:
    def choose(text: str) -> frozenset[int] | None:
        names = _names(text)
        unknown = [name for name in names if name not in known]
        if unknown:
            sentence = _("There is no community %(name)s; leave the cell empty for all.")
            raise Refused(sentence, name=unknown[0])
        return frozenset(known[name] for name in names) if names else None

    return choose


def _phone(text: str) -> str | None:
    return check_phone(text) if text else None


def _kind(text: str) -> OccupancyKind:
    kind = KINDS.get(text.casefold())
    if kind is None:
        raise Refused(_("Write 业主 (owner), 租户 (tenant) or 家属 (family)."))
    return kind


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text.replace("/", "-").replace(".", "-"))
    except ValueError as error:
        raise Refused(_("Write a day like 2024-03-01.")) from error
    check_period(day, None)
    return day


def _roles(text: str) -> frozenset[Role]:
    names = [name.casefold() for name in _names(text)]
    unknown = [name for name in names if name not in ROLES]
    if unknown:
        sentence = _("There is no role %(role)s; there are: %(roles)s.")
        raise Refused(sentence, role=unknown[0], roles=", ".join(ROLES))
    return check_roles(frozenset(ROLES[name] for name in names))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.translate(_BETWEEN).split(",") if name.strip()]
