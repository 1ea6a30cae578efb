from tests.edge.app.clouds import TakingCloud
from tests.edge.app.conftest import METER_REGISTERS, BoxFiles
from tests.servers.modbus import device, modbus_server
from tests.servers.mosquitto import Mosquitto


async def test_a_box_that_has_all_it_needs_passes(box: BoxFiles, cloud: TakingCloud, broker: Mosquitto) -> None:
    box.add_sensor()
    async with modbus_server(device(1, METER_REGISTERS)) as (port, _):
        box.add_meter(port)
        await box.run("claim", cloud.code)
        result = await box.run("check")
    lines = result.output.splitlines()
    assert result.exit_code == 0, result.output
    assert [line.split(":")[0] for line in lines] == [
        "ok   settings",
        "ok   folder",
        "ok   cloud",
        "ok   clock",
        "ok   claim",
        "ok   broker site",
        "ok   device meter",
    ]
    assert lines[4] == "ok   claim: the cloud takes readings of North gate; it watches 1 points"
    assert lines[6] == "ok   device meter: gives 2 of its 2 values"


async def test_everything_that_is_missing_is_named_with_its_mend(box: BoxFiles) -> None:
    box.add("[cloud]", 'url = "http://127.0.0.1:9"', "[[brokers]]", 'key = "site"', "port = 9")
    box.add_sensor()
    async with modbus_server(device(1, METER_REGISTERS), device(2, [0]), silent=[3]) as (port, _):
        box.add_meter(port, key="alive")
        box.add_meter(port, key="short", unit=2)
        box.add_meter(port, key="dead", unit=3)
        result = await box.run("check")
    said = {line[5:].split(":")[0]: line for line in result.output.splitlines()}
    assert result.exit_code == 1
    assert [subject for subject, line in said.items() if line.startswith("fail")] == [
        "cloud",
        "broker site",
        "device short",
        "device dead",
    ]
    assert said["cloud"].endswith("; look at cloud.url, cloud.ca_file and the way to the internet")
    assert said["broker site"].endswith("; look at its host, port, user and password, and whether it runs")
    assert said["device short"].endswith("; look at its unit id and its profile")
    assert said["device dead"].endswith("a device that takes one connection is busy while the box runs")


async def test_an_unclaimed_box_is_told_how_to_be_claimed(box: BoxFiles, cloud: TakingCloud) -> None:
    result = await box.run("check")
    assert (
        "fail claim: the box belongs to nobody yet; get a code from the cloud and run gatehouse-edge claim"
        in result.output
    )


async def test_a_box_whose_token_is_refused_is_told(box: BoxFiles, cloud: TakingCloud) -> None:
    await box.run("claim", cloud.code)
    cloud.refuses_tokens = True
    result = await box.run("check")
    assert (
        "fail claim: /edge/v1/inventory: The token is not good.; claim the box again with a new code" in result.output
    )


async def test_a_device_without_its_profile_is_named(box: BoxFiles, cloud: TakingCloud) -> None:
    box.add("[[devices]]", 'key = "a"', 'profile = "no-such"', 'modbus = { host = "h" }')
    result = await box.run("check")
    assert result.exit_code == 1
    assert 'fail settings: device "a": no-such.yaml: no such profile comes with Gatehouse' in result.output


async def test_a_disk_too_small_for_the_buffer_is_told(box: BoxFiles, cloud: TakingCloud) -> None:
    box.text = box.text.replace("maximum_bytes = 20000000", "maximum_bytes = 1000000000000000")
    box.add()
    result = await box.run("check")
    assert "; lower buffer.maximum_bytes or use a larger disk" in result.output


async def test_settings_that_can_not_work_are_a_status_of_their_own(box: BoxFiles) -> None:
    box.add("[cloud]", 'url = "ftp://x"')
    result = await box.run("check")
    assert (result.exit_code, "cloud.url = 'ftp://x'" in result.output) == (78, True)
