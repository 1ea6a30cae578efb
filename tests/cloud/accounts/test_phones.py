import pytest

from cloud.accounts.phones import check_phone, is_mobile, masked, shown
from cloud.core.errors import Refused


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        pytest.param("13800000001", "+8613800000001", id="a mobile number"),
        pytest.param(" 138 0000-0001 ", "+8613800000001", id="with what people put between"),
        pytest.param("１３８０００００００１", "+8613800000001", id="in full-width digits"),
        pytest.param("+86 138 0000 0001", "+8613800000001", id="with the country"),
        pytest.param("008613800000001", "+8613800000001", id="with the country as it is dialled"),
        pytest.param("021-5555 0000", "+862155550000", id="a fixed line"),
        pytest.param("(0512) 5555-0000", "+8651255550000", id="a fixed line of a long area code"),
        pytest.param("+44 20 7946 0000", "+442079460000", id="another country's"),
    ],
)
def test_a_number_is_kept_in_one_form_however_it_is_written(written: str, phone: str) -> None:
    assert check_phone(written) == phone


@pytest.mark.parametrize(
    "written",
    ["", "1380000000", "138000000011", "12800000001", "110", "+86 110", "+0 138 0000 0001", "one three eight", "+44"],
)
def test_what_is_no_number_is_refused_at_its_field(written: str) -> None:
    with pytest.raises(Refused) as refused:
        check_phone(written)
    assert refused.value.field == "phone"


@pytest.mark.parametrize(
    ("phone", "full", "hidden", "by_message"),
    [
        pytest.param("+8613800000001", "138 0000 0001", "138****0001", True, id="a mobile number"),
        pytest.param("+862155550000", "02155550000", "021****0000", False, id="a fixed line"),
        pytest.param("+442079460000", "+442079460000", "+44****0000", True, id="another country's"),
    ],
)
def test_a_number_is_shown_or_masked(phone: str, full: str, hidden: str, by_message: bool) -> None:
    assert (shown(phone), masked(phone), is_mobile(phone)) == (full, hidden, by_message)
