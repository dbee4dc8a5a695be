"""From a listing to paid farmers: two loads of one order, short weight, a dispute, one transfer at the bank."""

from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from app.kit.migrations import ROOT
from app.settlement.due import bill_due
from tests.matching.melons import FIRST, OTHER_SHOP, SECOND, SHOP
from tests.orders.trade import Trade, line_of


class Journey(Trade):
    """The melon trade, followed to its money."""

    async def settlement(self, order: dict[str, Any], who: str = "hub") -> dict[str, Any]:
        answer = await self.get(f"/orders/{order['id']}/settlement", who)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def worker_goes_round(self, hours: float = 0) -> None:
        await self.hours_pass(hours)
        await bill_due(self.api.database, self.api.clock.now(), fee_permille=0)

    async def bank_tells(self, *bookings: str) -> dict[str, Any]:
        headers = self.api.as_(self.api.keys.hub, **{"Content-Type": "text/csv"})
        file = "\n".join(("Tanggal;Keterangan;Debit;Kredit", *bookings, ""))
        answer = await self.api.post("/v1/bank-statements", content=file, headers=headers)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def statement(self, who: str) -> dict[str, Any]:
        (told,) = await self.api.walk("/v1/statements", self.keys[who])
        found: dict[str, Any] = told
        return found

    async def served(self, by: str = "city") -> dict[str | None, tuple[int, ...]]:
        """Read the service level by party: orders on time, kilograms ordered and accepted, filled permille."""
        answer = await self.get(f"/dashboard/service-level?commodity=melon&by={by}")
        assert answer.status_code == 200, answer.text
        names = ("on_time", "ordered_kg", "accepted_kg", "fill_permille")
        return {row["party_name"]: tuple(row[name] for name in names) for row in answer.json()["items"]}

    async def records(self, *who: str) -> list[tuple[int, int, int]]:
        """Read what stands in each party's record: orders, of them on time, of them with goods refused."""
        statement = text("SELECT record_orders, record_on_time, record_refused FROM organizations WHERE name = :name")
        async with self.api.database.reader() as session:
            found = [(await session.execute(statement, {"name": name})).one() for name in who]
        return [(row.record_orders, row.record_on_time, row.record_refused) for row in found]


async def test_both_farmers_are_paid_for_what_came(scenario: Any) -> None:
    journey = Journey(scenario)
    order = await journey.two_farms_one_shop()

    # the first load: 700 kg, 3 kg less on arrival, which is nobody's loss; the shop agrees
    first_load = await journey.on_the_way(order, first=600, second=100)
    receipt = await journey.receive(first_load, order, 697_000)
    await journey.done(f"/receipts/{receipt['id']}/acknowledge", SHOP)
    await journey.worker_goes_round()
    line = line_of(order, FIRST)
    assert (await journey.settlement(order))["billed_idr"] == 700 * line["delivered_price_idr"]

    # the second: 300 kg, 30 kg missing and 10 kg refused; the farm objects, the hub decides for 285 kg
    order = await journey.order(id=order["id"])
    second_load = await journey.on_the_way(order)
    await journey.receive(second_load, order, 270_000, refused_g=10_000, reason="memar")
    dispute = await journey.done(f"/orders/{order['id']}/disputes", SECOND, note="Timbangan kami 300 kg")
    await journey.worker_goes_round(hours=30)
    assert len((await journey.settlement(order))["bills"]) == 1, "what is disputed is not billed"
    decided = await journey.resolve(dispute, outcome="split", payable_g=285_000, note="Ditimbang ulang")
    assert decided.status_code == 200, decided.text
    await journey.worker_goes_round()

    # the bill, and what the farm that bore the loss sees of it
    told = await journey.settlement(order)
    assert (told["status"], told["billed_idr"]) == ("delivered", 985 * line["delivered_price_idr"])
    (of_second,) = [
        one for one in (await journey.settlement(order, SECOND))["lines"] if one["payable_g"] < one["loaded_g"]
    ]
    assert (of_second["loaded_g"], of_second["payable_g"]) == (300_000, 285_000)
    lost = {"collection_of_loss": 15 * line["collection_idr"], "freight_of_loss": 15 * line["freight_idr"]}
    assert {one["kind"]: one["amount_idr"] for one in of_second["deductions"]} == {k: v for k, v in lost.items() if v}

    # one transfer of the shop, found by the order's number, reaches everybody; the hub pays them, the bank tells it
    paid = await journey.bank_tells(f"26/11/2026;trf {order['number']} melon;;{told['billed_idr']}")
    assert (paid["matched"], paid["unmatched"]) == (1, 0)
    told = await journey.settlement(order)
    assert told["open_idr"] == 0
    assert all(payee["shared_idr"] == payee["due_idr"] for payee in told["payees"])
    bookings = [f"26/11/2026;bayar {order['number']} {payee['name']};{payee['open_idr']};" for payee in told["payees"]]
    paid = await journey.bank_tells(*bookings)
    assert (paid["matched"], paid["unmatched"]) == (len(bookings), 0)

    # settled: nothing is open, and each farmer's statement says how it came
    order = await journey.order(id=order["id"])
    assert order["status"] == "settled"
    assert [step["event"] for step in order["history"]][-1] == "order.settled"
    for farmer, goods in ((FIRST, 600), (SECOND, 385)):
        statement = await journey.statement(farmer)
        assert statement["closing_idr"] == 0
        earned = goods * (line["producer_price_idr"] + line["scarcity_idr"])
        borne = sum(lost.values()) if farmer == SECOND else 0
        assert sum(step["debit_idr"] for step in statement["lines"] if step["kind"] == "paid_out") == earned - borne
    assert (await journey.statement(SHOP))["closing_idr"] == 0


