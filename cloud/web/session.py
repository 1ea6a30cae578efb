"""Who is signed in: the session cookie, the visit behind it, and the guard of pages that only some may open."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from cloud.accounts import askers, organisations
from cloud.accounts import service as accounts
from cloud.accounts.askers import Asker
from cloud.accounts.domain import Visit as SignedInVisit
from cloud.core.clock import Clock
from cloud.core.errors import Forbidden, NotSignedIn
from cloud.core.principal import Principal, Role
from cloud.notifications import inbox
from cloud.properties import occupancies
from cloud.web.frame import frame_of
from cloud.web.live import changed
from firmware_configs.look.words import _

SESSION_COOKIE = "gatehouse_session"
ASKER = "gatehouse.asker"
"""In a request's scope, where no browser can put it: whose page this program asks for itself; see replay."""

SIGN_IN_PATH = "/sign-in"
PASSWORD_PATH = "/me/password"  # noqa: S105  an address
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class PasswordDue(Forbidden):
    """Somebody came with a one-time password: until it is changed no page of their work opens."""

    code = "password_due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One request's unit of work: read for a safe method, else committed before the answer leaves."""

    session: AsyncSession
    clock: Clock
    principal: Principal
    request: Request

    def changed(self, *topics: str) -> None:
        """Tell every open page of the organisation, once this work is committed, that `topics` have news."""
        changed(self.session, frame_of(self.request).hub, organisation_id=self.principal.organisation_id, topics=topics)


def is_safe(request: Request) -> bool:
    """Return whether the request's method promises to change nothing."""
    return request.method in _SAFE_METHODS


async def session(request: Request) -> AsyncIterator[AsyncSession]:
    """Yield the request's database session."""
    database = frame_of(request).database
    async with database.reading() if is_safe(request) else database.transaction() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session, scope="function")]


async def visit(request: Request, session: Session) -> SignedInVisit:
    """Return the visit that the cookie stands for, and note that it goes on.

    Raises:
        NotSignedIn: there is no cookie, or its session has ended.
    """
    frame = frame_of(request)
    request.state.session = session
    found = await _found(request, session)
    organisation = await organisations.find_organisation(session, found.principal)
    zone = ZoneInfo(organisation.time_zone)
    today = frame.clock.now().astimezone(zone).date()
    found = replace(found, principal=await occupancies.at_home(session, found.principal, on=today, zone=zone))
    request.state.visit = found
    request.state.zone = zone
    request.state.unread = await inbox.count_unread(session, found.principal)
    if found.is_due and is_safe(request):
        async with frame.database.transaction() as writing:
            await accounts.note_visit(writing, frame.clock, found)
    elif found.is_due:
        await accounts.note_visit(session, frame.clock, found)
    return found


async def _found(request: Request, session: AsyncSession) -> SignedInVisit:
    clock = frame_of(request).clock
    asker: Asker | None = request.scope.get(ASKER)
    if asker is not None:
        principal = await askers.principal_now(session, asker)
        never = {"must_change_password": False, "is_due": False}
        return SignedInVisit(principal=principal, session_id=0, expires_at=clock.now(), **never)
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        raise NotSignedIn(_("Sign in to go on."))
    return await accounts.resume(session, clock, token=token)


async def who_is_signed_in(request: Request) -> Principal:
    """Return who sends a request, before its unit of work begins; the guard of its page comes after.

    Raises:
        NotSignedIn: there is no cookie, or its session has ended.
    """
    async with frame_of(request).database.reading() as opened:
        return (await _found(request, opened)).principal


Visit = Annotated[SignedInVisit, Depends(visit, scope="function")]


async def unit(request: Request, session: Session, visit: Visit) -> Unit:
    """Return the signed-in person's unit of work."""
    return Unit(session=session, clock=frame_of(request).clock, principal=visit.principal, request=request)


Work = Annotated[Unit, Depends(unit, scope="function")]


def require(*roles: Role) -> Callable[[Visit], Awaitable[None]]:
    """Return the dependency that lets only `roles` in; with none, everybody who is signed in."""

    async def guard(visit: Visit) -> None:
        if roles and visit.must_change_password:
            raise PasswordDue(_("Choose a password of your own first."))
        if roles:
            visit.principal.require(*roles)

    return guard


def is_secure(request: Request) -> bool:
    """Return whether the browser came by HTTPS, so that a cookie may be kept to it."""
    return request.url.scheme == "https"


def client_address(request: Request) -> str:
    """Return the address that the request came from; behind a proxy uvicorn takes it from the proxy's header."""
    return request.client.host if request.client else ""


def remember(response: Response, request: Request, token: str, *, lasting: timedelta | None = None) -> None:
    """Put the session's token into the browser, until it is closed or for as long as `lasting`.

    When the session ends is the server's to decide.
    """
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(lasting.total_seconds()) if lasting else None,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )


def forget(response: Response) -> None:
    """Take the session's token out of the browser, and what the browser kept of the pages."""
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
    response.headers["Clear-Site-Data"] = '"cache"'


def local_path(target: str | None, *, default: str = "/") -> str:
    """Return `target` when it is a path on this site, else `default`: nobody is sent elsewhere by a link to us."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return default
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc and target.isprintable() else default


def sign_in_path(request: Request) -> str:
    """Return the way to the sign-in page and, for a page that can be opened again, back from it."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return SIGN_IN_PATH if asked == "/" or not is_safe(request) else f"{SIGN_IN_PATH}?next={quote(asked)}"
