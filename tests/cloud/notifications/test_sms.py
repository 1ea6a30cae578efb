import pytest
from pydantic import SecretStr

from cloud.notifications.channels import Fate, Parcel, Receipt, Report, SendDelayed, SendRefused
from cloud.notifications.domain import Language
from cloud.notifications.sms import Sms
from provisioning.practice.sms import Failure, PracticeGateway
from tests.cloud.notifications.post import PHONE, TOKEN


@pytest.fixture
def sms(gateway: PracticeGateway) -> Sms:
    return Sms(gateway.url, SecretStr(TOKEN))


def _parcel(uid: str = "u1", **changed: str) -> Parcel:
    told = {"subject": "工单已派给您", "text": "水管漏水", "link": "https://gatehouse.example/tickets/1"} | changed
    return Parcel(uid=uid, address=PHONE, sender="云杉物业", language=Language.ZH_HANS, topic="1 /tickets/1", **told)


async def test_the_text_begins_with_its_sender_and_ends_with_the_link(sms: Sms, gateway: PracticeGateway) -> None:
    receipt = await sms.send(_parcel())
    (message,) = gateway.messages
    assert (message.id, message.to) == ("u1", PHONE)
    assert message.text == "【云杉物业】工单已派给您 水管漏水 https://gatehouse.example/tickets/1"
    assert receipt == Receipt(gateway_id=message.gateway_id, is_reported=True)


async def test_a_long_text_is_cut_and_its_link_is_whole(sms: Sms, gateway: PracticeGateway) -> None:
    await sms.send(_parcel(text="水" * 600))
    assert len(gateway.messages[0].text) == 500
    assert gateway.messages[0].text.endswith("水… https://gatehouse.example/tickets/1")


async def test_the_same_parcel_again_is_one_message(sms: Sms, gateway: PracticeGateway) -> None:
    assert await sms.send(_parcel()) == await sms.send(_parcel())
    assert len(gateway.messages) == 1


@pytest.mark.parametrize("status", [400, 422])
async def test_what_the_gateway_will_never_take_is_refused_with_its_reason(
    sms: Sms, gateway: PracticeGateway, status: int
) -> None:
    gateway.failures = [Failure(status=status, reason="no such number")]
    with pytest.raises(SendRefused, match=f"{status} no such number"):
        await sms.send(_parcel())


@pytest.mark.parametrize("status", [401, 404, 500, 503])
async def test_what_the_gateway_does_not_take_now_may_go_later(sms: Sms, gateway: PracticeGateway, status: int) -> None:
    gateway.failures = [Failure(status=status, reason="later")]
    with pytest.raises(SendDelayed, match=f"{status} later"):
        await sms.send(_parcel())


async def test_a_gateway_that_is_too_busy_says_when_to_come_again(sms: Sms, gateway: PracticeGateway) -> None:
    gateway.limit = 1
    await sms.send(_parcel("u1"))
    with pytest.raises(SendDelayed) as delayed:
        await sms.send(_parcel("u2"))
    assert delayed.value.retry_after is not None
    assert delayed.value.retry_after.total_seconds() == 60


async def test_a_wrong_token_is_said_and_sends_nothing(gateway: PracticeGateway) -> None:
    with pytest.raises(SendDelayed, match="401 wrong token"):
        await Sms(gateway.url, SecretStr("another")).send(_parcel())
    assert gateway.messages == []


async def test_a_gateway_that_is_not_there_is_no_reason_to_give_up(unused_url: str) -> None:
    with pytest.raises(SendDelayed, match="does not answer"):
        await Sms(unused_url, SecretStr(TOKEN)).send(_parcel())


@pytest.mark.parametrize(
    ("fate", "report"),
    [
        (("accepted", ""), Report(fate=Fate.UNKNOWN)),
        (("sent", ""), Report(fate=Fate.SENT)),
        (("failed", "switched off"), Report(fate=Fate.FAILED, reason="switched off")),
    ],
    ids=["on its way", "there", "failed"],
)
async def test_the_gateway_tells_what_became_of_it(
    sms: Sms, gateway: PracticeGateway, fate: tuple[str, str], report: Report
) -> None:
    gateway.fates[PHONE] = fate
    receipt = await sms.send(_parcel())
    assert await sms.report(receipt.gateway_id) == report


async def test_what_the_gateway_knows_nothing_of_is_asked_again_later(sms: Sms) -> None:
    with pytest.raises(SendDelayed, match="404 no such message"):
        await sms.report("practice-9")
