import base64
import logging
import stat
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.errors import SettingsRefused
from edge.sync.identity import CLAIM_FILE, KEY_FILE, Identity
from protocols.wire import TOKEN_AUDIENCE, Claimed

NOW_US = 1_772_438_400_000_000


@pytest.fixture
def claimed(tmp_path: Path) -> Identity:
    identity = Identity.load(tmp_path)
    identity.remember(Claimed(v=1, box_id="box-7", name="地下室", time_us=NOW_US))
    return identity


def _key(identity: Identity) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(identity.public_key + "="))


def _claims(identity: Identity, token: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(
        token, _key(identity), ["EdDSA"], audience=TOKEN_AUDIENCE, options={"verify_exp": False, "verify_iat": False}
    )
    return claims


def test_a_box_makes_its_key_once_and_keeps_it(tmp_path: Path) -> None:
    assert Identity.load(tmp_path).public_key == Identity.load(tmp_path).public_key


def test_two_boxes_have_two_keys(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    assert Identity.load(folders[0]).public_key != Identity.load(folders[1]).public_key


def test_only_the_box_itself_can_read_its_key(tmp_path: Path) -> None:
    Identity.load(tmp_path)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_a_key_that_others_could_read_is_closed_to_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Identity.load(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    Identity.load(tmp_path)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert "could be read by others" in caplog.text


def test_a_claim_is_kept(claimed: Identity, tmp_path: Path) -> None:
    identity = Identity.load(tmp_path)
    assert (identity.box_id, identity.name) == ("box-7", "地下室")


def test_a_box_that_nobody_claimed_has_no_id_and_no_token(tmp_path: Path) -> None:
    identity = Identity.load(tmp_path)
    assert (identity.box_id, identity.name) == (None, None)
    with pytest.raises(SettingsRefused, match="claim it with a code"):
        identity.token(NOW_US)


def test_a_token_says_who_to_whom_and_when_by_the_clouds_clock(claimed: Identity) -> None:
    assert _claims(claimed, claimed.token(NOW_US)) == {
        "iss": "box-7",
        "aud": "gatehouse",
        "iat": NOW_US // 1_000_000,
        "exp": NOW_US // 1_000_000 + 300,
    }


@pytest.mark.parametrize(
    ("later_s", "same"),
    [(0, True), (239, True), (240, False), (-1, False)],
    ids=["at once", "a minute before its end", "nearer to its end", "when the clock was set back"],
)
def test_a_token_is_used_again_until_a_minute_before_its_end(claimed: Identity, later_s: int, same: bool) -> None:
    token = claimed.token(NOW_US)
    assert (claimed.token(NOW_US + later_s * 1_000_000) == token) is same


def test_a_token_that_was_refused_is_not_used_again(claimed: Identity) -> None:
    claimed.token(NOW_US)
    claimed.forget_token()
    assert _claims(claimed, claimed.token(NOW_US + 5_000_000))["iat"] == NOW_US // 1_000_000 + 5


@pytest.mark.parametrize("file", [KEY_FILE, CLAIM_FILE])
def test_a_damaged_file_is_an_error_that_names_it_and_the_mend(claimed: Identity, tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("-----BEGIN SOMETHING-----")
    with pytest.raises(SettingsRefused, match=rf"{file}.*delete it and claim the box again"):
        Identity.load(tmp_path)


def test_a_folder_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match=r"nowhere.*a folder of its own"):
        Identity.load(tmp_path / "nowhere")


def test_the_private_key_is_never_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        identity = Identity.load(tmp_path)
        identity.remember(Claimed(v=1, box_id="box-7", name="地下室", time_us=NOW_US))
        identity.token(NOW_US)
    secret = (tmp_path / KEY_FILE).read_text().splitlines()[1]
    assert secret not in caplog.text
    assert secret not in repr(vars(identity))
