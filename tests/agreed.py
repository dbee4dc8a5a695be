"""The opening scenario with last week's trade, gone on until there is a row of every kind."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.jobs import service as jobs
from app.kit.principal import Principal, Role
from tests.imports.conftest import refused_import
from tests.orders.trade import Trade
from tests.outbox.test_relay import publish
from tests.webhooks.receivers import endpoint_of

#: ids by the name of their place in addresses; the first is the first producer's, of demands the first buyer's
Known = Mapping[str, Sequence[str]]

LISTS = {
    "listing_id": "listings",
    "demand_id": "demands",
    "match_id": "matches?status=proposed",
    "order_id": "orders",
    "shipment_id": "shipments",
    "run_id": "clearing-runs",
    "lane_id": "lanes",
    "agreement_id": "agreements",
    "price_id": "price-references",
    "organization_id": "organizations",
    "statement_id": "bank-statements",
}


async def go_on(api: Any) -> Known:
    """Agree on half of what is proposed, let half of that leave and a part arrive; return what there is now."""
    seller, buyer = next(iter(api.keys.producers.values())), next(iter(api.keys.buyers.values()))
    rows = await rows_of(api, seller, buyer)
    await agree_on_half(api, but=rows["match_id"])
    proposed = await api.walk("/v1/matches?status=proposed", api.keys.hub)
    other = next(match for match in proposed if match["id"] != rows["match_id"])
    price = {"producer_price_idr": other["producer_price_idr"] - 1, "side": "demand"}
    await Trade(api).done(f"/matches/{other['id']}/counter-offer", **price)
    await publish(api)
    known = {"code": ["35.05", "beras"], "kind": ["listings"], **{place: [key] for place, key in rows.items()}}
    for place, path in LISTS.items():
        known[place] = known.get(place, []) + [row["id"] for row in await api.walk(f"/v1/{path}", api.keys.hub)]
    departures = await api.walk(f"/v1/lanes/{known['lane_id'][0]}/departures")
    return {**known, "departure_id": [departure["id"] for departure in departures]}


async def agree_on_half(api: Any, *, but: str) -> None:
    """Let every second proposal become an order, and every second order be on the way or received short."""
    trade = Trade(api)
    proposed = await api.walk("/v1/matches?status=proposed&sort=departs_on", api.keys.hub)
    ids = [match["id"] for match in proposed[::2] if match["id"] != but]
    for side in ("listing", "demand"):
        await trade.done("/matches/confirm", ids=ids, side=side)
    confirmed = await api.walk("/v1/orders?status=confirmed&sort=created_at", api.keys.hub)
    for number, order in enumerate([order for order in confirmed if order["unit"] == "kg"][::2]):
        shipment = await trade.on_the_way(order)
        if number % 2:
            await trade.receive(shipment, order, order["quantity"] * 900)


async def rows_of(api: Any, seller: str, buyer: str) -> dict[str, str]:
    """Return a row of each kind: the demand is the buyer's, the rest the seller's."""

    async def first(path: str, key: str) -> str:
        found: str = (await api.get(path, headers=api.as_(key))).json()["items"][0]["id"]
        return found

    me = (await api.get("/v1/me", headers=api.as_(seller))).json()
    organization = me["organization"]["id"]
    caller = Principal(UUID(organization), Role.PRODUCER, region="35.05", hub="35.72")
    now = api.clock.now()
    async with api.database.transaction() as session:
        job = await jobs.enqueue(session, kind="none", params={}, principal=caller, now=now)
        await jobs.finish(session, job_id=job.id, result_url="/")
    trade = Trade(api)
    matched = await first("/v1/matches?status=proposed", seller)
    for side in ("listing", "demand"):
        await trade.done("/matches/confirm", ids=[matched], side=side)
    csv = api.as_(api.keys.hub, **{"Content-Type": "text/csv"})
    booking = "tanggal,keterangan,jumlah\n2026-11-24,setoran,5000\n"
    statement = (await api.post("/v1/bank-statements", content=booking, headers=csv)).json()
    order = (await api.get("/v1/orders?status=confirmed", headers=api.as_(seller))).json()["items"][0]
    shipment = await trade.on_the_way(order)
    receipt = await trade.receive(shipment, order, 1000)
    dispute = await trade.done(f"/orders/{order['id']}/disputes", note="kurang", organization=order["buyer"]["id"])
    return {
        "statement_id": statement["id"],
        "order_id": order["id"],
        "shipment_id": shipment["id"],
        "receipt_id": receipt["id"],
        "dispute_id": dispute["id"],
        "listing_id": await first("/v1/listings", seller),
        "demand_id": await first("/v1/demands", buyer),
        "match_id": await first("/v1/matches?status=proposed", seller),
        "organization_id": organization,
        "key_id": me["key_id"],
        "job_id": str(job.id),
        "import_id": await refused_import(api, seller),
        "endpoint_id": (await endpoint_of(api, seller))["id"],
    }
