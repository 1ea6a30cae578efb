from datetime import time

import pytest
from sqlalchemy import update

from cloud.accounts.tables import PersonRow
from cloud.core.principal import Role
from cloud.notifications.domain import Channel, Kind, Language, Preferences, QuietHours
from cloud.notifications.preferences import own_preferences
from tests.cloud.web.conftest import Browser, Site

PATH = "/me/notifications"
SENT = {"mail": "qian.er@example.com", "language": "en", "quiet": "on", "quiet_begins": "21:30", "quiet_ends": "07:15"}


async def _own(site: Site) -> Preferences | None:
    async with site.database.reading() as session:
        return await own_preferences(session, site.estate.principals[Role.OPERATOR])


async def test_who_never_chose_sees_what_holds_for_everybody(operator: Browser) -> None:
    operator.cookies.set("gatehouse_language", "en")
    page = (await operator.get(PATH)).text
    assert 'value="22:00"' in page
    assert 'value="08:00"' in page
    assert '<option value="en" selected>' in page
    assert 'value="ticket_offered:sms" checked>' in page
    assert 'value="ticket_assigned:sms">' in page
    assert "notice:sms" not in page
    assert "No SMS reaches you: the office does not know your number." in page


async def test_the_number_is_shown_masked(operator: Browser, site: Site) -> None:
    person_id = site.estate.principals[Role.OPERATOR].person_id
    async with site.database.transaction() as session:
        await session.execute(update(PersonRow).where(PersonRow.id == person_id).values(phone="+8613800000001"))
    page = (await operator.get(PATH)).text
    assert "138****0001" in page
    assert "13800000001" not in page


async def test_a_choice_is_kept_and_shown_again(operator: Browser, site: Site) -> None:
    answer = await operator.send_form(PATH, page=PATH, channels="ticket_assigned:sms", **SENT)
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    own = await _own(site)
    assert own is not None
    assert (own.mail, own.language) == ("qian.er@example.com", Language.EN)
    assert own.quiet == QuietHours(time(21, 30), time(7, 15))
    assert {kind: channels for kind, channels in own.chosen.items() if channels} == {
        Kind.TICKET_ASSIGNED: frozenset({Channel.SMS})
    }
    page = (await operator.get(PATH)).text
    assert 'value="qian.er@example.com"' in page
    assert page.count(" checked") == 2  # the channel and the quiet hours


async def test_quiet_hours_and_mail_can_be_done_without(operator: Browser, site: Site) -> None:
    await operator.send_form(PATH, page=PATH, language="zh-Hans", mail="", quiet_begins="22:00", quiet_ends="08:00")
    own = await _own(site)
    assert own is not None
    assert (own.mail, own.quiet) == (None, None)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"mail": "qian.er"}, "qian.er is no mail address; one is name@example.com."),
        ({"quiet_begins": ""}, "Say from when it is quiet."),
        ({"quiet_ends": ""}, "Say until when it is quiet."),
        ({"quiet_ends": "25:00"}, "This value can&#39;t be read: check it and try again."),
        ({"language": "fr"}, "Choose one of the values offered."),
    ],
    ids=["no address", "no beginning", "no end", "no hour", "no language"],
)
async def test_what_can_not_be_is_said_at_its_field_over_what_was_typed(
    operator: Browser, site: Site, changed: dict[str, str], said: str
) -> None:
    operator.cookies.set("gatehouse_language", "en")
    answer = await operator.send_form(PATH, page=PATH, channels="ticket_assigned:sms", **(SENT | changed))
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="ticket_assigned:sms" checked>' in answer.text
    assert await _own(site) is None
