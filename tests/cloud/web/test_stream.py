from cloud.web import stream
from cloud.web.live import Hub
from tests.cloud.web.conftest import Browser, Site


async def test_a_stream_asks_for_a_session(stranger: Browser) -> None:
    response = await stranger.get("/live", headers={"Accept": "text/event-stream"})
    assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")


async def test_a_stream_ends_with_its_session(operator: Browser, site: Site) -> None:
    token = operator.cookies["gatehouse_session"]
    frame = site.app.state.frame
    await operator.send_form("/sign-out", page="/things")
    events = stream._events(frame, token, site.estate.organisation_id)
    for _ in range(stream._BEATS_BETWEEN_CHECKS):
        site.hub.bump(site.estate.organisation_id, "things")
        assert "things" in await anext(events)
    assert await anext(events) == "event: ended\ndata:\n\n"
    assert [event async for event in events] == []


async def test_a_stream_lets_go_of_the_hub_when_the_browser_leaves(operator: Browser, site: Site) -> None:
    events = stream._events(site.app.state.frame, operator.cookies["gatehouse_session"], site.estate.organisation_id)
    await anext(events)
    await events.aclose()
    hub: Hub = site.hub
    assert not any(hub._waiting.values())


async def test_a_stream_warns_before_its_session_ends_and_not_after_it_was_prolonged(
    operator: Browser, site: Site
) -> None:
    frame = site.app.state.frame
    organisation_id = site.estate.organisation_id
    events = stream._events(frame, operator.cookies["gatehouse_session"], organisation_id)
    site.clock.advance(hours=11, minutes=58)
    for _ in range(stream._BEATS_BETWEEN_CHECKS):
        site.hub.bump(organisation_id, "things")
        await anext(events)
    assert await anext(events) == "event: ending\ndata:\n\n"
    await operator.get("/me")
    for _ in range(2 * stream._BEATS_BETWEEN_CHECKS):
        site.hub.bump(organisation_id, "things")
        assert "things" in await anext(events)
    await events.aclose()
