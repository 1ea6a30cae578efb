"""The inbox of whoever is signed in: what they were told, the unread first."""

from dataclasses import dataclass

from starlette.responses import Response

from cloud.core.listing import Ask, Found
from cloud.notifications import inbox
from cloud.notifications.inbox import Message
from cloud.web import words
from cloud.web.lists import Column, Kind, ListView, Option
from cloud.web.live import changed
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Work
from firmware_configs.look.words import _

LIST = "/inbox"
TOPIC = "inbox"

router = pages_for()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """A message in the reader's language."""

    message: Message
    subject: str
    text: str

    @property
    def is_read(self) -> bool:
        """Return whether it was read."""
        return self.message.read_at is not None


MESSAGES = ListView[MessageLine](
    name="message_list",
    caption=_("Messages"),
    searchable=_("words of a message"),
    key=lambda line: line.message.id,
    columns=(
        Column(name="subject", label=_("Message"), value=lambda line: line.subject),
        Column(
            name="is_read",
            label=_("Read?"),
            value=lambda line: line.is_read,
            filtered=True,
            options=(
                Option(value="no", label=_("Unread"), meaning=False),
                Option(value="yes", label=_("Read"), meaning=True),
            ),
        ),
        Column(
            name="kind",
            label=_("About"),
            value=lambda line: line.message.kind,
            filtered=True,
            options=tuple(Option(value=kind, label=label) for kind, label in words.MESSAGE_KINDS.items()),
        ),
        Column(
            name="written_at",
            label=_("Came"),
            value=lambda line: line.message.written_at,
            kind=Kind.TIME,
            filtered=True,
        ),
    ),
    summary=lambda line: line.subject,
)


@router.get("/inbox")
async def messages(work: Work, page: OnPage) -> Response:
    """Draw the reader's messages."""

    async def load(ask: Ask) -> Found[MessageLine]:
        found = await inbox.list_messages(work.session, work.principal, ask)
        return found.of([_line(page, message) for message in found.rows])

    return await page.list("entrance/inbox.html", MESSAGES, load)


@router.get("/inbox/{message_id}")
async def message(work: Work, page: OnPage, message_id: int) -> Response:
    """Draw one message, which is read by that: in a transaction of its own, as the page itself only reads."""
    async with page.frame.database.transaction() as writing:
        found = await inbox.read(writing, work.clock, work.principal, message_id)
        if found.read_at is None:
            topics = (TOPIC,)
            changed(writing, page.frame.hub, organisation_id=work.principal.organisation_id, topics=topics)
    if found.read_at is None:
        page.request.state.unread = max(page.request.state.unread - 1, 0)
    return page.show("entrance/message.html", line=_line(page, found))


@router.post("/inbox/read-all")
async def read_all(work: Work, page: OnPage) -> Response:
    """Take all messages for read."""
    await inbox.read_all(work.session, work.clock, work.principal)
    work.changed(TOPIC)
    return page.done(LIST, _("All messages are marked as read."))


def _line(page: Page, message: Message) -> MessageLine:
    locale = page.reader.locale
    return MessageLine(
        message=message,
        subject=words.written(message.subject, locale),
        text=words.written(message.text, locale),
    )
