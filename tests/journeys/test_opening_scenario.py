"""The opening scenario as its parties live it: Blitar's stock, five cities' needs, one clearing."""

from collections import Counter
from typing import Any

DEPOK, JAKARTA = "Pedagang telur Depok (contoh)", "BUMD pangan Jakarta (contoh)"
SAMARINDA_EGGS, SAMARINDA_RICE = "Distributor Segiri Samarinda (contoh)", "Distributor beras Samarinda (contoh)"
SAMARINDA_FRUIT = "Pasar Segiri Samarinda (contoh)"


async def clear(api: Any) -> dict[str, Any]:
    started = await api.post("/v1/clearing-runs", json={}, headers=api.as_(api.keys.hub))
    assert started.status_code == 201, started.text
    run: dict[str, Any] = started.json()
    return run


async def lanes(api: Any) -> dict[str, str]:
    return {lane["code"]: lane["id"] for lane in await api.walk("/v1/lanes")}


async def left_of(api: Any, run: dict[str, Any], buyer: str) -> dict[str, dict[str, Any]]:
    """Return what a run left of a buyer's demands, by commodity."""
    left = await api.walk(f"/v1/clearing-runs/{run['id']}/unmatched", api.keys.buyers[buyer])
    return {row["commodity"]: row for row in left}


async def test_one_clearing_matches_nine_pools_at_the_optimum(opening: Any) -> None:
    run = await clear(opening)
    matched = {pool["commodity"]: pool["matched_quantity"] for pool in run["pools"]}
    assert matched == {
        "alpukat": 1000,
        "belimbing": 2700,
        "beras": 116000,
        "cabai-rawit-merah": 4000,
        "daging-ayam": 8000,
        "durian": 800,
        "opak-gambir": 200,
        "sambel-pecel": 300,
        "telur-ayam-ras": 94695,
    }
    certificate = run["certificate"]
    proved = {name: certificate[name] for name in ("status", "gap_idr", "lp_gap_idr", "surplus_idr")}
    assert proved == {"status": "optimal", "gap_idr": 0, "lp_gap_idr": 0, "surplus_idr": 198427300}
    assert sum(pool["surplus_idr"] for pool in run["pools"]) == 198427300
    assert (run["matches"], run["unmatched"]) == (32, 20)


async def test_the_same_book_gives_the_same_bytes(opening: Any) -> None:
    dry = [
        (await opening.post("/v1/clearing-runs", json={"dry_run": True}, headers=opening.as_(opening.keys.hub))).json()
        for _ in range(2)
    ]
    bound = await clear(opening)
    assert len({run["input_sha256"] for run in (*dry, bound)}) == 1
    assert len({run["output_sha256"] for run in (*dry, bound)}) == 1


async def test_the_ten_tonnes_of_eggs_that_depok_asked_for_are_served(opening: Any) -> None:
    run = await clear(opening)
    served = await opening.walk(f"/v1/clearing-runs/{run['id']}/matches", opening.keys.buyers[DEPOK])
    assert sum(match["quantity"] for match in served) == 10_000
    assert {(match["delivered_price_idr"], match["departs_on"]) for match in served} == {(27630, "2026-11-25")}
    for match in served:
        built_up = ("producer_price_idr", "collection_idr", "freight_idr", "scarcity_idr")
        assert sum(match[part] for part in built_up) == match["delivered_price_idr"]
        assert match["buyer_saving_idr"] == match["quantity"] * (28400 - 27630)
        assert match["producer_gain_idr"] is None
        assert match["counterparty"]["telephone"] is None
    assert await left_of(opening, run, DEPOK) == {}


async def test_most_of_the_rice_for_samarinda_is_gone_to_equal_bids(opening: Any) -> None:
    run = await clear(opening)
    left = (await left_of(opening, run, SAMARINDA_RICE))["beras"]
    assert (left["quantity"], left["reason"], left["detail"]) == (234_000, "outbid", {"gap_idr": 0})


async def test_star_fruit_would_reach_samarinda_too_old(opening: Any) -> None:
    run = await clear(opening)
    left = (await left_of(opening, run, SAMARINDA_FRUIT))["belimbing"]
    assert (left["quantity"], left["reason"]) == (1000, "freshness")


async def test_the_train_to_jakarta_is_full_and_its_scarcity_goes_to_the_producers(opening: Any) -> None:
    run = await clear(opening)
    train = (await lanes(opening))["LN-05"]
    departures = await opening.walk(f"/v1/lanes/{train}/departures?until=2026-11-29")
    assert [departure["free_kg"] for departure in departures] == [0] * 5
    matches = await opening.walk(f"/v1/clearing-runs/{run['id']}/matches", opening.keys.buyers[JAKARTA])
    loads = Counter[str]()
    for match in matches:
        if match["lane_id"] == train and match["scarcity_idr"]:
            loads[match["departs_on"]] += match["quantity"]
            assert match["scarcity_idr"] == 190
            assert match["producer_price_idr"] + 60 + 600 + 190 == match["delivered_price_idr"] == 27800
    assert list(loads.values()) == [5000] * 5
    left = (await left_of(opening, run, JAKARTA))["telur-ayam-ras"]
    # to a party rounded up: where nothing trades it would tell somebody's exact ask
    assert (left["reason"], left["detail"]["lane"], left["detail"]["scarcity_idr"]) == ("lane_full", "LN-05", 200)


async def test_eggs_are_refused_on_the_container_that_sails_nine_days(opening: Any) -> None:
    key = opening.keys.buyers[SAMARINDA_EGGS]
    demand = (await opening.walk("/v1/demands?commodity=telur-ayam-ras", key))[0]
    container = (await lanes(opening))["LN-09"]
    sailings = {row["id"] for row in await opening.walk(f"/v1/lanes/{container}/departures?until=2026-11-27")}
    options = await opening.walk(f"/v1/demands/{demand['id']}/options?limit=200", key)
    shipped = [option for option in options if option["departure_id"] in sailings and option["grade"] in ("I", "II")]
    assert shipped
    assert {(option["fits"], option["why_not"]) for option in shipped} == {(False, "freshness")}
    fitting = [option for option in options if option["fits"]]
    assert fitting == sorted(fitting, key=lambda option: option["landed_price_idr"])
    assert all(option["landed_price_idr"] % 100 == 0 for option in options)


async def test_every_order_is_matched_or_told_why(opening: Any) -> None:
    run = await clear(opening)
    key = opening.keys.hub
    left = {row["id"] for row in await opening.walk(f"/v1/clearing-runs/{run['id']}/unmatched", key)}
    orders = [*await opening.walk("/v1/listings", key), *await opening.walk("/v1/demands", key)]
    assert left == {order["id"] for order in orders if order["open_quantity"]}


async def test_no_match_costs_more_than_a_limit_or_pays_less_than_an_ask(opening: Any) -> None:
    run = await clear(opening)
    key = opening.keys.hub
    matches = await opening.walk(f"/v1/clearing-runs/{run['id']}/matches", key)
    asks = {row["id"]: row["price_idr"] for row in await opening.walk("/v1/listings", key)}
    limits = {row["id"]: row["max_price_idr"] for row in await opening.walk("/v1/demands", key)}
    for match in matches:
        assert match["producer_price_idr"] >= asks[match["listing_id"]]
        assert match["delivered_price_idr"] <= limits[match["demand_id"]]
        assert match["producer_gain_idr"] == match["quantity"] * (
            match["producer_price_idr"] - asks[match["listing_id"]]
        )
