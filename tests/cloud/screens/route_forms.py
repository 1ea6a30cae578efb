"""What each address is sent so that it does what it is for: forms that whoever may is thanked for.

Values in braces are examples of `tests.cloud.screens.whole` and `stages`. An address without an entry here is sent an
empty form, at the examples of its own parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

KEY = "k" * 24
"""Of a form that is done once, however often it comes."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A form's fields, and the address if another row than the usual example is at the right stage for it.

    Attributes:
        fields: several values of one field are a list.
        file: the content of a field named `file`.
        answered: the status of an answer that lets in too, where nobody can be let farther.
    """

    fields: Mapping[str, str | list[str]] = field(default_factory=dict)
    at: str | None = None
    file: str | None = None
    answered: int | None = None


def _act(stage: str, act: str, **fields: str) -> Sending:
    """Return an act on the ticket at a stage, as its page stands now."""
    return Sending({"version": f"{{{stage}_version}}", **fields}, at=f"/tickets/{{{stage}_id}}/{act}")


def _deed(stage: str, deed: str, **fields: str | list[str]) -> Sending:
    """Return a deed on the job at a stage, as its page stands now."""
    return Sending({"version": f"{{{stage}_version}}", "key": KEY, **fields}, at=f"/work/{{{stage}_id}}/{deed}")


_PERSON = {"name": "郑十三", "phone": "13800000077", "login": "zheng", "roles": "worker"}
_WEEK = {"name_zh": "夜班", "name_en": "Night", "time_zone": "Asia/Shanghai", "monday": "20:00-24:00"}
_RULES = {
    "version": "0", "cap": "3", "kinds": "repair", "accept_1": "5", "accept_2": "5", "accept_3": "10",
    "accept_4": "10", "asked_at_most": "3", "queue_min": "10", "ticket": "{assigned_number}",
}  # fmt: skip
_LIMITS = {
    "unit": "[degF]", "priority": "2", "name_zh": "过热", "name_en": "Too hot", "consequence_zh": "停机",
    "consequence_en": "It stops", "first_action_zh": "检查", "first_action_en": "Look", "low": "50", "high": "99",
    "is_enabled": "on", "version": "1",
}  # fmt: skip
_TYPE = {
    "kind": "repair", "name_zh": "水泵", "name_en": "Pumps", "default_priority": "3", "calendar": "always",
    "payer": "company", **{f"minutes_{priority}_solution": "60" for priority in (1, 2, 3, 4)},
}  # fmt: skip
_PLAN_OF_WORK = {
    "what": "labour", "text": "水工", "quantity": "1", "rate": "80.00", "payer": "owner", "visits": "1",
    "finish_on": "2026-03-05", "valid_until": "2026-03-04", "key": KEY,
}  # fmt: skip
_MAINTENANCE = {
    "name_zh": "风机月检", "name_en": "Fans, monthly", "place_id": "{place_id}", "checklist": "皮带 | Belt",
    "repair_type": "inspection", "rhythm": "months", "every": "1", "first_on": "2026-04-01", "version": "1",
}  # fmt: skip
_MATERIAL = {"code": "tap-15", "kind": "material", "name_zh": "龙头", "name_en": "Tap", "unit": "pc", "price": "39.00"}
_PRICE = {"amount": "3.00", "unit": "m2_month", "since": "2026-05-01"}
_ENTRY = {
    "act": "answered", "key": KEY, "begun_at": "2026-03-02T08:00:00+00:00", "name": "郑十三", "text": "几点开门？",
    "answer": "八点",
}  # fmt: skip
_SHIFT = {"weekdays": "5", "hours": "09:00-12:00", "first_day": "2026-03-09"}
_MOVE = {"name": "郑十三", "kind": "tenant", "since": "2026-03-02"}

FORMS: Mapping[str, Sending] = {
    "/edge/v1/claim": Sending(answered=422),  # an empty claim is read, and is none
    "/healthz": Sending(answered=503),  # no background work runs here
    # every list
    "/views": Sending({"path": "/inbox", "name": "我的"}),
    "/views/columns": Sending({"path": "/inbox", "cols": "subject"}),
    "/views/default": Sending({"path": "/inbox"}),
    "/views/{view_id}": Sending({"name": "另一个"}),
    "/exports": Sending({"path": "/inbox", "format": "csv"}),
    # the entrance
    "/sign-in": Sending({"login": "nobody-at-all", "password": "wrong horse 7"}, answered=422),
    "/sign-in/phone": Sending({"phone": "13800000099"}),
    "/sign-in/code": Sending({"code": "123456"}, answered=422),
    "/sign-in/who": Sending({"person_id": "1"}, answered=422),  # no code was typed before
    "/join/{unit_code}": Sending({"phone": "13800000099"}),
    "/appearance": Sending({"theme": "dark"}),
    "/me/password": Sending({"current": "correct horse 7", "password": "another horse 8"}),
    "/me/notifications": Sending({"language": "en"}),
    # the control room
    "/alarms/acknowledge": Sending({"row": "{alarm_id}"}),
    "/alarms/unacknowledge": Sending({"alarms": "{seen_alarm_id}"}),
    "/alarms/{alarm_id}/notes": Sending({"text": "看过了"}),
    "/boxes/new": Sending({"name": "地库网关", "where": "community:{community_id}"}),
    "/boxes/{box_id}/name": Sending({"name": "屋顶网关"}),
    "/devices/{device_id}/place": Sending({"place": "{place_id}"}),
    "/points/{point_id}/place": Sending({"place": "{place_id}"}),
    # work on the spot
    "/work/{ticket_id}/plan": Sending(_PLAN_OF_WORK, at="/work/{assigned_id}/plan"),
    "/work/{ticket_id}/contact": _deed("in_work", "contact", outcome="reached", learnt="下午在家", next_step="下午去"),
    "/work/{ticket_id}/survey": _deed("assigned", "survey", findings="水管破裂", hazard="none"),
    "/work/{ticket_id}/offer": _deed("agreed", "offer", day="2026-03-03", slots="10:00-12:00"),
    "/work/{ticket_id}/arrive": _deed("in_work", "arrive"),
    "/work/{ticket_id}/leave": _deed("on_the_spot", "leave", minutes="30"),
    "/work/{ticket_id}/miss": _deed("offered", "miss", missed_reason="无人在家"),
    "/work/{ticket_id}/accept": _deed("open", "accept"),
    "/work/{ticket_id}/start": _deed("agreed", "start"),
    "/work/{ticket_id}/go-on": _deed("waiting", "go-on"),
    "/work/{ticket_id}/start-urgent": _deed("assigned", "start-urgent", urgent_reason="水漫到楼下"),
    "/work/{ticket_id}/take": _deed("in_work", "take", item="{item_code}", quantity="1"),
    "/work/{ticket_id}/bring-back": _deed("on_the_spot", "bring-back", back_item="{item_code}", back_quantity="1"),
    "/work/{ticket_id}/check": _deed("inspection", "check", code="{check_code}", outcome="passed"),
    "/work/{ticket_id}/answer": _deed("asked", "answer", answer="旧管已裂"),
    "/work/{ticket_id}/ask-again": _deed("lapsed", "ask-again", valid_until="2026-03-09"),
    "/work/{ticket_id}/finish": _deed("spent", "finish", result="换了一段水管"),
    "/day/{ticket_id}/phone": Sending(at="/day/{assigned_id}/phone"),
    # the desk
    "/desk/entries": Sending(_ENTRY),
    "/desk/entries/{interaction_id}/correct": Sending({"key": KEY, "subject": "enquiry", "text": "更正"}),
    "/desk/hints": Sending({"unit_id": "{unit_id}", "hint": "门铃坏了", "until": "2026-03-09"}),
    "/desk/mails/{mail_id}/answer": Sending({"text": "收到"}),
    "/desk/mails/{mail_id}/ticket": Sending({"what": "水管漏水", "where": "501", "type": "water_indoor"}),
    "/desk/mails/{mail_id}/who": Sending({"who": "冯九"}),
    "/desk/callbacks/{callback_id}/reached": Sending({"version": "1", "key": KEY, "answer": "已答复"}),
    "/desk/callbacks/{callback_id}/again": Sending({"version": "1", "key": KEY, "due_at": "2026-03-02T18:00"}),
    "/desk/callbacks/{callback_id}/give-up": Sending({"version": "1", "key": KEY, "reason": "空号"}),
    "/desk/callbacks/{callback_id}/ticket": Sending(
        {"version": "1", "key": KEY, "what": "厨房漏水", "where": "501", "type": "repair"}
    ),
    "/desk/queue": Sending({"community_id": "{community_id}", "name": "郑十三"}),
    "/desk/queue/next": Sending({"community_id": "{community_id}"}),
    "/prices": Sending({"kind": "fee", "name_zh": "停车费", "name_en": "Parking", **_PRICE}),
    "/prices/{service_id}": Sending(_PRICE),
    "/prices/{service_id}/{price_id}/end": Sending({"until": "2026-04-30"}),
    "/tickets": Sending({"type": "water_indoor", "subject": "漏水", "where": "place:{place_id}"}),
    "/tickets/{ticket_id}/notes": Sending({"text": "看过了"}),
    "/tickets/{ticket_id}/contacts": Sending(
        {"heard": "下午在家", "next_step": "下午去"}, at="/tickets/{assigned_id}/contacts"
    ),
    "/tickets/{ticket_id}/steps": Sending({"code": "{step_code}", "is_done": "on"}, at="/tickets/{assigned_id}/steps"),
    "/tickets/{ticket_id}/type": Sending({"version": "{ticket_version}", "type_code": "{type_code}", "priority": "3"}),
    "/tickets/{ticket_id}/consent": Sending(
        {
            "reply": "agreed",
            "version": "{planned_plan}",
            "amount": "{planned_amount}",
            "currency": "CNY",
            "means": "phone",
            "decider_id": "{owner_id}",
            "text": "电话中同意",
        },
        at="/tickets/{planned_id}/consent",
    ),
    "/tickets/{ticket_id}/assign": _act("assigned", "assign", person_id="{person_id}"),
    "/tickets/{ticket_id}/release": _act("assigned", "release"),
    "/tickets/{ticket_id}/start": _act("agreed", "start"),
    "/tickets/{ticket_id}/start_emergency": _act("assigned", "start_emergency", emergency_reason="水漫到楼下"),
    "/tickets/{ticket_id}/wait": _act("assigned", "wait", waiting_for="等配件"),
    "/tickets/{ticket_id}/continue": _act("waiting", "continue"),
    "/tickets/{ticket_id}/resolve": _act("spent", "resolve", result="换了一段水管"),
    "/tickets/{ticket_id}/vouch": _act("verifying", "vouch", vouch_reason="看过了，温度正常"),
    "/tickets/{ticket_id}/reopen": _act("resolved", "reopen", reason="又漏了"),
    "/tickets/{ticket_id}/cancel": _act("assigned", "cancel", cancel_reason="不需要了"),
    "/tickets/{ticket_id}/merge": _act("assigned", "merge", into_id="{planned_id}"),
    "/incidents": Sending({"type": "water_off", "title": "停水", "place_ids": "{place_id}"}),
    "/incidents/{incident_id}": Sending({"version": "1", "title": "停水两小时"}),
    "/incidents/{incident_id}/tickets": Sending({"number": "{assigned_number}"}),
    "/incidents/{incident_id}/tickets/explain": Sending({"ticket_ids": "{assigned_id}"}),
    "/incidents/{incident_id}/tickets/remove": Sending({"row": "{ticket_id}"}),
    "/incidents/{incident_id}/resolve": Sending({"version": "1", "result": "恢复供水"}),
    "/materials/new": Sending(_MATERIAL),
    "/materials/{item_code}/edit": Sending({**_MATERIAL, "code": "{item_code}", "version": "1"}),
    "/materials/{item_code}/receive": Sending({"quantity": "1"}),
    "/materials/{item_code}/count": Sending({"counted": "9", "reason": "盘点"}),
    "/materials/{item_code}/retire": Sending({"version": "1"}),
    "/maintenance/new": Sending(_MAINTENANCE),
    "/maintenance/{maintenance_id}": Sending(_MAINTENANCE),
    "/maintenance/{maintenance_id}/active": Sending({"version": "1"}),
    "/offers/{offer_id}/decline": Sending({"reason": "busy"}),
    "/dispatch/rules": Sending(_RULES),
    "/dispatch/rules/try": Sending(_RULES),
    "/dispatch/rules/simulate": Sending(_RULES),
    "/dispatch/{ticket_id}/give": Sending({"version": "{ticket_version}", "person_id": "{person_id}"}),
    # administration
    "/admin/organisation": Sending({"name": "新名", "time_zone": "Asia/Shanghai"}),
    "/admin/people/new": Sending(_PERSON),
    "/admin/people/{person_id}": Sending({"name": "李四四", "roles": "worker"}),
    "/admin/people/{person_id}/skills": Sending(
        {"skill": "electrical", "certificate": "D-1", "valid_until": "2027-01-01"}
    ),
    "/units/{unit_id}/move-in": Sending(_MOVE),
    "/units/{unit_id}/letter": Sending({"name": "郑十三", "kind": "family"}),
    "/occupancies/{occupancy_id}": Sending({"kind": "owner", "since": "2026-01-02"}),
    "/occupancies/{occupancy_id}/move-out": Sending({"until": "2026-03-02"}),
    "/occupancies/{occupancy_id}/person": Sending({"name": "冯九", "phone": "13800000055"}),
    "/admin/communities/new": Sending({"name": "白桦苑二期", "time_zone": "Asia/Shanghai"}),
    "/admin/communities/{community_id}/edit": Sending({"name": "改名", "time_zone": "Asia/Shanghai"}),
    "/admin/communities/{community_id}/delete": Sending(at="/admin/communities/{spare_community_id}/delete"),
    "/admin/communities/{community_id}/buildings/new": Sending({"name": "9 号楼"}),
    "/admin/communities/{community_id}/units/new": Sending({"building": "{building_id}", "name": "901"}),
    "/admin/communities/{community_id}/places/new": Sending({"name": "水泵房", "kind": "room"}),
    "/admin/communities/{community_id}/buildings/{thing_id}": Sending(
        at="/admin/communities/{community_id}/buildings/{building_id}", fields={"name": "8 号楼"}
    ),
    "/admin/communities/{community_id}/units/{thing_id}": Sending(
        at="/admin/communities/{community_id}/units/{unit_id}", fields={"name": "801"}
    ),
    "/admin/communities/{community_id}/places/{thing_id}": Sending(
        at="/admin/communities/{community_id}/places/{place_id}", fields={"name": "风机房", "kind": "room"}
    ),
    "/admin/communities/{community_id}/buildings/{thing_id}/delete": Sending(
        at="/admin/communities/{community_id}/buildings/{spare_building_id}/delete"
    ),
    "/admin/communities/{community_id}/units/{thing_id}/delete": Sending(
        at="/admin/communities/{community_id}/units/{spare_unit_id}/delete"
    ),
    "/admin/communities/{community_id}/places/{thing_id}/delete": Sending(
        at="/admin/communities/{community_id}/places/{spare_place_id}/delete"
    ),
    "/admin/imports": Sending({"kind": "estate"}, file="小区,楼栋,房号\n白桦苑,9 栋,901\n"),
    "/admin/imports/{import_id}/apply": Sending({"news": "{import_news}"}, at="/admin/imports/{ready_import_id}/apply"),
    "/admin/imports/{import_id}/undo": Sending(at="/admin/imports/{done_import_id}/undo"),
    "/admin/rules/new": Sending(_LIMITS, at="/admin/rules/new?point={temperature_id}&kind=limits"),
    "/admin/rules/{rule_id}": Sending(_LIMITS),
    "/admin/calendars/new": Sending({"code": "night", **_WEEK}),
    "/admin/calendars/{code}/edit": Sending({**_WEEK, "version": "1"}),
    "/admin/calendars/{code}/days": Sending({"first_day": "2026-10-01", "name_zh": "国庆", "name_en": "National Day"}),
    "/admin/calendars/{code}/days/remove": Sending({"first_day": "2026-02-16", "last_day": "2026-02-16"}),
    "/admin/calendars/{code}/restore": Sending({"version": "1"}),
    "/admin/shifts/{person_id}/weekly/new": Sending(_SHIFT),
    "/admin/shifts/{person_id}/weekly/{shift_id}": Sending(_SHIFT),
    "/admin/shifts/{person_id}/days/new": Sending({"day": "2026-03-14", "hours": "09:00-12:00"}),
    "/admin/shifts/{person_id}/leave/new": Sending({"kind": "sick", "first_day": "2026-05-04"}),
    "/admin/ticket-types": Sending({**_TYPE, "code": "roof_pumps"}),
    "/admin/ticket-types/{type_code}": Sending({**_TYPE, "code": "{type_code}"}),
    "/admin/feedback": Sending(
        {
            "cap_days": "30",
            "open_days": "30",
            "change_hours": "24",
            "poor_at": "2",
            "on_poor": "call",
            "version": "0",
        }
    ),
    # at home
    "/my/report": Sending({"where": "unit:{unit_id}", "text": "灯不亮", "key": KEY}),
    "/my/repairs/{repair_id}": Sending({"text": "请快一点"}),
    "/my/repairs/{repair_id}/plan": Sending(
        {"reply": "agreed", "version": "{planned_plan}", "amount": "{planned_amount}", "currency": "CNY"},
        at="/my/repairs/{planned_id}/plan",
    ),
    "/my/repairs/{repair_id}/visit": Sending(
        {"visit_id": "{visit_id}", "starts_at": "{visit_at}"}, at="/my/repairs/{offered_id}/visit"
    ),
    "/my/repairs/{repair_id}/result": Sending({"rating": "4"}),
    "/opinion/{token}": Sending({"rating": "4"}),
}
