"""Reading events: after a position nothing is missed, and everybody sees just what is their own."""

from typing import Any

import pytest
from sqlalchemy import text

from app.kit.ids import new_id
from app.outbox.events import Actor, Event
from app.outbox.service import record
from app.parties.models import Organization
from tests.conftest import NOW
from tests.outbox.test_relay import event, publish

PONGGOK, DEPOK = "Koperasi peternak Ponggok (contoh)", "Pedagang telur Depok (contoh)"


def key_of(api: Any, who: str) -> str:
    keys: dict[str, str] = {"hub": api.keys.hub, **api.keys.producers, **api.keys.buyers}
    return keys[who]


async def organization(api: Any, who: str) -> dict[str, Any]:
    me: dict[str, Any] = (await api.get("/v1/me", headers=api.as_(key_of(api, who)))).json()["organization"]
    return me


async def test_an_event_tells_what_happened_and_where_to_go_on(scenario: Any) -> None:
    await publish(scenario)
    events = await scenario.walk("/v1/events?limit=200", key_of(scenario, PONGGOK))
    published = events[0]
    assert (published["type"], published["timestamp"][:10]) == ("organization.registered", "2026-11-24")
    assert set(published) == {"position", "type", "timestamp", "subject", "data"}
    listing = next(told for told in events if told["type"] == "listing.published")
    assert listing["data"]["commodity"] == "telur-ayam-ras"
    rest = await scenario.walk(f"/v1/events?after={events[3]['position']}", key_of(scenario, PONGGOK))
    assert rest == events[4:]


async def test_walking_in_small_pages_misses_nothing(scenario: Any) -> None:
    await publish(scenario)
    for who in ("hub", DEPOK):
        whole = await scenario.walk("/v1/events?limit=200", key_of(scenario, who))
        assert await scenario.walk("/v1/events?limit=3", key_of(scenario, who)) == whole
    positions = [told["position"] for told in await scenario.walk("/v1/events", key_of(scenario, "hub"))]
    assert positions == list(range(1, len(positions) + 1))


async def test_an_organization_sees_what_concerns_it_and_nothing_else(scenario: Any) -> None:
    await publish(scenario)
    async with scenario.database.reader() as session:
        rows = (await session.execute(text("SELECT position, organizations FROM outbox"))).all()
    for who in (PONGGOK, DEPOK):
        me = (await organization(scenario, who))["id"]
        seen = {told["position"] for told in await scenario.walk("/v1/events", key_of(scenario, who))}
        mine = {row.position for row in rows if me in map(str, row.organizations)}
        assert seen == mine
        assert 3 < len(mine) < len(rows) / 2
    assert len(await scenario.walk("/v1/events", key_of(scenario, "hub"))) == len(rows)


async def test_a_hub_sees_its_own_and_not_another_hubs(scenario: Any) -> None:
    here, elsewhere = new_id(), new_id()
    async with scenario.database.transaction() as session:
        await register_at(session, "35.72", here)
        await register_at(session, "35.78", elsewhere)
        await record(session, event("test.here", here), event("test.elsewhere", elsewhere))
        await record(session, Event("test.done", new_id(), (), NOW, Actor(elsewhere), {}), event("test.everywhere"))
    await publish(scenario)
    seen = {told["type"] for told in await scenario.walk("/v1/events?type=test.*", key_of(scenario, "hub"))}
    assert seen == {"test.here", "test.everywhere"}


async def register_at(session: Any, hub: str, key: Any) -> None:
    """Register an organisation at another hub, which no route does yet."""
    values = {"id": key, "hub": hub, "name": f"Petani {hub}", "role": "producer", "kind": "koperasi", "region": hub}
    session.add(Organization(**values, status="active", created_at=NOW))
    await session.flush()


@pytest.mark.parametrize(
    ("types", "kinds"),
    [
        ("type=listing.published", {"listing.published"}),
        ("type=listing.*", {"listing.published", "listing.exhausted"}),
        ("type=listing.*&type=match.proposed", {"listing.published", "listing.exhausted", "match.proposed"}),
        ("type=list.*", set()),
    ],
)
async def test_types_choose(scenario: Any, types: str, kinds: set[str]) -> None:
    await publish(scenario)
    events = await scenario.walk(f"/v1/events?limit=20&{types}", key_of(scenario, "hub"))
    assert {told["type"] for told in events} == kinds


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=9223372036854775808", "type=%25", "type=a.b.c", "limit=0"]
)
async def test_a_wrong_parameter_is_named(scenario: Any, query: str) -> None:
    answer = await scenario.get(f"/v1/events?{query}", headers=scenario.as_(key_of(scenario, "hub")))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == query.partition("=")[0]


async def test_polling_an_unchanged_feed_costs_nothing(scenario: Any) -> None:
    await publish(scenario)
    headers = scenario.as_(key_of(scenario, DEPOK))
    first = await scenario.get("/v1/events?after=0", headers=headers)
    again = await scenario.get("/v1/events?after=0", headers={**headers, "If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
