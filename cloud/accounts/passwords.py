"""Argon2id hashes of passwords, reckoned beside the event loop."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's password storage cheat sheet, first choice of Argon2id: some 25 ms, which a sign-in may hold SQLite's writer.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# As many at once and no more: a flood of sign-ins takes neither all cores nor all memory.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
_ONE_TIME_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that a voice on the telephone confuses
_ONE_TIME_GROUPS = 3


async def hash_password(password: str) -> str:
    """Return the hash with its parameters and salt."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, password)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTime:
    """A password for a first sign-in: its text is shown once, and its hash kept."""

    text: str
    hash: str


async def draw() -> OneTime:
    """Return a fresh one-time password with its hash."""
    text = one_time_password()
    return OneTime(text=text, hash=await hash_password(text))


async def matches(password_hash: str | None, password: str) -> bool:
    """Return whether the password is the one that was hashed; with None it takes as long and is not."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _verify, password_hash, password)


def is_outdated(password_hash: str) -> bool:
    """Return whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def one_time_password() -> str:
    """Return a fresh password that is easily read out: 12 letters and digits in groups of four, 60 bits."""
    groups = ("".join(secrets.choice(_ONE_TIME_ALPHABET) for _ in range(4)) for _ in range(_ONE_TIME_GROUPS))
    return "-".join(groups)


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        _HASHER.verify(password_hash or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _nobodys() -> str:
    """Return the hash of a password that nobody knows, which stands in for a login that nobody has."""
    return _HASHER.hash(secrets.token_hex(32))
