"""The opening scenario goes on: last week's trade fills every view, and today's clearing knows nothing of it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.demo import service as demo
from app.demo.trades import TRADES
from app.outbox import relay
from app.parties import queries as parties
from tests.conftest import NOW

#: what became of each trade, in their order
OUTCOMES = ["settled", "delivered", "delivered", "in_transit", "in_transit", "scheduled"]
#: a Friday night in Blitar, when it is Saturday in Samarinda
NIGHT = datetime.fromisoformat("2026-11-27T23:30:00+07:00")
DAYS = [NOW + timedelta(days=day) for day in range(1, 7)]


async def load(api: Any, now: datetime) -> Any:
    api.clock.at = now
    api.keys = await api.database.retried(lambda session: demo.load_scenario(session, environment="test", now=now))
    return api


async def orders(api: Any) -> list[dict[str, Any]]:
    found = await api.walk("/v1/orders", api.keys.hub)
    return sorted(found, key=lambda order: str(order["number"]))


def told(matches: Iterable[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Who sells how much to whom, when and at which price."""
    fields = ("departs_on", "lane_code", "commodity", "grade", "quantity", "producer_price_idr", "delivered_price_idr")
    names = [(match["producer"]["name"], match["buyer"]["name"]) for match in matches]
    return sorted((*who, *(match[name] for name in fields)) for who, match in zip(names, matches, strict=True))


async def test_todays_clearing_is_the_same_as_without_last_week(scenario: Any, week: Any) -> None:
    without = await scenario.walk("/v1/matches", scenario.keys.hub)
    assert len(without) == 32
    assert told(await week.walk("/v1/matches", week.keys.hub)) == told(without)


async def test_each_trade_came_as_far_as_it_says(week: Any) -> None:
    found = await orders(week)
    assert [order["status"] for order in found] == OUTCOMES
    dealt = [(trade.buyer, [(sold.producer, sold.kilograms) for sold in trade.lines]) for trade in TRADES]
    assert dealt == [
        (order["buyer"]["name"], [(line["producer"]["name"], line["quantity"]) for line in order["lines"]])
        for order in found
    ]
    assert {order["source"] for order in found} == {"deal"}


async def test_one_delivery_is_paid_one_short_and_one_disputed(week: Any) -> None:
    paid, short, disputed, *_ = await orders(week)
    loaded = {order["id"]: await receipt(week, order) for order in (paid, short, disputed)}
    weights = [(one["loaded_g"], sum(line["payable_g"] for line in one["lines"])) for one in loaded.values()]
    assert weights == [(3_000_000, 3_000_000), (5_004_000, 4_850_000), (4_000_000, 0)]
    assert loaded[disputed["id"]]["dispute"]["status"] == "open"
    assert (paid["delivered_on"], disputed["delivered_on"]) == (paid["arrives_on"], "2026-11-23")
    assert disputed["arrives_on"] == "2026-11-22"
    money = [await settlement(week, order) for order in (paid, short, disputed)]
    assert [bill["open_idr"] > 0 for bill in money] == [False, True, False]
    assert {payee["open_idr"] for payee in money[0]["payees"]} == {0}
    assert (money[1]["received_idr"], money[2]["billed_idr"]) == (money[1]["billed_idr"] // 2, 0)


async def receipt(api: Any, order: dict[str, Any]) -> dict[str, Any]:
    (one,) = await api.walk(f"/v1/orders/{order['id']}/receipts", api.keys.hub)
    found: dict[str, Any] = one
    return found


async def settlement(api: Any, order: dict[str, Any]) -> dict[str, Any]:
    answer = await api.get(f"/v1/orders/{order['id']}/settlement", headers=api.as_(api.keys.hub))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("stage", ["ordered", "delivered"])
@pytest.mark.parametrize("name", ["summary", "balance", "prices", "prices-history", "flows", "freshness", "benefit"])
async def test_a_dashboard_of_a_stage_has_something_to_show(week: Any, name: str, stage: str) -> None:
    assert (await week.get(f"/v1/dashboard/{name}?stage={stage}")).json()["items"]


async def test_other_dashboards_have_something_to_show(week: Any) -> None:
    for name in ("service-level", "lanes", "data-quality"):
        assert (await week.get(f"/v1/dashboard/{name}")).json()["items"], name
    by_party = await week.get("/v1/dashboard/service-level?by=producer", headers=week.as_(week.keys.hub))
    late = {row["party_name"]: row["late"] for row in by_party.json()["items"]}
    assert late["Penggilingan Garum (contoh)"] == 1
    assert late["Koperasi peternak Ponggok (contoh)"] == 0
    lanes = (await week.get("/v1/dashboard/lanes?stage=delivered")).json()["items"]
    assert sum(row["carried_kg"] for row in lanes) == 12_000
    benefit = (await week.get("/v1/dashboard/benefit?stage=delivered")).json()["items"]
    assert {row["city_kind"] for row in benefit} == {"hap", "het"}


async def test_every_list_has_something_to_show_to_those_whom_it_concerns(week: Any) -> None:
    async with week.database.transaction() as session:
        await relay.publish(session, now=NOW, hubs_of=parties.hubs_of)
    buyer, producer = week.keys.buyers[TRADES[0].buyer], week.keys.producers[TRADES[0].lines[0].producer]
    for path in ("/v1/orders", "/v1/shipments", "/v1/statements", "/v1/payments", "/v1/events", "/v1/matches"):
        for key in (week.keys.hub, buyer, producer):
            assert await week.walk(path, key), path


@pytest.mark.parametrize("now", [*DAYS, NIGHT], ids=lambda now: f"{now:%a %H}")
async def test_the_week_is_told_on_any_day_and_at_any_hour(api: Any, now: datetime) -> None:
    assert [order["status"] for order in await orders(await load(api, now))] == OUTCOMES


async def test_what_happened_is_told_in_order_and_never_in_the_future(week: Any) -> None:
    async with week.database.reader() as session:
        at = (await session.scalars(text("SELECT at FROM outbox ORDER BY id"))).all()
    assert max(at) < NOW + timedelta(seconds=1)
    assert at[-1] >= NOW


async def test_trade_that_is_forbidden_by_now_is_left_out_and_the_rest_is_loaded(api: Any) -> None:
    await load(api, datetime.fromisoformat("2031-01-15T08:00:00+07:00"))
    # of the agreements that the data has, only Samarinda's end without another that goes on
    assert [order["region"] for order in await orders(api)] == ["32.75", "31", "35.78", "32.76", "33.72"]
    assert [row for row in await api.walk("/v1/listings", api.keys.hub) if row["status"] == "open"]
