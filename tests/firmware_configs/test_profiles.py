"""What every profile that comes with Gatehouse must hold, whoever adds one; and the loader."""

from decimal import Decimal
from pathlib import Path

import pytest

from firmware_configs.profiles.loader import load_profile, load_profile_file, load_profiles
from protocols.errors import ProfileRefused
from protocols.profiles.codecs import plan_reads
from protocols.profiles.schema import Profile
from protocols.readings import ANY_VALUE, RowClass

FOLDER = Path(__file__).parents[2] / "firmware_configs" / "profiles"
KEYS = sorted(path.stem for path in FOLDER.glob("*.yaml"))

MODBUS_KEYS = [key for key in KEYS if "\nmodbus:" in (FOLDER / f"{key}.yaml").read_text()]

every_profile = pytest.mark.parametrize("profile", KEYS, indirect=True)
every_modbus_profile = pytest.mark.parametrize("profile", MODBUS_KEYS, indirect=True)


@pytest.fixture
def profile(request: pytest.FixtureRequest) -> Profile:
    return load_profile(request.param)


def test_the_loader_finds_every_file_by_its_stem() -> None:
    assert list(load_profiles()) == KEYS
    assert [profile.key for profile in load_profiles().values()] == KEYS


@pytest.mark.parametrize(
    "key",
    [
        "advantech-adam-6051-water",
        "aqara-sjcgq11lm",
        "aqara-wsdcgq11lm",
        "eastron-sdm120",
        "eastron-sdm630",
        "practice-hourly-meter",
        "practice-office-probe",
        "practice-office-probe-modbus",
        "xy-md02",
    ],
)
def test_the_profile_that_others_name_is_there(key: str) -> None:
    assert key in load_profiles()


@every_profile
def test_every_point_is_proved_by_the_example(profile: Profile) -> None:
    assert set(profile.example.expected) == {point.name for point in profile.points}
    assert set(profile.example.expected_identity) == {field.name for field in profile.identity}


@every_profile
def test_every_point_says_what_can_be_real(profile: Profile) -> None:
    assert [p.name for p in profile.points if p.valid == ANY_VALUE and not p.states] == []


@every_modbus_profile
def test_every_modbus_point_is_fetched_once(profile: Profile) -> None:
    fetched = [name for read in plan_reads(profile) for name in read.points]

    assert sorted(fetched) == sorted(point.name for point in profile.points)


@every_profile
def test_only_a_practice_device_is_called_one(profile: Profile) -> None:
    assert profile.practice == profile.key.startswith("practice-")


@every_profile
def test_a_source_names_what_was_read(profile: Profile) -> None:
    assert len(profile.source) > 40


def test_a_three_phase_meter_is_read_in_three_requests_of_at_most_80_registers() -> None:
    reads = plan_reads(load_profile("eastron-sdm630"))

    assert [(read.address, read.count, len(read.points)) for read in reads] == [
        (0, 80, 30),
        (0x54, 4, 2),
        (0x156, 4, 2),
    ]


@pytest.mark.parametrize("key", ["practice-hourly-meter", "practice-office-probe-modbus"])
def test_a_practice_device_is_read_in_one_block_with_its_clock(key: str) -> None:
    (read,) = plan_reads(load_profile(key))

    assert read.address == 0


def test_the_practice_meter_counts_hundredths_of_a_kilowatt_hour() -> None:
    point = load_profile("practice-hourly-meter").point("energy_import")

    assert (point.unit, point.row_class, point.resolution) == ("kW.h", RowClass.REGISTER, Decimal("0.01"))


def test_a_frosty_day_is_below_zero() -> None:
    (read,) = plan_reads(load_profile("xy-md02"))

    assert [value.value for value in read.decoder.decode([0xFF33, 0x0222])] == [-20.5, 54.6]


def test_a_technician_s_own_file_is_read(tmp_path: Path) -> None:
    own = tmp_path / "our-pulse-100l.yaml"
    own.write_bytes((FOLDER / "advantech-adam-6051-water.yaml").read_bytes())

    profile = load_profile_file(own)

    assert profile.key == "our-pulse-100l"
    assert profile.points == load_profile("advantech-adam-6051-water").points


def test_a_technician_s_faulty_file_is_refused_by_its_path(tmp_path: Path) -> None:
    own = tmp_path / "ours.yaml"
    own.write_text("maker: Acme\npoints: []\n")

    with pytest.raises(ProfileRefused, match=rf"{own}: points must be a list with at least one point"):
        load_profile_file(own)


def test_a_file_that_is_not_there_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(ProfileRefused, match=r"absent\.yaml: can't be read: No such file or directory"):
        load_profile_file(tmp_path / "absent.yaml")


@pytest.mark.parametrize("key", ["eastron-sdm999", "../profiles/eastron-sdm630", ""])
def test_a_profile_that_does_not_exist_is_refused_with_those_that_do(key: str) -> None:
    with pytest.raises(ProfileRefused, match="no such profile comes with Gatehouse; it has advantech-adam-6051-water,"):
        load_profile(key)
