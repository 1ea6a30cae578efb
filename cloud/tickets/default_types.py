"""The types of tickets that an organisation begins with: a tree, its procedures and its deadlines.

The deadlines are those usual in the trade (respond to an emergency in 5 to 15 minutes and be there in 30, in a lift
that holds people above all; be with an ordinary repair the same day and mend it in one to three; answer a complaint
in a day and close it in three to five): settings to be changed, not law.
"""

from collections.abc import Mapping

from cloud.alarms.domain import Priority
from cloud.core.words import Words
from cloud.tickets.domain import ALARM_REPAIR, Kind, Payer, Step, Target, TicketType

ALWAYS = "always"
OFFICE = "office"
_DAY = 450  # minutes of a working day on the office's calendar

Targets = Mapping[Priority, Mapping[Target, int]]


def _targets(**minutes: tuple[int, int, int, int]) -> Targets:
    """Return the targets of every priority, the gravest first."""
    return {
        priority: {Target(name): by_priority[index] for name, by_priority in minutes.items()}
        for index, priority in enumerate(Priority)
    }


_EMERGENCY = _targets(first_contact=(5, 15, 15, 15), arrival=(30, 30, 60, 120), solution=(240, 480, 1_440, 2_880))
_REPAIR = _targets(
    first_contact=(15, 30, 30, 60),
    arrival=(60, 240, _DAY, 2 * _DAY),
    plan=(120, _DAY, _DAY, 3 * _DAY),
    solution=(240, _DAY, 2 * _DAY, 3 * _DAY),
)
_ALARM = _targets(arrival=(30, 60, 480, 2_880), solution=(60, 240, 1_440, 10_080))
_COMPLAINT = _targets(first_contact=(60, 120, _DAY, _DAY), solution=(_DAY, 2 * _DAY, 3 * _DAY, 5 * _DAY))
_ENQUIRY = _targets(first_contact=(30, 60, 120, _DAY), solution=(120, 240, _DAY, 2 * _DAY))
_SUGGESTION = _targets(first_contact=(_DAY, _DAY, _DAY, 2 * _DAY), solution=(5 * _DAY, 10 * _DAY, 10 * _DAY, 20 * _DAY))
_INSPECTION = _targets(solution=(240, 1_440, 4_320, 10_080))


def _steps(*steps: tuple[str, str, str]) -> tuple[Step, ...]:
    return tuple(Step(code=code, words=Words(zh=zh, en=en)) for code, zh, en in steps)


_ALARM_STEPS = _steps(
    ("confirm", "到现场确认报警", "Confirm the alarm on site"),
    ("first_action", "按首要措施处理，必要时断电、断水", "Take the first action; cut power or water if needed"),
    ("cause", "查明原因并修复", "Find the cause and mend it"),
    ("normal", "确认数值恢复正常", "See the value return to normal"),
    ("record", "填写处理结果", "Write down the result"),
)
_EMERGENCY_STEPS = _steps(
    ("go", "立即出发，路上联系报修人", "Go at once, and call whoever reported it on the way"),
    ("secure", "先救人、先断源，疏散并设警戒", "People first; cut the source, clear the place and close it off"),
    (
        "help",
        "必要时拨打 119、120 或燃气、电梯救援电话",
        "Call the fire brigade, an ambulance, the gas or lift rescue if needed",
    ),
    ("mend", "抢修，恢复后复查", "Mend it, and look again afterwards"),
    ("record", "填写经过和处理结果", "Write down what happened and what was done"),
)
_REPAIR_STEPS = _steps(
    ("contact", "联系报修人，约定上门时间", "Call the person who reported it and agree on a time"),
    ("survey", "查看现场，说明方案", "Look at it and explain the plan"),
    ("mend", "维修", "Repair it"),
    ("confirm", "请报修人确认", "Have it confirmed"),
    ("record", "填写处理结果", "Write down the result"),
)
_COMPLAINT_STEPS = _steps(
    ("listen", "联系投诉人，听清情况", "Call whoever complains and hear them out"),
    ("check", "到现场核实", "See for yourself"),
    ("act", "处理或协调", "Act, or bring those concerned together"),
    ("answer", "答复投诉人", "Answer whoever complained"),
    ("record", "填写处理结果", "Write down the result"),
)
_SERVICE_STEPS = _steps(
    ("check", "核实诉求", "Check what is asked"),
    ("act", "转交或处理", "Pass it on or do it"),
    ("answer", "回复业主", "Answer the owner"),
    ("record", "填写处理结果", "Write down the result"),
)
_INSPECTION_STEPS = _steps(
    ("checklist", "按点检表逐项检查", "Go through the checklist"),
    ("readings", "记录读数和异常", "Note readings and what is abnormal"),
    ("tickets", "异常项另开工单", "Open a ticket for each abnormal thing"),
    ("record", "填写处理结果", "Write down the result"),
)