async def test_the_trade_shows_in_the_public_figures(scenario: Any) -> None:
    journey = Journey(scenario)
    order = await journey.two_farms_one_shop()
    await journey.receive(await journey.on_the_way(order), order, 900_000, broken_g=20_000)
    await journey.worker_goes_round(hours=25)
    query = "commodity=melon&stage=delivered&granularity=month"
    (served,) = (await journey.get(f"/dashboard/service-level?{query}")).json()["items"]
    assert (served["orders"], served["on_time"], served["ordered_kg"], served["accepted_kg"]) == (1, 1, 1000, 880)
    (flow,) = (await journey.get(f"/dashboard/flows?{query}")).json()["items"]
    assert flow["quantity_kg"] == 1000
    (benefit,) = (await journey.get(f"/dashboard/benefit?{query}")).json()["items"]
    lines = (await journey.settlement(order))["benefit"]
    assert benefit["delivered_idr"] == order["value_idr"]
    for name in ("collection_idr", "freight_idr", "scarcity_idr"):
        assert benefit[name] == sum(one[name] for one in lines)
    assert {one["farm_gate"] for one in lines} == {None} == {benefit["farmer_gain_idr"]}


async def test_a_cut_order_counts_as_not_filled(scenario: Any) -> None:
    """What the hub cancels of a partly loaded order was promised all the same, by the farm that did not bring it."""
    journey = Journey(scenario)
    order = await journey.two_farms_one_shop()
    shipment = await journey.on_the_way(order, first=600)
    await journey.done(f"/orders/{order['id']}/cancel", reason="sisa busuk di gudang")
    await journey.receive(shipment, order, 600_000)
    await journey.worker_goes_round(hours=25)
    assert await journey.served() == {None: (0, 1000, 600, 600)}
    assert await journey.served("producer") == {FIRST: (1, 600, 600, 1000), SECOND: (0, 400, 0, 0)}
    assert await journey.served("buyer") == {SHOP: (0, 1000, 600, 600)}
    assert await journey.records(FIRST, SECOND) == [(1, 1, 0), (1, 0, 0)]
    assert (await journey.settlement(order))["billed_idr"] == 600 * line_of(order, FIRST)["delivered_price_idr"]


async def test_a_line_that_is_cut_to_a_part_is_not_in_full(scenario: Any) -> None:
    journey = Journey(scenario)
    order = await journey.two_farms_one_shop()
    shipment = await journey.on_the_way(order, first=600, second=100)
    await journey.done(f"/orders/{order['id']}/cancel", reason="sisa busuk di gudang")
    await journey.receive(shipment, order, 700_000)
    await journey.worker_goes_round(hours=25)
    assert await journey.served("producer") == {FIRST: (1, 600, 600, 1000), SECOND: (0, 400, 100, 250)}
    assert await journey.records(FIRST, SECOND) == [(1, 1, 0), (1, 0, 0)]


async def test_what_is_cancelled_before_loading_or_for_the_buyer_is_no_broken_promise(scenario: Any) -> None:
    journey = Journey(scenario)
    order = await journey.two_farms_one_shop()
    await journey.done(f"/orders/{order['id']}/cancel", SECOND, reason="gagal panen")
    shipment = await journey.on_the_way(order, first=500)
    shop = (await journey.get("/me", SHOP)).json()["organization"]["id"]
    await journey.done(f"/orders/{order['id']}/cancel", reason="toko penuh", organization=shop)
    await journey.receive(shipment, order, 500_000)
    await journey.worker_goes_round(hours=25)
    assert await journey.served() == {None: (1, 500, 500, 1000)}
    assert await journey.served("producer") == {FIRST: (1, 500, 500, 1000)}
    assert await journey.records(FIRST, SECOND) == [(1, 1, 0), (0, 0, 0)]


