import pytest

from cloud.web.session import local_path


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/alarms?sort=-at", "/alarms?sort=-at"),
        ("/", "/"),
        (None, "/"),
        ("", "/"),
        ("alarms", "/"),
        ("https://elsewhere.test/", "/"),
        ("//elsewhere.test/", "/"),
        ("/\\elsewhere.test/", "/"),
        ("/\telsewhere", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_nobody_is_sent_elsewhere_by_a_link_to_us(target: str | None, path: str) -> None:
    assert local_path(target) == path
