from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.core.errors import Malformed
from cloud.reception.letters import Enclosed, Letter, read_letter, text_of_html
from tests.cloud.reception.mails import photo, written


def test_a_mail_with_a_photo_is_read_whole() -> None:
    picture = photo()
    assert read_letter(written(photo=picture, answers="<0@example.com>", References="<a@b> <0@example.com>")) == Letter(
        message_id="<1@example.com>",
        answers=("<0@example.com>", "<a@b>"),
        sender="chen@example.com",
        sender_name="陈十二",
        subject="漏水",
        text="厨房水管漏水，见照片。",
        sent_at=datetime(2026, 3, 2, 7, 59, tzinfo=UTC),
        is_automatic=False,
        files=(Enclosed(name="水管.jpg", content=picture),),
        left_out=0,
    )


@pytest.mark.parametrize(
    ("headers", "is_automatic"),
    [
        ({}, False),
        ({"Auto_Submitted": "no"}, False),
        ({"Auto_Submitted": "auto-replied; x=1"}, True),
        ({"Auto_Submitted": "auto-generated"}, True),
        ({"Precedence": "bulk"}, True),
        ({"Precedence": "first-class"}, False),
        ({"List_Id": "<news.example.com>"}, True),
        ({"X_Auto_Response_Suppress": "All"}, True),
        ({"Return_Path": "<>"}, True),
    ],
)
def test_what_a_machine_wrote_is_known(headers: dict[str, str], is_automatic: bool) -> None:
    assert read_letter(written(**headers)).is_automatic is is_automatic


def test_html_is_read_as_words_and_nothing_in_it_runs_or_leads_anywhere() -> None:
    html = "<head><title>t</title></head><p>Tap &amp; sink<br>leak</p><script>alert(1)</script><a href='x'>here</a>"
    assert text_of_html(html) == "Tap & sink\nleak\nhere"


def test_a_mail_without_an_id_is_known_by_its_content() -> None:
    one, same = read_letter(written(message_id="")), read_letter(written(message_id=""))
    other = read_letter(written(message_id="", text="other"))
    assert one.message_id == same.message_id != other.message_id


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\nhello", b"From: nobody\r\n\r\nhello"])
def test_what_has_no_sender_is_no_mail(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read_letter(raw)


@given(head=st.binary(max_size=200), body=st.binary(max_size=400))
def test_whatever_comes_over_the_line_is_read_or_refused(head: bytes, body: bytes) -> None:
    raw = b"From: a@b.c\r\nSubject: " + head + b"\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" + body
    try:
        letter = read_letter(raw)
    except Malformed:
        return
    assert "\x00" not in letter.text + letter.subject + letter.sender_name
    assert "\n" not in letter.subject