def _root(
    code: str, kind: Kind, zh: str, en: str, priority: Priority, targets: Targets, calendar: str,
    procedure: tuple[Step, ...], payer: Payer = Payer.COMPANY,
) -> TicketType:  # fmt: skip
    name = Words(zh=zh, en=en)
    return TicketType(
        code=code, kind=kind, name=name, default_priority=priority, targets=targets, calendar=calendar,
        procedure=procedure, payer=payer,
    )  # fmt: skip


def _repair(
    code: str, zh: str, en: str, words: str, *, skill: str = "", payer: Payer = Payer.COMMON_FUND,
    priority: Priority = Priority.MEDIUM, needs_plan: bool = False,
) -> TicketType:  # fmt: skip
    return TicketType(
        code=code, parent_code="repair", kind=Kind.REPAIR, name=Words(zh=zh, en=en), default_priority=priority,
        targets=_REPAIR, calendar=OFFICE, procedure=_REPAIR_STEPS, skills=(skill,) if skill else (), payer=payer,
        keywords=tuple(words.split(",")), needs_plan=needs_plan, rework_days=30,
    )  # fmt: skip


def _emergency(code: str, parent: str, zh: str, en: str, words: str, *, skill: str, payer: Payer) -> TicketType:
    return TicketType(
        code=code, parent_code=parent, kind=Kind.REPAIR, name=Words(zh=zh, en=en), default_priority=Priority.CRITICAL,
        targets=_EMERGENCY, calendar=ALWAYS, procedure=_EMERGENCY_STEPS, skills=(skill,) if skill else (), payer=payer,
        keywords=tuple(words.split(",")), is_emergency=True, rework_days=30,
    )  # fmt: skip


def _child(parent: TicketType, code: str, zh: str, en: str, words: str) -> TicketType:
    return TicketType(
        code=code, parent_code=parent.code, kind=parent.kind, name=Words(zh=zh, en=en),
        default_priority=parent.default_priority, targets=parent.targets, calendar=parent.calendar,
        procedure=parent.procedure, payer=parent.payer, keywords=tuple(words.split(",")),
    )  # fmt: skip


_REPAIRS = _root("repair", Kind.REPAIR, "报修", "Repair", Priority.MEDIUM, _REPAIR, OFFICE, _REPAIR_STEPS)
_COMPLAINTS = _root(
    "complaint", Kind.COMPLAINT, "投诉", "Complaint", Priority.MEDIUM, _COMPLAINT, OFFICE, _COMPLAINT_STEPS
)
_SERVICES = _root(
    "service", Kind.ENQUIRY, "客服事项", "Service request", Priority.MEDIUM, _ENQUIRY, OFFICE, _SERVICE_STEPS
)
_SUGGESTIONS = _root(
    "suggestion", Kind.SUGGESTION, "建议", "Suggestion", Priority.LOW, _SUGGESTION, OFFICE, _SERVICE_STEPS
)
_ALARMS = _root(ALARM_REPAIR, Kind.ALARM, "报警维修", "Alarm repair", Priority.HIGH, _ALARM, ALWAYS, _ALARM_STEPS)
_INSPECTIONS = _root(
    "inspection", Kind.INSPECTION, "巡检", "Inspection", Priority.LOW, _INSPECTION, ALWAYS, _INSPECTION_STEPS
)

