"""Orders that have arrived, for tests of what is paid for them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.allocations.service import Move, move
from app.kit.ids import new_id
from app.outbox.events import WORKER
from app.settlement.rules import split

DEPOK, SEGIRI = "Pedagang telur Depok (contoh)", "Distributor Segiri Samarinda (contoh)"
PONGGOK = "Koperasi peternak Ponggok (contoh)"
PRICES = {"producer_price_idr": 26_500, "collection_idr": 60, "freight_idr": 620, "scarcity_idr": 0}
DELIVERED_IDR = 27_180


@dataclass(frozen=True)
class Delivered:
    """An order whose receipt is final."""

    id: UUID
    number: str
    receipt_id: UUID
    buyer_id: UUID


async def organization(api: Any, name: str) -> UUID:
    async with api.database.reader() as session:
        found: UUID = await session.scalar(text("SELECT id FROM organizations WHERE name = :name"), {"name": name})
    return found


async def producers(api: Any, count: int) -> list[str]:
    """Names of producers that have eggs listed."""
    async with api.database.reader() as session:
        found = await session.scalars(
            text("""SELECT DISTINCT o.name FROM organizations o JOIN listings l ON l.organization_id = o.id
                     WHERE l.commodity = 'telur-ayam-ras' ORDER BY o.name""")
        )
    return list(found)[:count]


async def deliver(
    api: Any, loads: dict[str, int], *, buyer: str = DEPOK, lost_g: int = 0, terms: str = "cash", arrived: bool = True
) -> Delivered:
    """Bring kilograms of eggs by producer to a buyer; beyond one percent what is lost is not paid."""
    buyer_id, grams = await organization(api, buyer), sum(loads.values()) * 1000
    demand = await post(api, "demands", buyer_id, sum(loads.values()), min_grade="II", max_price_idr=DELIVERED_IDR)
    async with api.database.transaction() as session:
        departure = await make_room(session, demand["region"], grams)
        order = await open_order(session, demand, departure, buyer_id, terms, api.clock.now(), arrived=arrived)
        lines = {}
        for name, kilograms in loads.items():
            producer_id = await organization(api, name)
            listing = await post(api, "listings", producer_id, kilograms, grade="II", price_idr=26_500)
            lines[name] = line = {
                "id": new_id(),
                "order_id": order["id"],
                "listing_id": UUID(listing["id"]),
                "producer_id": producer_id,
                "grade": "II",
                "quantity": kilograms,
                "loaded_quantity": kilograms if arrived else 0,
                "received_quantity": kilograms if arrived else 0,
                **PRICES,
                "delivered_price_idr": DELIVERED_IDR,
                "best_before": departure.arrives_on + timedelta(days=10),
            }
            await insert(session, "order_lines", line)
            ordered = Move(
                "deal",
                listing_id=line["listing_id"],
                demand_id=UUID(demand["id"]),
                departure_id=departure.id,
                ordered=kilograms,
                booked_g=kilograms * 1000,
            )
            await move(session, [ordered], at=api.clock.now(), actor=WORKER)
        receipt_id = await receive(session, order, list(lines.values()), lost_g) if arrived else new_id()
    return Delivered(order["id"], order["number"], receipt_id, buyer_id)


async def post(api: Any, kind: str, owner: UUID, kilograms: int, **more: Any) -> dict[str, Any]:
    body = {"commodity": "telur-ayam-ras", "quantity": kilograms, "unit": "kg", "organization": str(owner), **more}
    answer = await api.post(f"/v1/{kind}", json=body, headers=api.as_(api.keys.hub))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def make_room(session: Any, region: str, grams: int) -> Any:
    """The next departure to a region, with room for the goods."""
    statement = """SELECT d.id, d.departs_on, d.arrives_on FROM departures d JOIN lanes ON lanes.id = d.lane_id
                    WHERE lanes.destination = :region ORDER BY d.departs_on, lanes.code LIMIT 1"""
    departure = (await session.execute(text(statement), {"region": region})).one()
    more = "UPDATE departures SET capacity_kg = capacity_kg + :kg WHERE id = :id"
    await session.execute(text(more), {"kg": grams // 1000, "id": departure.id})
    return departure


async def open_order(
    session: Any, demand: dict[str, Any], departure: Any, buyer_id: UUID, terms: str, now: datetime, *, arrived: bool
) -> dict[str, Any]:
    count = await session.scalar(text("SELECT nextval('order_numbers')"))
    order = {
        "id": new_id(),
        "number": f"BTC-2026-{count:06}",
        "hub": "35.72",
        "buyer_id": buyer_id,
        "demand_id": UUID(demand["id"]),
        "commodity": "telur-ayam-ras",
        "region": demand["region"],
        "delivery": "franco",
        "departure_id": departure.id,
        "departs_on": departure.departs_on,
        "arrives_on": departure.arrives_on,
        "source": "deal",
        "status": "delivered" if arrived else "confirmed",
        "tolerance_percent": 1,
        "payment_terms": terms,
        "down_payment_percent": 30 if terms == "down_payment" else 0,
        "delivered_on": departure.arrives_on if arrived else None,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    await insert(session, "orders", order)
    return order


async def receive(session: Any, order: dict[str, Any], lines: list[dict[str, Any]], lost_g: int) -> UUID:
    """Write a shipment of these lines and its receipt, final."""
    weights = {line["id"]: line["quantity"] * 1000 for line in lines}
    loaded, now = sum(weights.values()), order["created_at"]
    payables = split(loaded if lost_g * 100 <= loaded else loaded - lost_g, weights)
    count = await session.scalar(text("SELECT nextval('shipment_numbers')"))
    shipment = {
        "id": new_id(),
        "number": f"SJ-2026-{count:06}",
        "hub": "35.72",
        "departure_id": order["departure_id"],
        "day": order["departs_on"],
        "status": "arrived",
        "crates_out": 0,
        "dispatched_at": now,
        "arrived_at": now,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    receipt = {
        "id": new_id(),
        "shipment_id": shipment["id"],
        "order_id": order["id"],
        "net_weight_g": loaded - lost_g,
        "broken_g": 0,
        "refused_g": 0,
        "crates_back": 0,
        "received_at": now,
        "acknowledged_at": now,
        "dispute_until": now,
        "final_at": now,
        "version": 1,
    }
    await insert(session, "shipments", shipment)
    await insert(session, "receipts", receipt)
    for line in lines:
        own = {"order_line_id": line["id"]}
        carried = {"id": new_id(), "shipment_id": shipment["id"], "quantity": line["quantity"]}
        await insert(session, "shipment_lines", own | carried | {"net_weight_g": weights[line["id"]]})
        told = {"loaded_g": weights[line["id"]], "payable_g": payables.get(line["id"], 0)}
        await insert(session, "receipt_lines", own | told | {"receipt_id": receipt["id"]})
    final: UUID = receipt["id"]
    return final


async def insert(session: Any, table: str, row: dict[str, Any]) -> None:
    columns, places = ", ".join(row), ", ".join(f":{name}" for name in row)
    await session.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({places})"), row)  # noqa: S608 - own names
