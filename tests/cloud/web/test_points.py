from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud.fleet.domain import Point, Where
from cloud.web.catalogues import Locale
from cloud.web.points import point_label
from cloud.web.reader import Reader
from protocols.readings import PointKind, RowClass

POINT = Point(
    id=1,
    organisation_id=1,
    box_id=1,
    box_name="3 栋网关",
    device_id=1,
    device_name="总表",
    profile="eastron-sdm120",
    key="main/energy_import",
    unit="kW.h",
    kind=PointKind.COUNTER,
    row_class=RowClass.REGISTER,
    resolution="0.01",
    period_s=60,
    watched=False,
    late_us=0,
    gone_at=None,
    where=Where(community_id=1, place_id=None),
)


def _reader(locale: Locale) -> Reader:
    return Reader(locale=locale, zone=ZoneInfo("Asia/Shanghai"), now=datetime(2026, 3, 2, 8, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("profile", "key", "zh", "en"),
    [
        ("eastron-sdm120", "main/energy_import", "正向有功电能", "Imported active energy"),
        ("gatehouse-box", "box/disk_free", "磁盘剩余空间", "Free disk space"),
        ("eastron-sdm120", "main/online", "有应答", "Answers"),
        ("a-technicians-own", "tank/level", "level", "level"),
        ("eastron-sdm120", "main/of_a_newer_profile", "of_a_newer_profile", "of_a_newer_profile"),
    ],
    ids=["its profile's", "the box's own", "every device's", "an unknown profile", "an unknown point"],
)
def test_a_point_is_called_what_a_person_understands(profile: str, key: str, zh: str, en: str) -> None:
    point = replace(POINT, profile=profile, key=key)
    assert point_label(point, _reader(Locale.ZH_HANS)) == zh
    assert point_label(point, _reader(Locale.EN)) == en