DEFAULT_TYPES = (
    _ALARMS,
    _REPAIRS,
    _INSPECTIONS,
    _SERVICES,
    _COMPLAINTS,
    _SUGGESTIONS,
    _repair("water", "给排水", "Water and drains", "水,water,plumbing", skill="plumbing"),
    _repair(
        "water_indoor",
        "户内水管、龙头、洁具",
        "Pipes, taps and fittings at home",
        "水管,漏水,渗水,滴水,水龙头,马桶,洗手盆,花洒,软管,leak,leaks,leaking,pipe,tap,toilet,shower",
        skill="plumbing",
        payer=Payer.OWNER,
        needs_plan=True,
    ),
    _repair(
        "drain_blocked",
        "下水堵塞、返水",
        "Blocked drain",
        "堵塞,堵了,返水,下水,地漏,blocked,drain,clogged",
        skill="plumbing",
        priority=Priority.HIGH,
    ),
    _repair(
        "water_off",
        "停水、水压低",
        "No water or low pressure",
        "停水,没水,水压,水小,no water,low pressure",
        skill="plumbing",
        priority=Priority.HIGH,
    ),
    _emergency(
        "water_burst",
        "water",
        "爆管、大量跑水",
        "Burst pipe",
        "爆管,水管爆,跑水,水淹,喷水,到处是水,burst,flood,flooding",
        skill="plumbing",
        payer=Payer.COMMON_FUND,
    ),
    _repair("electricity", "供电照明", "Electricity and light", "电,电路,electric,electricity", skill="electrical"),
    _repair(
        "electricity_indoor",
        "户内电路、灯具、插座",
        "Wiring, lamps and sockets at home",
        "插座,开关,空开,灯具,换灯,家里灯,socket,switch,fuse",
        skill="electrical",
        payer=Payer.OWNER,
        needs_plan=True,
    ),
    _repair(
        "light_public",
        "公共照明",
        "Light in public areas",
        "路灯,楼道灯,灯不亮,声控灯,车库灯,streetlight,corridor light",
        skill="electrical",
    ),
    _repair(
        "power_off",
        "停电、跳闸",
        "No power",
        "停电,没电,跳闸,power outage,blackout",
        skill="electrical",
        priority=Priority.HIGH,
    ),
    _emergency(
        "electric_danger",
        "electricity",
        "漏电、打火",
        "Electric danger",
        "漏电,触电,打火,冒火花,烧焦,shock,sparks,sparking",
        skill="electrical",
        payer=Payer.COMMON_FUND,
    ),
    _repair("lift", "电梯", "Lift", "电梯,电梯门,异响,平层,lift,elevator", skill="lift", priority=Priority.HIGH),
    _emergency(
        "lift_trapped",
        "lift",
        "电梯困人",
        "People held in a lift",
        "困人,被困,困在电梯,关在电梯,trapped,stuck in the lift",
        skill="lift",
        payer=Payer.COMPANY,
    ),
    _emergency(
        "gas_leak",
        "repair",
        "燃气泄漏",
        "Gas leak",
        "燃气,煤气,天然气,漏气,gas,smell of gas",
        skill="",
        payer=Payer.COMPANY,
    ),
    _emergency(
        "fire",
        "repair",
        "火警、消防设备",
        "Fire and fire protection",
        "火警,着火,起火,冒烟,消防,烟感,喷淋,fire,smoke,sprinkler",
        skill="fire_protection",
        payer=Payer.COMPANY,
    ),
    _repair(
        "doors",
        "门禁与道闸",
        "Doors and access",
        "门禁,单元门,道闸,门锁,刷不开,打不开门,对讲,access,door,gate,intercom,barrier",
        skill="access_control",
    ),
    _repair(
        "public_area",
        "公共区域设施",
        "Public areas",
        "楼道,大堂,外墙,屋顶,地砖,墙皮,栏杆,井盖,健身器材,facade,roof,tile,railing,manhole",
    ),
    _repair(
        "air_conditioning",
        "空调与通风",
        "Air conditioning and ventilation",
        "空调,新风,通风,排风,air conditioning,ventilation",
        skill="hvac",
    ),
    _child(_COMPLAINTS, "noise", "噪声扰民", "Noise", "噪音,噪声,吵,装修声,扰民,广场舞,狗叫,noise,noisy,loud,barking"),
    _child(
        _COMPLAINTS,
        "cleaning",
        "保洁卫生",
        "Cleaning",
        "垃圾,脏,保洁,卫生,异味,臭,清扫,rubbish,garbage,dirty,smell,cleaning",
    ),
    _child(_COMPLAINTS, "greenery", "绿化养护", "Greenery", "绿化,树,草坪,修剪,虫,杂草,tree,lawn,hedge,weeds"),
    _child(_COMPLAINTS, "parking", "车辆停放", "Parking", "停车,车位,占位,乱停,挡路,电动车,parking,parked"),
    _child(
        _COMPLAINTS, "staff_conduct", "服务态度", "Conduct of staff", "态度,保安,物业人员,推诿,没人管,rude,attitude"
    ),
    _child(
        _SERVICES,
        "fee_enquiry",
        "费用咨询",
        "Question about fees",
        "物业费,费用,账单,缴费,收费,发票,欠费,fee,bill,invoice,charge",
    ),
    _child(_SERVICES, "decoration", "装修手续", "Works in a unit", "装修,施工证,押金,renovation,permit,deposit"),
    _child(
        _SERVICES,
        "documents",
        "证明与手续",
        "Papers and certificates",
        "证明,盖章,过户,门卡,办卡,certificate,stamp,card",
    ),
)
"""What an organisation begins with; children come after their parents."""
