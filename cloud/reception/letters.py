"""A mail as the desk reads it: who wrote what in answer to which, what is attached, and whether a machine wrote it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from html.parser import HTMLParser

from cloud.core.errors import Malformed
from firmware_configs.look.words import _

MAXIMUM_BYTES = 25 * 1024 * 1024
TEXT_LENGTH = 20_000
MOST_FILES = 10
_LINE_LENGTH = 200
_ID_LENGTH = 250
_MACHINES = frozenset({"bulk", "junk", "list", "auto_reply"})
_IDS = re.compile(r"<[^<>\s]{1,240}>")
_UNSEEN = frozenset({"head", "script", "style", "title", "template"})
_BLOCKS = frozenset({"address", "blockquote", "br", "div", "h1", "h2", "h3", "h4", "li", "p", "table", "tr", "ul"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosed:
    """A file that came with a mail, as its sender called it; nothing of it has been looked at."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail, read.

    Attributes:
        message_id: with its angle brackets; made of the content where the sender gave none.
        answers: the messages that it answers, the nearest first.
        sender: the address in lower case.
        sent_at: None when the sender's date can't be read.
        is_automatic: a machine wrote it, so nobody waits for an answer and none is sent.
        left_out: files more than MOST_FILES.
    """

    message_id: str
    answers: tuple[str, ...]
    sender: str
    sender_name: str
    subject: str
    text: str
    sent_at: datetime | None
    is_automatic: bool
    files: tuple[Enclosed, ...]
    left_out: int


def read_letter(raw: bytes) -> Letter:
    """Return the mail that stands in RFC 5322's form.

    Raises:
        Malformed: it is too large, or has no sender that could be answered.
    """
    if len(raw) > MAXIMUM_BYTES:
        raise Malformed(_("A mail may have at most %(megabytes)d MB."), megabytes=MAXIMUM_BYTES // 1024**2)
    try:
        mail = message_from_bytes(raw, policy=policy.default)
        name, address = parseaddr(_header(mail, "From"))
    except (MessageError, ValueError, LookupError) as error:
        raise Malformed(_("This is no mail that can be read.")) from error
    if "@" not in address:
        raise Malformed(_("This mail has no sender."))
    files = _files(mail)
    return Letter(
        message_id=_own_id(mail, raw),
        answers=_answers(mail),
        sender=address.lower()[:_LINE_LENGTH],
        sender_name=_line(name),
        subject=_line(_header(mail, "Subject")),
        text=_text(mail),
        sent_at=_date(mail),
        is_automatic=_is_automatic(mail),
        files=tuple(files[:MOST_FILES]),
        left_out=max(len(files) - MOST_FILES, 0),
    )


def text_of_html(html: str) -> str:
    """Return the words that somebody would see on a page, and nothing that would run, load or lead anywhere."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.words).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _BLOCKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        elif tag in _BLOCKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data.replace("\n", " "))


def _header(mail: EmailMessage, name: str) -> str:
    """Return a header's text; one that the library can't take apart is as good as none."""
    try:
        return str(mail.get(name, ""))
    except (MessageError, ValueError, LookupError, IndexError, AttributeError):  # its parser raises all of them
        return ""


def _own_id(mail: EmailMessage, raw: bytes) -> str:
    found = _IDS.search(_header(mail, "Message-ID"))
    return found[0][:_ID_LENGTH] if found else f"<{hashlib.sha256(raw).hexdigest()}@nowhere>"


def _answers(mail: EmailMessage) -> tuple[str, ...]:
    """Return In-Reply-To before References, whose last is the nearest (RFC 5322, 3.6.4)."""
    nearest = _IDS.findall(_header(mail, "In-Reply-To"))
    older = reversed(_IDS.findall(_header(mail, "References")))
    return tuple(dict.fromkeys([*nearest, *older]))[:50]


def _is_automatic(mail: EmailMessage) -> bool:
    """Return whether a machine wrote it: RFC 3834's header, older customs, lists, Exchange, and bounces."""
    submitted = _header(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    return (
        submitted not in {"", "no"}
        or _header(mail, "Precedence").strip().lower() in _MACHINES
        or bool(_header(mail, "List-Id") or _header(mail, "X-Auto-Response-Suppress") or _header(mail, "X-Autoreply"))
        or _header(mail, "Return-Path").strip() == "<>"
        or mail.get_content_type() == "multipart/report"
    )


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        content = str(part.get_content())
    except (LookupError, ValueError, KeyError):  # a character set that does not exist, or no text at all
        payload = part.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    written = text_of_html(content) if part.get_content_type() == "text/html" else content
    return written.replace("\x00", "").replace("\r\n", "\n").strip()[:TEXT_LENGTH]


def _files(mail: EmailMessage) -> list[Enclosed]:
    """Return what is attached or drawn into the text; a forwarded mail is none, its text stands in the text."""
    body = mail.get_body(preferencelist=("plain", "html"))
    found = []
    for part in mail.walk():
        is_file = part.get_filename() or part.get_content_maintype() in {"image", "application"}
        if part is body or part.is_multipart() or not is_file:
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and content:
            found.append(Enclosed(name=_line(part.get_filename() or "")[:80], content=content))
    return found


def _date(mail: EmailMessage) -> datetime | None:
    try:
        moment = parsedate_to_datetime(_header(mail, "Date"))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:_LINE_LENGTH]
