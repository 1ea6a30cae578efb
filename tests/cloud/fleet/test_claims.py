import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from cloud.core.database import Database
from cloud.core.errors import Forbidden, GatehouseError, Malformed, NotFound, NotSignedIn
from cloud.core.principal import Role
from cloud.fleet import boxes, claims
from cloud.fleet.claims import ClaimedElsewhere, ClaimExpired, ClaimUnknown, ClaimUsed, IssuedCode
from cloud.fleet.tables import ClaimCodeRow
from cloud.fleet.tokens import Tokens
from cloud.fleet.versions import VersionRefused
from protocols.wire import WIRE_VERSION, Claim, Claimed
from tests.clocks import FixedClock
from tests.cloud.fleet.boxes import Yard, public_key


async def _issue(database: Database, clock: FixedClock, yard: Yard, *, name: str = "地下室网关") -> IssuedCode:
    async with database.transaction() as session:
        return await claims.issue(
            session, clock, yard.administrator, community_id=yard.community_id, place_id=yard.place_id, box_name=name
        )


async def _issue_again(database: Database, clock: FixedClock, yard: Yard) -> IssuedCode:
    async with database.transaction() as session:
        return await claims.issue_again(session, clock, yard.administrator, box_id=yard.box.identity.box_id)


async def _claim(
    database: Database, clock: FixedClock, code: str, key: str | None = None, *, v: int = WIRE_VERSION
) -> Claimed:
    message = Claim(v=v, code=code, public_key=key or public_key(Ed25519PrivateKey.generate()), software="edge 1.0")
    async with database.transaction() as session:
        return await claims.claim(session, clock, message=message)


async def test_a_code_makes_a_box_of_its_place(database: Database, clock: FixedClock, yard: Yard) -> None:
    issued = await _issue(database, clock, yard)
    claimed = await _claim(database, clock, issued.code)
    async with database.reading() as session:
        box = await boxes.visible_box(session, yard.administrator, box_id=int(claimed.box_id))
    assert (claimed.name, box.name, box.place_id, box.software) == (
        "地下室网关",
        "地下室网关",
        yard.place_id,
        "edge 1.0",
    )


async def test_a_code_is_kept_only_as_its_hash(database: Database, clock: FixedClock, yard: Yard) -> None:
    issued = await _issue(database, clock, yard)
    async with database.reading() as session:
        row = (await session.scalars(select(ClaimCodeRow).order_by(ClaimCodeRow.id.desc()))).first()
    kept = str({column.name: getattr(row, column.name) for column in ClaimCodeRow.__table__.columns})
    assert issued.code.replace("-", "") not in kept
    assert len(row.code_hash) == 64


async def test_the_same_box_may_ask_again_for_an_answer_that_got_lost(
    database: Database, clock: FixedClock, yard: Yard
) -> None:
    issued = await _issue(database, clock, yard)
    key = public_key(Ed25519PrivateKey.generate())
    first = await _claim(database, clock, issued.code, key)
    clock.advance(days=3)
    again = await _claim(database, clock, issued.code, key)
    assert (again.box_id, again.name) == (first.box_id, first.name)


async def test_an_unknown_code_is_said_to_be_unknown(database: Database, clock: FixedClock, yard: Yard) -> None:
    with pytest.raises(ClaimUnknown, match="unknown"):
        await _claim(database, clock, "01AB-CDEF-GHJS")


async def test_a_used_code_is_said_to_be_used(database: Database, clock: FixedClock, yard: Yard) -> None:
    issued = await _issue(database, clock, yard)
    await _claim(database, clock, issued.code)
    with pytest.raises(ClaimUsed, match="has been used"):
        await _claim(database, clock, issued.code)


async def test_a_code_expires_after_a_day(database: Database, clock: FixedClock, yard: Yard) -> None:
    issued = await _issue(database, clock, yard)
    clock.set(issued.expires_at)
    with pytest.raises(ClaimExpired, match="has expired"):
        await _claim(database, clock, issued.code)


async def test_a_mistyped_code_is_said_to_be_mistyped(database: Database, clock: FixedClock, yard: Yard) -> None:
    with pytest.raises(Malformed, match="mistyped"):
        await _claim(database, clock, "01AB-CDEF-GHJT")


async def test_another_companys_box_must_be_released_there(
    database: Database, clock: FixedClock, yard: Yard, neighbour: Yard
) -> None:
    issued = await _issue(database, clock, yard)
    with pytest.raises(ClaimedElsewhere, match="belongs to another company"):
        await _claim(database, clock, issued.code, neighbour.box.identity.key)


async def test_a_box_of_ours_is_named_when_it_comes_with_another_boxs_code(
    database: Database, clock: FixedClock, yard: Yard
) -> None:
    issued = await _issue(database, clock, yard)
    with pytest.raises(ClaimedElsewhere, match="already claimed as 3 栋网关"):
        await _claim(database, clock, issued.code, yard.box.identity.key)


async def test_a_code_for_a_box_replaces_its_key_and_nothing_else(
    database: Database, clock: FixedClock, yard: Yard
) -> None:
    key = Ed25519PrivateKey.generate()
    issued = await _issue_again(database, clock, yard)
    claimed = await _claim(database, clock, issued.code, public_key(key))
    assert (claimed.box_id, claimed.name) == (str(yard.box.identity.box_id), "3 栋网关")
    with pytest.raises(NotSignedIn):
        await Tokens(database, clock).identify(yard.box.authorisation(clock))


async def test_the_same_box_may_be_claimed_again_with_the_key_it_has(
    database: Database, clock: FixedClock, yard: Yard
) -> None:
    issued = await _issue_again(database, clock, yard)
    claimed = await _claim(database, clock, issued.code, yard.box.identity.key)
    assert claimed.box_id == str(yard.box.identity.box_id)


