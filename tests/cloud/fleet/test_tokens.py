from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud.core.clock import to_us
from cloud.core.database import Database
from cloud.core.errors import NotSignedIn
from cloud.fleet import boxes
from cloud.fleet.tokens import Tokens
from protocols.wire import TOKEN_LEEWAY_S, TOKEN_LIFETIME_S
from tests.clocks import FixedClock
from tests.cloud.fleet.boxes import Yard, token


@pytest.fixture
def tokens(database: Database, clock: FixedClock) -> Tokens:
    return Tokens(database, clock)


async def test_a_token_names_its_box(tokens: Tokens, clock: FixedClock, yard: Yard) -> None:
    assert await tokens.identify(yard.box.authorisation(clock)) == yard.box.identity


@pytest.mark.parametrize("off_s", [-TOKEN_LEEWAY_S, 0, TOKEN_LIFETIME_S + TOKEN_LEEWAY_S - 1])
async def test_a_token_is_good_within_its_life_and_the_leeway(
    tokens: Tokens, clock: FixedClock, yard: Yard, off_s: float
) -> None:
    authorisation = yard.box.authorisation(clock)
    clock.advance(seconds=off_s)
    assert await tokens.identify(authorisation) == yard.box.identity


@pytest.mark.parametrize("off_s", [-TOKEN_LEEWAY_S - 1, TOKEN_LIFETIME_S + TOKEN_LEEWAY_S])
async def test_a_token_of_another_time_is_refused_with_how_far_it_is_off(
    tokens: Tokens, clock: FixedClock, yard: Yard, off_s: float
) -> None:
    authorisation = yard.box.authorisation(clock)
    clock.advance(seconds=off_s)
    with pytest.raises(NotSignedIn, match=f"iat is {-off_s:.0f} seconds from the cloud's time"):
        await tokens.identify(authorisation)


async def test_a_token_that_was_good_ends_all_the_same(tokens: Tokens, clock: FixedClock, yard: Yard) -> None:
    authorisation = yard.box.authorisation(clock)
    await tokens.identify(authorisation)
    clock.advance(seconds=TOKEN_LIFETIME_S + TOKEN_LEEWAY_S)
    with pytest.raises(NotSignedIn, match="iat is"):
        await tokens.identify(authorisation)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"exp": 2_000_000_000}, "lives 300 seconds at most"),
        ({"exp": 0}, "lives 300 seconds at most"),
        ({"exp": "soon"}, "must be numbers"),
        ({"iat": None}, "must be numbers"),
        ({"aud": "elsewhere"}, "not good"),
        ({"iss": "-1"}, "no box id"),
        ({"iss": "1 or 1"}, "no box id"),
        ({"iss": "99999"}, "There is no box 99999"),
    ],
    ids=["too long", "ended before it began", "no end", "no beginning", "audience", "negative", "text", "nobody"],
)
async def test_a_token_that_says_something_wrong_is_refused(
    tokens: Tokens, clock: FixedClock, yard: Yard, claims: dict[str, Any], said: str
) -> None:
    with pytest.raises(NotSignedIn, match=said):
        await tokens.identify(yard.box.authorisation(clock, **claims))


@pytest.mark.parametrize(
    ("authorisation", "said"),
    [
        (None, "Authorization is missing"),
        ("", "Authorization is missing"),
        ("Bearer ", "Authorization is missing"),
        ("Bearer nonsense", "holds no token"),
        ("Bearer " + "x" * 100_000, "holds no token"),
        ("Basic dXNlcjpwYXNz", "holds no token"),
    ],
    ids=["none", "empty", "bare", "nonsense", "endless", "another scheme"],
)
async def test_what_is_no_token_is_refused(tokens: Tokens, authorisation: str | None, said: str) -> None:
    with pytest.raises(NotSignedIn, match=said):
        await tokens.identify(authorisation)


async def test_a_token_signed_with_another_key_is_refused(tokens: Tokens, clock: FixedClock, yard: Yard) -> None:
    forged = token(Ed25519PrivateKey.generate(), yard.box.identity.box_id, to_us(clock.now()) / 1_000_000)
    with pytest.raises(NotSignedIn, match="Signature verification failed"):
        await tokens.identify(f"Bearer {forged}")


async def test_a_token_of_a_neighbours_box_names_the_neighbours(
    tokens: Tokens, clock: FixedClock, yard: Yard, neighbour: Yard
) -> None:
    forged = token(neighbour.box.key, yard.box.identity.box_id, to_us(clock.now()) / 1_000_000)
    with pytest.raises(NotSignedIn):
        await tokens.identify(f"Bearer {forged}")
    assert await tokens.identify(neighbour.box.authorisation(clock)) == neighbour.box.identity


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_a_token_by_another_algorithm_is_refused(
    tokens: Tokens, clock: FixedClock, yard: Yard, algorithm: str
) -> None:
    now_s = to_us(clock.now()) / 1_000_000
    said = {"iss": str(yard.box.identity.box_id), "aud": "gatehouse", "iat": now_s, "exp": now_s + 60}
    secret = None if algorithm == "none" else yard.box.identity.key
    with pytest.raises(NotSignedIn, match="not good"):
        await tokens.identify(f"Bearer {jwt.encode(said, secret, algorithm=algorithm)}")


async def test_a_box_that_was_shown_out_is_refused(
    database: Database, tokens: Tokens, clock: FixedClock, yard: Yard
) -> None:
    async with database.transaction() as session:
        await boxes.revoke(session, clock, yard.administrator, box_id=yard.box.identity.box_id)
    with pytest.raises(NotSignedIn, match="shown out"):
        await tokens.identify(yard.box.authorisation(clock))
