from cloud.core.principal import Role
from tests.cloud.screens.house import House

FEE = {"kind": "fee", "name_zh": "物业费", "name_en": "Property fee", "amount": "2.80", "unit": "m2_month"}
LOCK = {"kind": "service", "name_zh": "开锁", "name_en": "Door opening", "amount": "80", "unit": "visit"}
PAINT = {"kind": "service", "name_zh": "粉刷", "name_en": "Painting", "amount": "30", "unit": "m2"}


async def test_the_catalogue_is_searched_narrowed_sorted_and_sent_as_a_file(house: House) -> None:
    async with house.signed_in(Role.MANAGER) as manager:
        empty = (await manager.get("/prices")).text
        await manager.send_form("/prices", page="/prices/new", **FEE, since="2026-03-02")
        await manager.send_form("/prices", page="/prices/new", **LOCK, since="2026-03-02")
        await manager.send_form("/prices", page="/prices/new", **PAINT, since="2027-01-01")
        services = (await manager.get("/prices?kind=service")).text
        found = (await manager.get("/prices?q=Property")).text
        dear = (await manager.get("/prices?sort=-price&format=csv")).text
        later = (await manager.get("/prices?q=Painting")).text
    assert "Nothing is published yet." in empty
    assert ("Door opening" in services, "Property fee" in services) == (True, False)
    assert ("Door opening" in found, "Property fee" in found) == (False, True)
    assert dear.index("Door opening") < dear.index("Property fee")
    assert "¥80.00" in services
    assert "not offered today" in later
