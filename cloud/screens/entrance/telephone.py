"""Owners' way in: a telephone number, the code sent to it, and for the first time a unit's letter."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from cloud.accounts import codes
from cloud.accounts.codes import CODE_GOOD, Proven
from cloud.accounts.domain import OWNER_ABSOLUTE, Denied
from cloud.accounts.phones import shown
from cloud.core.words import Words
from cloud.notifications import service as notifications
from cloud.properties import unit_codes
from cloud.screens.entrance.signing import first_path
from cloud.web.catalogues import Locale, catalogue
from cloud.web.forms import Form, FormModel
from cloud.web.ids import Id
from cloud.web.pages import OnPage, Page
from cloud.web.routing import public_pages
from cloud.web.session import Session, client_address, is_secure, local_path, remember
from firmware_configs.look.words import _

PHONE_PATH = "/sign-in/phone"
CODE_PATH = "/sign-in/code"
WHO_PATH = "/sign-in/who"
JOIN_PATH = "/join"
_CODE_COOKIE = "gatehouse_code"

router = public_pages()


class PhoneForm(FormModel):
    """Whose number it is, and where they wanted to go."""

    phone: Annotated[str, Field(min_length=1, max_length=40)]
    next: str = "/"


class CodeForm(FormModel):
    """The six digits, and the letter's code of who comes for the first time."""

    code: Annotated[str, Field(min_length=1, max_length=12)]
    join: Annotated[str, Field(max_length=20)] | None = None
    next: str = "/"


class WhoForm(FormModel):
    """As whom to go on."""

    person_id: Id
    next: str = "/"


class LetterForm(FormModel):
    """The code that a letter holds."""

    letter: Annotated[str, Field(min_length=1, max_length=20)]


@router.get(PHONE_PATH)
async def ask_phone(page: OnPage) -> Response:
    """Draw the page that asks for the number."""
    form = Form.blank(PhoneForm, next=local_path(page.request.query_params.get("next")))
    return page.show("entrance/phone.html", form=form)


@router.post(PHONE_PATH)
async def send(page: OnPage, session: Session) -> Response:
    """Have a code sent, and say the same whether anybody has the number or not."""
    form = await page.form(PhoneForm)

    async def again() -> Response:
        return page.show("entrance/phone.html", form=form)

    async with page.mending(form, again):
        outcome = await codes.ask(
            session, page.frame.clock, phone=form.value.phone, address=client_address(page.request)
        )
        if isinstance(outcome, Denied):
            form.blame(outcome.reason)
            return page.show("entrance/phone.html", status=429, form=form)
        return await _sent(page, session, outcome, f"{CODE_PATH}?next={local_path(form.value.next)}")


@router.get(CODE_PATH)
async def ask_code(page: OnPage) -> Response:
    """Draw the page that asks for the code."""
    query = page.request.query_params
    form = Form.blank(CodeForm, join=query.get("join"), next=local_path(query.get("next")))
    return _draw_code(page, form)


@router.post(CODE_PATH)
async def enter(page: OnPage, session: Session) -> Response:
    """Take the code: whoever it proves is in, or says who they are."""
    form = await page.form(CodeForm)

    async def again() -> Response:
        return _draw_code(page, form)

    async with page.mending(form, again):
        token, clock = page.request.cookies.get(_CODE_COOKIE, ""), page.frame.clock
        phone = await codes.prove(session, clock, token=token, code=form.value.code)
        if isinstance(phone, Denied):
            # Drawn, not raised: a try that is undone with its transaction would never count.
            form.blame(phone.reason)
            return _draw_code(page, form, status=422)
        if form.value.join:
            person_id = await unit_codes.redeem(session, clock, code=form.value.join, phone=phone)
            return await _begin(page, session, person_id=person_id, wanted="/")
        proven = await codes.proven(session, clock, token=token)
        if isinstance(proven, Proven) and len(proven.people) == 1:
            return await _begin(page, session, person_id=proven.people[0].person_id, wanted=form.value.next)
        return page.go(f"{WHO_PATH}?next={local_path(form.value.next)}")


@router.get(WHO_PATH)
async def ask_who(page: OnPage, session: Session) -> Response:
    """Draw the organisations that know the number, for one of them to be chosen."""
    form = Form.blank(WhoForm, next=local_path(page.request.query_params.get("next")))
    return await _draw_who(page, session, form)


