import json

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from cloud.api.mail_hook import PATH, SIGNATURE, MailHook, sign
from cloud.core.clock import Clock
from cloud.core.errors import Malformed
from cloud.reception.intake import MailIntake
from cloud.reception.letters import MAXIMUM_BYTES
from cloud.reception.mail_tables import MailState
from tests.clocks import FixedClock
from tests.cloud.reception.mails import written

SECRET = b"shared"


class Noted(MailIntake):
    """An intake that knows what it had."""

    def __init__(self) -> None:
        self.taken: set[bytes] = set()

    async def take(self, raw: bytes, *, left_out: int = 0) -> MailState | None:
        if not raw:
            raise Malformed("This mail has no sender.")
        is_known = raw in self.taken
        self.taken.add(raw)
        return None if is_known else MailState.NEW


async def _post(clock: Clock, intake: MailIntake, body: bytes, signature: str | None = None) -> tuple[int, str]:
    app = FastAPI(openapi_url=None)
    app.include_router(MailHook(intake, clock, secret=SecretStr(SECRET.decode())).router())
    at_s = int(clock.now().timestamp())
    headers = {SIGNATURE: sign(body, secret=SECRET, at_s=at_s) if signature is None else signature}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gatehouse.test") as client:
        answer = await client.post(PATH, content=body, headers=headers)
    said = json.loads(answer.text)
    return answer.status_code, said.get("state") or said["code"]


async def test_a_signed_mail_is_taken_and_sent_again_changes_nothing(clock: FixedClock) -> None:
    intake, body = Noted(), written()
    assert [await _post(clock, intake, body) for _try in range(2)] == [(200, "new"), (200, "known")]


@pytest.mark.parametrize(
    ("signature", "age_s"),
    [("", 0), ("t=1,v1=" + "0" * 64, 0), (None, 301), (None, -301)],
    ids=["none", "forged", "old", "from the future"],
)
async def test_what_nobody_signed_a_moment_ago_is_refused(clock: FixedClock, signature: str | None, age_s: int) -> None:
    body, intake = written(), Noted()
    old = sign(body, secret=SECRET, at_s=int(clock.now().timestamp()) - age_s)
    assert await _post(clock, intake, body, old if signature is None else signature) == (401, "not_signed_in")
    assert intake.taken == set()


async def test_another_body_under_a_good_signature_is_refused(clock: FixedClock) -> None:
    good = sign(written(), secret=SECRET, at_s=int(clock.now().timestamp()))
    assert await _post(clock, Noted(), written(text="send money"), good) == (401, "not_signed_in")


async def test_what_is_too_large_or_no_mail_is_said_so(clock: FixedClock) -> None:
    assert await _post(clock, Noted(), b"x" * (MAXIMUM_BYTES + 1)) == (413, "too_large")
    assert await _post(clock, Noted(), b"") == (422, "malformed")
