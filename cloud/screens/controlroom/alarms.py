"""The alarm list with its side panel, and what is done with alarms from there."""

from urllib.parse import urlencode

from starlette.responses import Response

from cloud.alarms import service as alarms
from cloud.alarms.domain import Notice
from cloud.core.errors import NotFound
from cloud.core.listing import Ask, Found
from cloud.core.principal import Role
from cloud.screens.controlroom.lines import AlarmLine, line, lines
from cloud.tickets.from_alarms import open_for_alarm
from cloud.web import words
from cloud.web.forms import FormModel
from cloud.web.lists import Column, Kind, ListView, Load, Option
from cloud.web.notices import Undo
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

router = pages_for(Role.OPERATOR)

PANEL = "panel"
"""The address's word for the alarm that stands beside the list."""

ALARMS = ListView[AlarmLine](
    name="alarm_list",
    caption=_("Alarms"),
    searchable=_("alarm or place"),
    key=lambda row: row.id,
    marked=lambda row: "is-unacknowledged-1" if row.pulses else "",
    summary=lambda row: f"{row.where} {row.name}",
    columns=(
        Column(name="what", label=_("Alarm"), value=lambda row: row.name),
        Column(
            name="priority",
            label=_("Priority"),
            value=lambda row: int(row.alarm.priority),
            filtered=True,
            options=tuple(Option(value=str(n), label=label, meaning=n) for n, label in words.PRIORITIES.items()),
        ),
        Column(name="place", label=_("Place"), value=lambda row: row.where, filtered=True),
        Column(
            name="value",
            label=_("Value"),
            value=lambda row: row.now or row.value or None,
            sortable=False,
        ),
        Column(name="limit", label=_("Limit"), value=lambda row: row.limit or None, sortable=False),
        Column(name="since", label=_("Since"), value=lambda row: row.alarm.raised_at, kind=Kind.TIME, filtered=True),
        Column(
            name="count", label=_("In 24 h"), value=lambda row: row.count, kind=Kind.NUMBER, sortable=False, phone=False
        ),
        Column(
            name="active",
            label=_("State"),
            value=lambda row: int(row.alarm.is_active),
            filtered=True,
            options=(
                Option(value="yes", label=_("Active"), meaning=1),
                Option(value="no", label=_("Cleared"), meaning=0),
            ),
        ),
        Column(
            name="acknowledged",
            label=_("Acknowledged"),
            value=lambda row: row.alarm.notice,
            filtered=True,
            options=(
                Option(value=Notice.TAKEN, label=_("Acknowledged")),
                Option(value=Notice.ASKED, label=_("Not acknowledged")),
                Option(value=Notice.NEVER_ASKED, label=_("Not asked for")),
            ),
        ),
        Column(
            name="ticket",
            label=_("Ticket"),
            value=lambda row: row.ticket.number if row.ticket else None,
            sortable=False,
        ),
    ),
)


class AcknowledgeForm(FormModel):
    """An acknowledgement, with what is known by then."""

    note: str = ""


class TakeBackForm(FormModel):
    """Which acknowledgements are taken back: alarm ids with commas between."""

    alarms: str


@router.get("/alarms")
async def current(work: Work, page: OnPage) -> Response:
    """Draw what is active or asks for an acknowledgement."""
    return await _list(work, page, only_current=True)


@router.get("/alarms/history")
async def history(work: Work, page: OnPage) -> Response:
    """Draw all alarms there ever were."""
    return await _list(work, page, only_current=False)


@router.post("/alarms/acknowledge")
async def acknowledge_chosen(work: Work, page: OnPage) -> Response:
    """Acknowledge the chosen alarms, or all that match."""
    chosen = await page.chosen(ALARMS, _loading(work, page, only_current=True))
    return await _acknowledge(work, page, [_alarm_id(key) for key in chosen], note="")


@router.post("/alarms/unacknowledge")
async def unacknowledge(work: Work, page: OnPage) -> Response:
    """Take acknowledgements back."""
    form = await page.form(TakeBackForm)
    ids = [_alarm_id(key) for key in form.value.alarms.split(",")]
    await alarms.unacknowledge(work.session, work.clock, work.principal, alarm_ids=ids)
    work.changed("alarms")
    return page.done(page.back("/alarms"), _("The acknowledgement is taken back."))


@router.post("/alarms/{alarm_id}/acknowledge")
async def acknowledge(work: Work, page: OnPage, alarm_id: int) -> Response:
    """Acknowledge one alarm."""
    form = await page.form(AcknowledgeForm)
    return await _acknowledge(work, page, [alarm_id], note=form.value.note)


@router.post("/alarms/{alarm_id}/ticket")
async def ticket(work: Work, page: OnPage, alarm_id: int) -> Response:
    """Go to the alarm's ticket, which is opened if it has none."""
    ticket_id = await open_for_alarm(work.session, work.clock, work.principal, alarm_id=alarm_id)
    work.changed("alarms", "tickets")
    return page.go(f"/tickets/{ticket_id}")


async def _list(work: Unit, page: Page, *, only_current: bool) -> Response:
    panel = page.request.query_params.get(PANEL, "")
    chosen = await line(work, page, alarm_id=_alarm_id(panel)) if panel else None
    return await page.list(
        "controlroom/alarms.html",
        ALARMS,
        _loading(work, page, only_current=only_current),
        burden=await alarms.load(work.session, work.clock, work.principal),
        chosen=chosen,
        only_current=only_current,
        beside=_address(page, panel=True),
        closed=_address(page, panel=False),
    )


async def _acknowledge(work: Unit, page: Page, alarm_ids: list[int], *, note: str) -> Response:
    done = await alarms.acknowledge(work.session, work.clock, work.principal, alarm_ids=alarm_ids, note=note)
    work.changed("alarms")
    said = _("The alarm is acknowledged.") if len(done) == 1 else _("%(count)d alarms are acknowledged.")
    undo = Undo(path="/alarms/unacknowledge", fields={"alarms": ",".join(map(str, done))}) if done else None
    return page.done(page.back("/alarms"), said, undo=undo, parameters={"count": len(done)})


def _loading(work: Unit, page: Page, *, only_current: bool) -> Load[AlarmLine]:
    async def load(ask: Ask) -> Found[AlarmLine]:
        found = await alarms.list_alarms(work.session, work.principal, ask, only_current=only_current)
        return found.of(await lines(work, page, found.rows))

    return load


def _address(page: Page, *, panel: bool) -> str:
    """Return the list's address without the panel, or with it open for an id that is put behind."""
    kept = [(key, value) for key, value in page.request.query_params.multi_items() if key != PANEL and value]
    query = urlencode([*kept, (PANEL, "")] if panel else kept)
    return f"{page.request.url.path}?{query}" if query else page.request.url.path


def _alarm_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise NotFound(_("There is no such alarm."))
    return int(text)
