"""What came in at the practice estate's desk: calls, a promise that is due, visitors who wait, a mail with a photo."""

from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage
from email.policy import SMTP

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.core.clock import Clock
from cloud.core.files import Saved
from cloud.core.money import Money
from cloud.core.principal import Principal
from cloud.core.words import Words
from cloud.properties import finding
from cloud.properties import service as properties
from cloud.reception import callbacks, catalogue, hints, queue, service
from cloud.reception.catalogue import NewPrice
from cloud.reception.domain import Channel, Entry, Subject
from cloud.reception.letters import read_letter
from cloud.reception.mail import StoredFile, receive
from cloud.reception.units import PriceUnit, ServiceKind

_PROMISED_AHEAD = timedelta(minutes=2)  # due soon after the demo is ready to be looked at
_SHOWN = timedelta(days=30)
_PHOTO_SIZE = (800, 600)

_PRICES = (
    (ServiceKind.FEE, Words(zh="物业服务费", en="Property fee"), "2.80", PriceUnit.M2_MONTH,
     Words(zh="前期物业服务合同约定", en="As agreed in the management contract")),
    (ServiceKind.FEE, Words(zh="地下车位管理费", en="Parking space fee"), "80.00", PriceUnit.SPACE_MONTH,
     Words(zh="", en="")),
    (ServiceKind.SERVICE, Words(zh="上门维修（人工）", en="Repair at home (labour)"), "60.00", PriceUnit.HOUR,
     Words(zh="不足一小时按一小时计，材料另计", en="Begun hours count whole; material is extra")),
    (ServiceKind.SERVICE, Words(zh="疏通下水道", en="Clearing a drain"), "100.00", PriceUnit.VISIT,
     Words(zh="", en="")),
    (ServiceKind.SERVICE, Words(zh="补办门禁卡", en="A new door card"), "20.00", PriceUnit.PIECE,
     Words(zh="", en="")),
)  # fmt: skip

_CALLS = (
    ("13800000003", Subject.ENQUIRY, "物业费可以刷卡交吗？", "可以，前台和手机都行。"),
    ("13800000004", Subject.COMPLAINT, "楼上装修周日还在施工", "已告知装修时间规定，请保安上门提醒。"),
    ("13800000005", Subject.ENQUIRY, "快递柜怎么取件？", "凭短信取件码。"),
)


async def open_desk(session: AsyncSession, clock: Clock, principal: Principal, picture: Saved) -> None:
    """Write down a believable morning at the desk, and publish what things cost."""
    work = (session, clock, principal)
    [community] = await properties.list_communities(session, principal)
    await _publish(session, clock, principal)
    for number, (phone, subject, text, answer) in enumerate(_CALLS):
        entry = await _call(session, clock, principal, phone, key=f"practice-call-{number}")
        await service.answered(*work, replace(entry, subject=subject, text=text, answer=answer))
    due = await _call(session, clock, principal, "13800000004", key="practice-promise")
    due_at = clock.now() + _PROMISED_AHEAD
    await callbacks.promise(*work, replace(due, subject=Subject.COMPLAINT, text="告知装修扰民处理结果"), due_at=due_at)
    [flat] = await finding.find_units(session, principal, "1-101", limit=1)
    shown_until: date = (clock.now() + _SHOWN).date()
    await hints.add_hint(*work, unit_id=flat.unit_id, text="家有老人，上门请先打电话", until=shown_until)
    for name, text in (("周女士", "办理装修登记"), ("郑先生", "领取门禁卡")):
        await queue.take_number(*work, community_id=community.id, name=name, text=text)
    await receive(session, clock, principal.organisation_id, read_letter(_mail()), stored=[_photo(picture)], left_out=0)


async def _publish(session: AsyncSession, clock: Clock, principal: Principal) -> None:
    today = await catalogue.today_of(session, clock, principal)
    for kind, name, amount, unit, note in _PRICES:
        price = NewPrice(amount=Money.of(amount, "CNY"), unit=unit, since=today, note=note)
        await catalogue.add_service(session, clock, principal, kind=kind, name=name, community_id=None, price=price)


async def _call(session: AsyncSession, clock: Clock, principal: Principal, phone: str, *, key: str) -> Entry:
    [person] = await finding.find_people(session, principal, phone, limit=1)
    return Entry(channel=Channel.CALL, subject=Subject.ENQUIRY, begun_at=clock.now(), key=key, person_id=person.id)


def _mail() -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = "李四喜 <lisixi@example.com>", "desk@example.com"
    mail["Subject"] = "1 号楼 101 卫生间水管漏水"
    mail["Message-ID"] = "<practice-mail@example.com>"
    mail.set_content("您好，卫生间洗手池下面的水管漏水，照片见附件。今天下午家里有人。\n\n李四喜")
    return mail.as_bytes()


def _photo(picture: Saved) -> StoredFile:
    width, height = _PHOTO_SIZE
    return StoredFile(saved=picture, name="水管.jpg", media_type="image/jpeg", width=width, height=height)
