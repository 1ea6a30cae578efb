"""Who hears what, and what comes round by itself: the one table of both."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts import codes
from cloud.accounts import service as accounts
from cloud.accounts.domain import PersonLeft
from cloud.alarms import announcing, evaluation, system
from cloud.alarms.domain import AlarmAnnounced, AlarmReturned
from cloud.calendars import leaves
from cloud.calendars.leaves import LeaveBegun
from cloud.core import once, outbox
from cloud.core.clock import Clock
from cloud.core.database import Database
from cloud.core.jobs import Job, Work, in_one_transaction
from cloud.core.wiring import E, Handler, Wiring, hears
from cloud.feedback import service as feedback
from cloud.feedback.domain import OpinionDue
from cloud.fleet.domain import BoxCloned, ReadingsTaken, RowsConflicted, RowsLost
from cloud.fleet.series import SeriesStore
from cloud.notifications import reports, sending
from cloud.notifications import service as notifications
from cloud.notifications.channels import NO_GATEWAYS, Gateways
from cloud.notifications.domain import Channel, MessagesWritten
from cloud.reception import callbacks, correspondence
from cloud.repairs import plans, preventive, progress, results, surveys
from cloud.tickets import (
    attachments,
    dispatching,
    escalation,
    from_alarms,
    handing_back,
    incident_clock,
    notices,
    timers,
)
from cloud.tickets.dispatch_events import TicketDispatched
from cloud.tickets.dispatch_notices import tell_dispatched
from cloud.tickets.domain import TargetBreached, TargetWarned, TicketMoved, TicketOpened, TicketReclassified
from cloud.web.live import Hub, changed

ALARMS = "alarms"
TICKETS = "tickets"
INBOX = "inbox"
RECEPTION = "reception"
INCIDENTS = "incidents"
"""Topics of live pages."""

_JUDGE_DUE_S = 1.0  # a delay or a silence is judged to the second; looking costs one read of an index
_ANNOUNCE_S = 30.0
_BOXES_S = 30.0
_LEAVES_S = 30.0
_SEND_S = 1.0  # somebody waits for a sign-in code; looking costs two reads of an index
_REPORTS_S = 5.0
_LAPSE_S = 30.0
_INCIDENTS_S = 30.0
_MAINTENANCE_S = 60.0
_TIDY_S = 3_600.0

Rounds = Callable[[AsyncSession, Clock], Awaitable[set[int]]]
"""A use case that does some of what is due, and returns the organisations for which there was something."""


FILES = (attachments.may_see, correspondence.may_see, surveys.may_see_photo)
"""Who says whose a stored file is."""


def wire(series: SeriesStore, hub: Hub, *, channels: Collection[Channel] = ()) -> Wiring:
    """Return who hears which event; messages go out by the `channels` that are set up.

    Events about one box share the handler "alarms", those about one alarm "tickets", and those about one ticket
    "dispatch" and "ladder", so that each is in order.
    """

    async def judge(session: AsyncSession, clock: Clock, event: ReadingsTaken) -> None:
        if await evaluation.judge_readings(session, clock, event, series=series):
            changed(session, hub, organisation_id=event.organisation_id, topics=(ALARMS,))

    prepare = partial(notifications.prepare, channels=channels)
    return Wiring(
        hears(ReadingsTaken, {"alarms": judge}),
        hears(BoxCloned, {"alarms": _telling(hub, system.note_clone, ALARMS)}),
        hears(RowsConflicted, {"alarms": _telling(hub, system.note_conflict, ALARMS)}),
        hears(RowsLost, {"alarms": _telling(hub, system.note_loss, ALARMS)}),
        hears(AlarmAnnounced, {"tickets": _telling(hub, from_alarms.open_for_announced, ALARMS, TICKETS)}),
        hears(MessagesWritten, {"notifications": _telling(hub, prepare, INBOX)}),
        hears(AlarmReturned, {"tickets": _telling(hub, from_alarms.tell_of_return, TICKETS)}),
        hears(TicketOpened, {"dispatch": _telling(hub, dispatching.begin_search, TICKETS)}),
        hears(
            TicketMoved,
            {
                "dispatch": _telling(hub, dispatching.follow_ticket, TICKETS),
                "notices": notices.tell_assigned,
                "feedback": feedback.ask_later,
                "results": results.report_settled,
                "progress": progress.tell_progress,
                "early_starts": notices.tell_begun_early,
            },
        ),
        hears(PersonLeft, {"dispatch": _telling(hub, handing_back.hand_back_for_good, TICKETS)}),
        hears(LeaveBegun, {"dispatch": _telling(hub, handing_back.hand_back_for_leave, TICKETS)}),
        hears(
            TicketReclassified,
            {"dispatch": _telling(hub, dispatching.follow_type, TICKETS), "notices": notices.tell_taken_away},
        ),
        hears(OpinionDue, {"feedback": feedback.ask_when_done}),
        hears(TicketDispatched, {"dispatch_notices": tell_dispatched}),
        hears(TargetWarned, {"ladder": _telling(hub, escalation.climb_warned, TICKETS)}),
        hears(TargetBreached, {"ladder": _telling(hub, escalation.climb_breached, TICKETS)}),
    )


def jobs(series: SeriesStore, hub: Hub, *, gateways: Gateways = NO_GATEWAYS, base_url: str = "") -> Sequence[Job]:
    """Return what comes round by itself; messages go out by the `gateways`, with links to `base_url`."""
    send = partial(sending.send_due, gateways=gateways, base_url=base_url)
    judge_due = partial(evaluation.judge_due, series=series)
    return (
        Job(name="alarms.judge_due", period_s=_JUDGE_DUE_S, run=_in_rounds(hub, judge_due, ALARMS)),
        Job(
            name="alarms.announce_forgotten",
            period_s=_ANNOUNCE_S,
            run=_in_rounds(hub, announcing.announce_forgotten, ALARMS),
        ),
        Job(name="alarms.watch_boxes", period_s=_BOXES_S, run=_in_rounds(hub, system.watch_boxes, ALARMS)),
        Job(name="calendars.begin_leaves", period_s=_LEAVES_S, run=_in_rounds(hub, leaves.begin_leaves, TICKETS)),
        Job(name="tickets.judge_due", period_s=_JUDGE_DUE_S, run=_in_rounds(hub, timers.judge_due, TICKETS)),
        Job(
            name="tickets.judge_incidents",
            period_s=_INCIDENTS_S,
            run=_in_rounds(hub, incident_clock.judge_due, INCIDENTS),
        ),
        Job(name="tickets.dispatch_due", period_s=_JUDGE_DUE_S, run=_in_rounds(hub, dispatching.dispatch_due, TICKETS)),
        Job(name="tickets.climb_due", period_s=_ANNOUNCE_S, run=_in_rounds(hub, escalation.climb_due, TICKETS)),
        Job(name="notifications.send_mail", period_s=_SEND_S, run=partial(send, channel=Channel.MAIL)),
        Job(name="notifications.send_sms", period_s=_SEND_S, run=partial(send, channel=Channel.SMS)),
        Job(name="notifications.ask_reports", period_s=_REPORTS_S, run=partial(reports.ask_due, gateways=gateways)),
        Job(name="notifications.forget_old", period_s=_TIDY_S, run=notifications.forget_old),
        Job(name="accounts.forget_codes", period_s=_TIDY_S, run=in_one_transaction(codes.forget_codes)),
        Job(name="repairs.lapse", period_s=_LAPSE_S, run=_in_rounds(hub, plans.lapse, TICKETS)),
        Job(name="repairs.make_due", period_s=_MAINTENANCE_S, run=_in_rounds(hub, preventive.make_due, TICKETS)),
        Job(name="once.forget_old", period_s=_TIDY_S, run=in_one_transaction(once.forget_old)),
        Job(name="accounts.forget_old", period_s=_TIDY_S, run=in_one_transaction(accounts.forget_old)),
        Job(name="reception.tell_due", period_s=_REPORTS_S, run=_in_rounds(hub, callbacks.tell_due, RECEPTION)),
        Job(name="outbox.prune", period_s=_TIDY_S, run=outbox.prune),
    )


def _telling(hub: Hub, handler: Handler[E], *topics: str) -> Handler[E]:
    """Return the handler, after which open pages look at the topics again."""

    async def told(session: AsyncSession, clock: Clock, event: E) -> None:
        await handler(session, clock, event)
        changed(session, hub, organisation_id=event.organisation_id, topics=topics)

    return told


def _in_rounds(hub: Hub, use_case: Rounds, *topics: str) -> Work:
    """Return a job that does what is due in transactions of a bearable size until nothing is left."""

    async def run(database: Database, clock: Clock) -> None:
        is_done = False
        while not is_done:
            async with database.transaction() as session:
                organisations = await use_case(session, clock)
                for organisation_id in organisations:
                    changed(session, hub, organisation_id=organisation_id, topics=topics)
            is_done = not organisations

    return run
