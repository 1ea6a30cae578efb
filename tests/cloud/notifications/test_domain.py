from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.core.errors import Refused
from cloud.notifications.domain import (
    LONGEST_DELAY,
    MAXIMUM_ATTEMPTS,
    NIGHT,
    OFFERS,
    Channel,
    Kind,
    Preferences,
    QuietHours,
    check_mail,
    delay_after,
    masked,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def _at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("quiet", "at", "goes"),
    [
        pytest.param(NIGHT, "2026-03-02 21:59", "2026-03-02 21:59", id="before the night"),
        pytest.param(NIGHT, "2026-03-02 22:00", "2026-03-03 08:00", id="as the night begins"),
        pytest.param(NIGHT, "2026-03-03 03:00", "2026-03-03 08:00", id="after midnight"),
        pytest.param(NIGHT, "2026-03-03 08:00", "2026-03-03 08:00", id="as the night ends"),
        pytest.param(QuietHours(time(12), time(14)), "2026-03-02 13:00", "2026-03-02 14:00", id="at noon"),
        pytest.param(QuietHours(time(9), time(9)), "2026-03-02 09:00", "2026-03-02 09:00", id="of no length"),
    ],
)
def test_quiet_hours_put_off_to_their_end(quiet: QuietHours, at: str, goes: str) -> None:
    assert quiet.put_off(_at(at), SHANGHAI) == _at(goes)


def test_a_night_in_which_the_clocks_are_set_ends_at_its_hour_all_the_same() -> None:
    assert NIGHT.put_off(_at("2026-03-28 23:00", BERLIN), BERLIN) == _at("2026-03-29 08:00", BERLIN)


@given(
    at=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)),  # noqa: DTZ001  made aware below
    begins=st.times(),
    ends=st.times(),
)
def test_what_is_put_off_goes_within_a_day_and_never_in_quiet_hours(at: datetime, begins: time, ends: time) -> None:
    quiet, now = QuietHours(begins, ends), at.replace(tzinfo=UTC)
    goes = quiet.put_off(now, SHANGHAI)
    assert now <= goes <= now + timedelta(days=1)
    assert quiet.put_off(goes, SHANGHAI) == goes


def test_what_somebody_chose_counts_and_the_rest_goes_as_by_default() -> None:
    chosen = Preferences(chosen={Kind.TICKET_ASSIGNED: frozenset({Channel.SMS})})
    assert chosen.channels(Kind.TICKET_ASSIGNED) == {Channel.SMS}
    assert chosen.channels(Kind.INCIDENT) == {Channel.MAIL, Channel.SMS}


def test_nobody_is_sent_a_notice_by_sms_even_if_they_chose_it() -> None:
    assert Preferences(chosen={Kind.NOTICE: frozenset(Channel)}).channels(Kind.NOTICE) == {Channel.MAIL}


def test_every_kind_has_an_offer_whose_default_is_allowed() -> None:
    assert set(OFFERS) == set(Kind)
    assert [kind for kind, offer in OFFERS.items() if not offer.default <= offer.allowed] == []


def test_tries_come_ever_more_rarely_and_end_after_some_hours() -> None:
    delays = [delay_after(attempts) for attempts in range(1, MAXIMUM_ATTEMPTS)]
    assert delays[:3] == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]
    assert delays[-1] == LONGEST_DELAY
    assert timedelta(hours=3) < sum(delays, timedelta()) < timedelta(hours=6)


@pytest.mark.parametrize("address", ["zhang.san@example.com", "a+b@sub.example.cn"])
def test_a_mail_address_is_taken_without_the_spaces_around_it(address: str) -> None:
    assert check_mail(f"  {address} ") == address


@pytest.mark.parametrize(
    "address",
    ["", "zhang", "@example.com", "a@b", "a@b@example.com", "a b@example.com", "a@example.com\nBcc: b", "张@x.cn"],
)
def test_what_no_mail_can_go_to_is_refused_at_its_field(address: str) -> None:
    with pytest.raises(Refused) as refused:
        check_mail(address)
    assert refused.value.field == "mail"


@pytest.mark.parametrize(
    ("address", "shown"), [("zhang.san@example.com", "z***@example.com"), ("+8613800000001", "138****0001")]
)
def test_an_address_is_shown_so_that_only_its_owner_knows_it(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_what_is_urgent_goes_by_every_channel_unless_somebody_chose_otherwise() -> None:
    assert Preferences().channels(Kind.TICKET_ASSIGNED) == {Channel.MAIL}
    assert Preferences().channels(Kind.TICKET_ASSIGNED, is_urgent=True) == {Channel.MAIL, Channel.SMS}
    chosen = Preferences(chosen={Kind.TICKET_ASSIGNED: frozenset()})
    assert chosen.channels(Kind.TICKET_ASSIGNED, is_urgent=True) == set()
