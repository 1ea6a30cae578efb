"""Mails as they come over the line, for tests."""

import io
from email.message import EmailMessage
from email.policy import SMTP

from PIL import Image


def written(
    *, sender: str = "陈十二 <chen@example.com>", subject: str = "漏水", text: str = "厨房水管漏水，见照片。",
    message_id: str = "<1@example.com>", answers: str = "", photo: bytes | None = None, **headers: str,
) -> bytes:  # fmt: skip
    """Return a mail to the desk; `headers` are others by their names with underscores."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, "desk@yunshan.example", subject
    mail["Date"] = "Mon, 02 Mar 2026 15:59:00 +0800"
    if message_id:
        mail["Message-ID"] = message_id
    if answers:
        mail["In-Reply-To"] = answers
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if photo is not None:
        mail.add_attachment(photo, maintype="image", subtype="jpeg", filename="水管.jpg")
    return mail.as_bytes()


def photo() -> bytes:
    """Return a small JPEG."""
    kept = io.BytesIO()
    Image.new("RGB", (320, 240), "steelblue").save(kept, "JPEG")
    return kept.getvalue()