async def test_a_box_that_was_shown_out_comes_back_with_a_code_for_it(
    database: Database, clock: FixedClock, yard: Yard
) -> None:
    async with database.transaction() as session:
        await boxes.revoke(session, clock, yard.administrator, box_id=yard.box.identity.box_id)
    issued = await _issue_again(database, clock, yard)
    await _claim(database, clock, issued.code, yard.box.identity.key)
    identity = await Tokens(database, clock).identify(yard.box.authorisation(clock))
    assert identity == yard.box.identity


async def test_a_box_that_was_shown_out_here_may_go_to_another_company(
    database: Database, clock: FixedClock, yard: Yard, neighbour: Yard
) -> None:
    async with database.transaction() as session:
        await boxes.revoke(session, clock, neighbour.administrator, box_id=neighbour.box.identity.box_id)
    issued = await _issue(database, clock, yard)
    claimed = await _claim(database, clock, issued.code, neighbour.box.identity.key)
    assert claimed.name == "地下室网关"


@pytest.mark.parametrize("key", ["", "AAAA", "!" * 43, "A" * 44], ids=["none", "short", "not base64", "long"])
async def test_a_key_that_is_none_is_refused(database: Database, clock: FixedClock, yard: Yard, key: str) -> None:
    message = Claim(v=WIRE_VERSION, code="01AB-CDEF-GHJS", public_key=key)
    with pytest.raises(Malformed, match="public_key is no Ed25519 key"):
        async with database.transaction() as session:
            await claims.claim(session, clock, message=message)


async def test_a_claim_of_another_version_is_refused(database: Database, clock: FixedClock, yard: Yard) -> None:
    issued = await _issue(database, clock, yard)
    with pytest.raises(VersionRefused, match="v is 9"):
        await _claim(database, clock, issued.code, v=9)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
async def test_only_an_administrator_issues_codes_and_shows_boxes_out(
    database: Database, clock: FixedClock, yard: Yard, role: Role
) -> None:
    principal = yard.estate.principals[role]
    async with database.transaction() as session:
        with pytest.raises(Forbidden):
            await claims.issue(session, clock, principal, community_id=yard.community_id, box_name="x")
        with pytest.raises(Forbidden):
            await claims.issue_again(session, clock, principal, box_id=yard.box.identity.box_id)
        with pytest.raises(Forbidden):
            await boxes.revoke(session, clock, principal, box_id=yard.box.identity.box_id)
        with pytest.raises(Forbidden):
            await claims.open_codes(session, clock, principal)
        with pytest.raises(Forbidden):
            await claims.withdraw(session, clock, principal, code_id=1)
        with pytest.raises(Forbidden):
            await boxes.rename(session, clock, principal, box_id=yard.box.identity.box_id, name="x")


async def test_a_neighbours_community_place_and_box_are_not_there(
    database: Database, clock: FixedClock, yard: Yard, neighbour: Yard
) -> None:
    async with database.transaction() as session:
        for community_id, place_id in (
            (neighbour.community_id, None),
            (neighbour.community_id, neighbour.place_id),
            (yard.community_id, neighbour.place_id),
        ):
            with pytest.raises(NotFound):
                await claims.issue(
                    session, clock, yard.administrator, community_id=community_id, place_id=place_id, box_name="x"
                )
        with pytest.raises(NotFound):
            await claims.issue_again(session, clock, yard.administrator, box_id=neighbour.box.identity.box_id)
        with pytest.raises(NotFound):
            await boxes.revoke(session, clock, yard.administrator, box_id=neighbour.box.identity.box_id)


@pytest.mark.parametrize("name", ["", "   ", "x" * 121], ids=["empty", "blank", "too long"])
async def test_a_box_needs_a_name(database: Database, clock: FixedClock, yard: Yard, name: str) -> None:
    with pytest.raises(GatehouseError, match="1 to 120 characters"):
        await _issue(database, clock, yard, name=name)


async def test_a_box_is_renamed(database: Database, clock: FixedClock, yard: Yard) -> None:
    async with database.transaction() as session:
        await boxes.rename(session, clock, yard.administrator, box_id=yard.box.identity.box_id, name=" 5 栋网关 ")
    async with database.reading() as session:
        box = await boxes.visible_box(session, yard.administrator, box_id=yard.box.identity.box_id)
    assert box.name == "5 栋网关"


async def test_an_open_code_is_listed_until_it_is_used_withdrawn_or_too_old(
    database: Database, clock: FixedClock, yard: Yard
) -> None:
    used = await _issue(database, clock, yard, name="甲")
    withdrawn = await _issue(database, clock, yard, name="乙")
    await _issue(database, clock, yard, name="丙")
    await _claim(database, clock, used.code)
    async with database.transaction() as session:
        (second, _third) = await claims.open_codes(session, clock, yard.administrator)
        await claims.withdraw(session, clock, yard.administrator, code_id=second.id)
        assert [code.box_name for code in await claims.open_codes(session, clock, yard.administrator)] == ["丙"]
    with pytest.raises(claims.ClaimExpired):
        await _claim(database, clock, withdrawn.code)
    clock.advance(hours=24)
    async with database.reading() as session:
        assert await claims.open_codes(session, clock, yard.administrator) == []


async def test_a_neighbours_code_is_neither_listed_nor_withdrawn(
    database: Database, clock: FixedClock, yard: Yard, neighbour: Yard
) -> None:
    await _issue(database, clock, yard)
    async with database.transaction() as session:
        (code,) = await claims.open_codes(session, clock, yard.administrator)
        assert await claims.open_codes(session, clock, neighbour.administrator) == []
        with pytest.raises(NotFound):
            await claims.withdraw(session, clock, neighbour.administrator, code_id=code.id)