@router.post(WHO_PATH)
async def choose(page: OnPage, session: Session) -> Response:
    """Go on with one of the organisations."""
    form = await page.form(WhoForm)
    async with page.mending(form, lambda: _draw_who(page, session, form)):
        return await _begin(page, session, person_id=form.value.person_id, wanted=form.value.next)


@router.get(JOIN_PATH)
async def ask_letter(page: OnPage) -> Response:
    """Draw the field for a letter's code, for whoever can't scan it; a code in the address leads on."""
    code = page.request.query_params.get("letter")
    if code:
        return page.go(f"{JOIN_PATH}/{unit_codes.read(code)}")
    return page.show("entrance/letter.html", form=Form.blank(LetterForm))


@router.get(f"{JOIN_PATH}/{{unit_code}}")
async def ask_joining(page: OnPage, session: Session, unit_code: str) -> Response:
    """Draw what a letter invites to, and ask for the number."""
    return await _draw_joining(page, session, unit_code, Form.blank(PhoneForm))


@router.post(f"{JOIN_PATH}/{{unit_code}}")
async def join(page: OnPage, session: Session, unit_code: str) -> Response:
    """Have a code sent to whoever holds the letter, known or not."""
    form = await page.form(PhoneForm)
    async with page.mending(form, lambda: _draw_joining(page, session, unit_code, form)):
        invitation = await unit_codes.look_up(session, page.frame.clock, code=unit_code)
        outcome = await codes.ask(
            session,
            page.frame.clock,
            phone=form.value.phone,
            address=client_address(page.request),
            organisation_id=invitation.organisation_id,
        )
        if isinstance(outcome, Denied):
            form.blame(outcome.reason)
            return await _draw_joining(page, session, unit_code, form, status=429)
        return await _sent(page, session, outcome, f"{CODE_PATH}?join={unit_codes.read(unit_code)}")


async def _sent(page: Page, session: Session, asked: codes.Asked, path: str) -> Response:
    """Hand the code to whoever sends messages, and lead on to where it is typed."""
    if asked.organisation_id is not None:
        await notifications.send_code(
            session,
            page.frame.clock,
            organisation_id=asked.organisation_id,
            phone=asked.phone,
            text=_message(asked.code),
            key=asked.token[:16],
        )
    response = page.go(path)
    response.set_cookie(
        _CODE_COOKIE, asked.token, max_age=int(CODE_GOOD.total_seconds()), path="/", httponly=True, samesite="lax",
        secure=is_secure(page.request),
    )  # fmt: skip
    return response


def _message(code: str) -> Words:
    """Return what is sent, in both languages: which one whoever comes reads, nobody knows yet."""
    minutes = int(CODE_GOOD.total_seconds()) // 60
    zh, en = (
        catalogue(locale).say(
            _("Your code is %(code)s, good for %(minutes)s minutes. Tell it to nobody."), code=code, minutes=minutes
        )
        for locale in (Locale.ZH_HANS, Locale.EN)
    )
    return Words(zh=zh, en=en)


async def _begin(page: Page, session: Session, *, person_id: int, wanted: str) -> Response:
    outcome = await codes.enter(
        session,
        page.frame.clock,
        token=page.request.cookies.get(_CODE_COOKIE, ""),
        person_id=person_id,
        address=client_address(page.request),
        agent=page.request.headers.get("user-agent", ""),
    )
    if isinstance(outcome, Denied):
        raise outcome.reason
    response = page.go(first_path(page, outcome, wanted=local_path(wanted)))
    remember(response, page.request, outcome.token, lasting=OWNER_ABSOLUTE)
    response.delete_cookie(_CODE_COOKIE, path="/", httponly=True, samesite="lax")
    return response


def _draw_code(page: Page, form: Form[CodeForm], *, status: int = 200) -> Response:
    return page.show("entrance/code.html", status=status, form=form, minutes=int(CODE_GOOD.total_seconds()) // 60)


async def _draw_who(page: Page, session: Session, form: Form[WhoForm]) -> Response:
    token = page.request.cookies.get(_CODE_COOKIE, "")
    proven = await codes.proven(session, page.frame.clock, token=token)
    if isinstance(proven, Denied):
        return page.go(PHONE_PATH)
    return page.show("entrance/who.html", form=form, phone=shown(proven.phone), people=proven.people)


async def _draw_joining(
    page: Page, session: Session, unit_code: str, form: Form[PhoneForm], *, status: int = 200
) -> Response:
    invitation = await unit_codes.look_up(session, page.frame.clock, code=unit_code)
    return page.show("entrance/join.html", status=status, form=form, invitation=invitation, unit_code=unit_code)
