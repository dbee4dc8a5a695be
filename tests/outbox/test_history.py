"""What happened is written with the change that made it happen: the events of a subject, in order, are its history."""

from typing import Any

from sqlalchemy import text

from tests.matching.melons import FIRST, SHOP, Melons


async def history(api: Any, subject: dict[str, Any]) -> list[str]:
    statement = text("SELECT name FROM outbox WHERE subject_id = :id ORDER BY id")
    async with api.database.reader() as session:
        return list(await session.scalars(statement, {"id": subject["id"]}))


async def told_to(api: Any, name: str) -> set[str]:
    statement = text(
        "SELECT o.name FROM outbox JOIN organizations o ON o.id = ANY(organizations) WHERE outbox.name = :name"
    )
    async with api.database.reader() as session:
        return set(await session.scalars(statement, {"name": name}))


async def test_a_listing_tells_its_life(scenario: Any) -> None:
    market = Melons(scenario)
    listing, _ = await market.offer(quantity=400), await market.need(quantity=400)
    await market.change(FIRST, listing, note="manis")
    await market.clear()
    (match,) = await market.matches()
    await market.answer(SHOP, match, "decline")
    key = scenario.as_(scenario.keys.producers[FIRST])
    for action in ("renew", "withdraw"):
        assert (await scenario.post(f"/v1/listings/{listing['id']}/{action}", headers=key)).is_success
    assert await history(scenario, listing) == [
        "listing.published",
        "listing.changed",
        "listing.exhausted",
        "listing.reopened",
        "listing.renewed",
        "listing.withdrawn",
    ]
    assert await history(scenario, match) == ["match.proposed", "match.declined"]


async def test_a_match_is_told_to_its_two_sides(scenario: Any) -> None:
    market = Melons(scenario)
    await market.offer()
    await market.need()
    await market.clear()
    (match,) = await market.matches()
    for who in (FIRST, SHOP):
        await market.answer(who, match, "confirm")
    assert await history(scenario, match) == ["match.proposed", "match.accepted", "match.confirmed"]
    assert await told_to(scenario, "match.confirmed") == {FIRST, SHOP}


async def test_a_refused_change_tells_nothing(committed: Any) -> None:
    market = Melons(committed)
    listing = await market.offer(external_ref="A")
    other = await market.offer(external_ref="B")
    assert (await market.change(FIRST, other, external_ref="A")).status_code == 409
    assert (await market.change(FIRST, listing, quantity=0)).status_code == 422
    assert await history(committed, other) == await history(committed, listing) == ["listing.published"]
