"""What is under way, on the summary: loads on the road, late orders, open disputes, now and a while before."""

from datetime import timedelta
from typing import Any

from tests.orders.trade import Trade

#: left on Monday for Samarinda and Depok
ON_THE_ROAD_KG = 18_000 + 6_000


async def under_way(week: Any, query: str) -> dict[str, tuple[int, int]]:
    answer = await week.get(f"/v1/dashboard/summary?{query}")
    rows = {row["metric"]: (row["value"], row["previous"]) for row in answer.json()["items"]}
    return {metric: rows[metric] for metric in ("on_the_road", "late_orders", "open_disputes")}


async def test_what_is_under_way_stands_beside_what_was(week: Any) -> None:
    # the dispute was opened the day before, so two days before there was none
    one_day, two_days = "from=2026-11-24&until=2026-11-24", "from=2026-11-23&until=2026-11-24"
    assert await under_way(week, one_day) == {
        "on_the_road": (ON_THE_ROAD_KG, ON_THE_ROAD_KG),
        "late_orders": (0, 0),
        "open_disputes": (1, 1),
    }
    before = await under_way(week, two_days)
    assert before["on_the_road"] == (ON_THE_ROAD_KG, 4_000)
    assert before["open_disputes"] == (1, 0)


async def test_what_has_not_arrived_by_its_day_is_late(week: Any) -> None:
    week.clock.at += timedelta(days=30)
    told = await under_way(week, "from=2026-12-01&until=2026-12-30")
    # of the two on the road and the one being loaded none has come; a month before they were not due
    assert told["late_orders"] == (3, 0)
    assert (await under_way(week, "from=2026-12-01&until=2026-12-30&region=32.76"))["late_orders"] == (1, 0)
    assert (await under_way(week, "from=2026-12-01&until=2026-12-30&commodity=beras"))["late_orders"] == (2, 0)


async def test_what_came_late_was_late_until_it_came(week: Any) -> None:
    week.clock.at += timedelta(days=30)
    hub, trade = week.as_(week.keys.hub), Trade(week)
    orders = await week.walk("/v1/orders?region=64.72&status=in_transit", week.keys.hub)
    (shipment,) = (await week.get(f"/v1/shipments?order={orders[0]['id']}", headers=hub)).json()["items"]
    await trade.receive(await trade.arrive(shipment), orders[0], 18_000_000)
    told = await under_way(week, "from=2026-12-24&until=2026-12-24")
    assert told["late_orders"] == (2, 3)
    assert told["on_the_road"] == (6_000, ON_THE_ROAD_KG)