async def test_each_farm_answers_for_its_own_truck(scenario: Any) -> None:
    """One truck is whole and in time; the other comes two days late, short and partly refused."""
    journey = Journey(scenario)
    order = await journey.two_farms_one_shop()
    await journey.receive(await journey.on_the_way(order, first=600), order, 600_000)
    late = await journey.dispatch(await journey.load(order, second=400))
    await journey.worker_goes_round(hours=120)
    await journey.receive(await journey.arrive(late), order, 300_000, refused_g=20_000, reason="busuk")
    await journey.worker_goes_round(hours=25)
    assert await journey.served("producer") == {FIRST: (1, 600, 600, 1000), SECOND: (0, 400, 280, 700)}
    assert await journey.served() == {None: (0, 1000, 880, 880)}
    assert await journey.records(FIRST, SECOND) == [(1, 1, 0), (1, 0, 1)]


async def test_who_drives_is_who_is_paid(scenario: Any) -> None:
    """A part that leaves on another lane to the same city is that lane's freight and load, not the ordered one's."""
    journey = Journey(scenario)
    await journey.offer(FIRST, quantity=600)
    await journey.need(OTHER_SHOP, quantity=600)
    await journey.clear()
    await journey.confirm_all()
    (order,) = await journey.orders()
    lanes = {lane["id"]: lane["code"] for lane in (await journey.get("/lanes?destination=32.76")).json()["items"]}
    (other,) = lanes.keys() - {order["lane_id"]}
    departures = await scenario.walk(f"/v1/lanes/{other}/departures?from={order['departs_on']}")
    elsewhere = next(row for row in departures if row["departs_on"] == order["departs_on"])

    async def carried(stage: str) -> dict[str, int]:
        query = f"granularity=month&stage={stage}&from={order['arrives_on']}&until={order['arrives_on']}"
        rows = (await journey.get(f"/dashboard/lanes?region=32.76&commodity=melon&{query}")).json()["items"]
        return {row["lane"]: row["carried_kg"] for row in rows if row["carried_kg"]}

    async def flows(stage: str) -> dict[str, tuple[int, int]]:
        rows = (await journey.get(f"/dashboard/flows?commodity=melon&stage={stage}&granularity=month")).json()["items"]
        return {row["lane"]: (row["quantity_kg"], row["orders"]) for row in rows}

    first_load = await journey.dispatch(await journey.load(order, departure=elsewhere["id"], first=250))
    assert await carried("ordered") == {lanes[order["lane_id"]]: 350, lanes[other]: 250}
    assert await flows("ordered") == {lanes[order["lane_id"]]: (350, 1), lanes[other]: (250, 1)}
    assert await carried("delivered") == {}
    await journey.receive(await journey.arrive(first_load), order, 250_000)
    assert await flows("delivered") == {lanes[other]: (250, 1)}
    order = await journey.order(id=order["id"])
    await journey.receive(await journey.on_the_way(order), order, 350_000)
    assert await flows("delivered") == await flows("ordered")

    await journey.worker_goes_round(hours=25)
    freight = order["lines"][0]["freight_idr"]
    due = {one["name"]: one["due_idr"] for one in (await journey.settlement(order))["payees"]}
    assert (due[lanes[order["lane_id"]]], due[lanes[other]]) == (350 * freight, 250 * freight)


async def test_what_was_cut_before_cuts_were_kept_is_taken_up_from_the_history(scenario: Any) -> None:
    journey = Journey(scenario)
    order = await journey.two_farms_one_shop()
    await journey.load(order, first=500, second=100)
    first = line_of(order, FIRST)["producer"]["id"]
    shop = (await journey.get("/me", SHOP)).json()["organization"]["id"]
    await journey.done(f"/orders/{order['id']}/cancel", reason="hujan", organization=first)
    await journey.done(f"/orders/{order['id']}/cancel", reason="toko penuh", organization=shop)
    take_up = ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_revision("0012").module.TAKE_UP
    kept = text("SELECT cut_quantity FROM order_lines WHERE order_id = :id ORDER BY quantity DESC")
    async with scenario.database.transaction() as session:
        found = [list(await session.scalars(kept, {"id": order["id"]}))]
        await session.execute(text("UPDATE order_lines SET cut_quantity = 0"))
        await session.execute(text(take_up))
        found.append(list(await session.scalars(kept, {"id": order["id"]})))
    assert found == [[100, 0], [100, 0]]
