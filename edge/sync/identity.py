"""Who the box is: a key pair that it makes itself, and the id that the cloud gave it for that key."""

import base64
import logging
import stat
from pathlib import Path
from typing import Self

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from edge.errors import SettingsRefused
from edge.sync.durable import replace_file
from protocols.wire import TOKEN_AUDIENCE, TOKEN_LIFETIME_S, Claimed

log = logging.getLogger(__name__)

KEY_FILE = "identity.key"
CLAIM_FILE = "claimed.json"

_RENEW_S = 60
"""Before its end, so that a token does not run out on a slow line."""


class _Claim(msgspec.Struct, frozen=True):
    box_id: str
    name: str


class Identity:
    """A box's key and claim. The private key stays in its file and in this object."""

    def __init__(self, folder: Path, key: Ed25519PrivateKey, claim: _Claim | None) -> None:
        """Hold what `Identity.load` has read."""
        self._folder = folder
        self._key = key
        self._claim = claim
        self._token = ""
        self._token_s = range(0)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the identity kept in the folder; a key is made if there is none.

        Raises:
            SettingsRefused: the folder can't be written, or one of the files is not what it should be.
        """
        try:
            return cls(folder, _load_or_make_key(folder / KEY_FILE), _load_claim(folder / CLAIM_FILE))
        except OSError as error:
            raise SettingsRefused(f"{folder}: {error}; the box needs a folder of its own that it can write") from error

    @property
    def public_key(self) -> str:
        """Ed25519 public key, 32 bytes as unpadded base64url."""
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    @property
    def box_id(self) -> str | None:
        """The id that the cloud gave; None before the box was claimed."""
        return self._claim.box_id if self._claim else None

    @property
    def name(self) -> str | None:
        """What people call the box; None before it was claimed."""
        return self._claim.name if self._claim else None

    def remember(self, claimed: Claimed) -> None:
        """Keep the cloud's answer to a claim.

        Raises:
            OSError: the folder can't be written.
        """
        claim = _Claim(claimed.box_id, claimed.name)
        replace_file(self._folder / CLAIM_FILE, msgspec.json.encode(claim))
        self._claim = claim

    def token(self, cloud_now_us: int) -> str:
        """Return a token that is good for the next minute at least, by the cloud's clock.

        Raises:
            SettingsRefused: the box was not claimed.
        """
        if self._claim is None:
            raise SettingsRefused("the box belongs to nobody yet; claim it with a code from the cloud")
        now_s = cloud_now_us // 1_000_000
        if now_s not in self._token_s:
            claims = {
                "iss": self._claim.box_id,
                "aud": TOKEN_AUDIENCE,
                "iat": now_s,
                "exp": now_s + TOKEN_LIFETIME_S,
            }
            self._token = jwt.encode(claims, self._key, algorithm="EdDSA")
            self._token_s = range(now_s, now_s + TOKEN_LIFETIME_S - _RENEW_S)
        return self._token

    def forget_token(self) -> None:
        """Make a new token for the next request: the cloud refused the last one."""
        self._token_s = range(0)


def _load_or_make_key(file: Path) -> Ed25519PrivateKey:
    if not file.exists():
        key = Ed25519PrivateKey.generate()
        replace_file(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return key
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        log.warning("%s could be read by others; it is closed to them now", file)
        file.chmod(0o600)
    try:
        loaded = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        loaded = None  # the library's message may quote the file
    if not isinstance(loaded, Ed25519PrivateKey):
        raise SettingsRefused(f"{file}: holds no Ed25519 key; delete it and claim the box again")
    return loaded


def _load_claim(file: Path) -> _Claim | None:
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Claim)
    except msgspec.MsgspecError as error:
        raise SettingsRefused(f"{file}: {error}; delete it and claim the box again") from error
