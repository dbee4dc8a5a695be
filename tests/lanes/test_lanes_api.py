"""Lanes and departures through HTTP: they follow the weekdays, 35 days ahead, and never carry more than they may."""

from datetime import date, timedelta
from typing import Any

import pytest

from app.lanes.service import keep_departures
from app.worker import tidy

TODAY = date(2026, 11, 24)
KEDIRI = {
    "code": "LN-90",
    "destination": "35.71",
    "mode": "truck",
    "freight_idr_per_kg": 150,
    "lead_time_days": 1,
    "departure_weekdays": [2, 5],
    "closes_days_before": 1,
    "capacity_kg": 4000,
}


async def post(api: Any, url: str, body: dict[str, Any]) -> Any:
    return await api.post(url, json=body, headers=api.as_(api.keys.hub))


async def patch(api: Any, url: str, body: dict[str, Any], version: int = 1) -> Any:
    return await api.patch(url, json=body, headers=api.as_(api.keys.hub, **{"If-Match": f'"{version}"'}))


async def lane_of(api: Any, code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(lane for lane in await api.walk("/v1/lanes") if lane["code"] == code)
    return found


async def departures(api: Any, lane: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await api.walk(f"/v1/lanes/{lane['id']}/departures?limit=20{query}")
    return found


async def new_lane(api: Any, **changes: Any) -> dict[str, Any]:
    opened = await post(api, "/v1/lanes", {**KEDIRI, **changes})
    assert opened.status_code == 201, opened.text
    lane: dict[str, Any] = opened.json()
    return lane


async def test_lanes_are_listed_by_destination(api: Any) -> None:
    found = await api.walk("/v1/lanes?destination=64.72&destination=62.71&limit=2")
    assert [lane["code"] for lane in found] == ["LN-08", "LN-09", "LN-10", "LN-11", "LN-12", "LN-13"]
    assert {lane["origin"] for lane in found} == {"35.72"}


async def test_departures_follow_the_weekdays_for_five_weeks(api: Any) -> None:
    lane = await lane_of(api, "LN-09")
    found = await departures(api, lane)
    days = [TODAY + timedelta(days=ahead) for ahead in range(1, 36)]
    expected = [day for day in days if day.isoweekday() in lane["departure_weekdays"]]
    assert [departure["departs_on"] for departure in found] == [day.isoformat() for day in expected]
    first = found[0]
    facts = {name: first[name] for name in ("arrives_on", "closes_on", "capacity_kg", "booked_kg", "free_kg", "status")}
    assert facts == {
        "arrives_on": "2026-12-04",
        "closes_on": "2026-11-23",
        "capacity_kg": 72000,
        "booked_kg": 0,
        "free_kg": 72000,
        "status": "scheduled",
    }
    some = await departures(api, lane, "&from=2026-12-01&until=2026-12-04")
    assert [departure["departs_on"] for departure in some] == ["2026-12-02", "2026-12-04"]


async def test_keeping_departures_again_changes_nothing_and_a_new_day_adds_one_day(api: Any) -> None:
    before = {lane["code"]: await departures(api, lane) for lane in await api.walk("/v1/lanes")}
    assert await api.database.retried(lambda session: keep_departures(session, now=api.clock.now())) == 0
    assert {lane["code"]: await departures(api, lane) for lane in await api.walk("/v1/lanes")} == before
    api.clock.at += timedelta(days=1)
    await tidy(api.database, api.clock.now())
    after = {lane["code"]: await departures(api, lane) for lane in await api.walk("/v1/lanes")}
    assert after["LN-01"][:-1] == before["LN-01"]
    assert after["LN-01"][-1]["departs_on"] == "2026-12-30"


async def test_a_clock_that_is_behind_adds_its_days_and_closes_none_of_those_ahead(api: Any) -> None:
    before = {lane["code"]: await departures(api, lane) for lane in await api.walk("/v1/lanes")}
    late = api.clock.now() - timedelta(days=9)
    assert await api.database.retried(lambda session: keep_departures(session, now=late)) > 0
    for lane in await api.walk("/v1/lanes"):
        kept = await departures(api, lane, "&from=2026-11-01")
        assert [row for row in kept if row["departs_on"] > "2026-11-24"] == before[lane["code"]]
        assert {row["status"] for row in kept} == {"scheduled"}


async def test_an_opened_lane_has_its_departures(scenario: Any) -> None:
    lane = await new_lane(scenario)
    assert (lane["origin"], lane["status"], lane["temperature"]) == ("35.72", "active", "ambient")
    assert len(await departures(scenario, lane)) == 10
    again = await post(scenario, "/v1/lanes", KEDIRI)
    assert (again.status_code, again.json()["code"]) == (409, "lane_code_taken")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"destination": "99.99"}, "/destination"),
        ({"departure_weekdays": [0]}, "/departure_weekdays/0"),
        ({"lead_time_days": 61}, "/lead_time_days"),
        ({"capacity_kg": -1}, "/capacity_kg"),
        ({"freight_idr_per_kg": 1.5}, "/freight_idr_per_kg"),
        ({"temperature": "frozen"}, "/temperature"),
        ({"origin": "35.72"}, "/origin"),
    ],
)
async def test_what_is_wrong_with_a_lane_is_named(scenario: Any, change: dict[str, Any], pointer: str) -> None:
    refused = await post(scenario, "/v1/lanes", {**KEDIRI, **change})
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_departures_without_bookings_follow_a_changed_lane(scenario: Any) -> None:
    lane = await new_lane(scenario)
    url = f"/v1/lanes/{lane['id']}"
    body = {"departure_weekdays": [5], "lead_time_days": 2, "capacity_kg": 6000}
    assert (await patch(scenario, url, body)).status_code == 200
    found = await departures(scenario, lane)
    by_status = {status: [row for row in found if row["status"] == status] for status in ("scheduled", "closed")}
    assert {date.fromisoformat(row["departs_on"]).isoweekday() for row in by_status["scheduled"]} == {5}
    assert {date.fromisoformat(row["departs_on"]).isoweekday() for row in by_status["closed"]} == {2}
    assert {row["capacity_kg"] for row in by_status["scheduled"]} == {6000}
    assert by_status["scheduled"][0]["arrives_on"] == "2026-11-29"
    assert (await patch(scenario, url, {"status": "paused"}, version=2)).status_code == 200
    assert {row["status"] for row in await departures(scenario, lane)} == {"closed"}
    assert (
        await patch(scenario, url, {"status": "active", "departure_weekdays": [2, 5]}, version=3)
    ).status_code == 200
    assert {row["status"] for row in await departures(scenario, lane)} == {"scheduled"}


async def test_a_booked_departure_keeps_its_facts(scenario: Any) -> None:
    lane = await lane_of(scenario, "LN-05")
    body = {"capacity_kg": 1000, "departure_weekdays": []}
    assert (await patch(scenario, f"/v1/lanes/{lane['id']}", body)).status_code == 200
    found = await departures(scenario, lane)
    booked = [row for row in found if row["booked_kg"]]
    assert [(row["capacity_kg"], row["status"]) for row in booked] == [(5000, "scheduled")] * 6
    assert {row["status"] for row in found if not row["booked_kg"]} == {"closed"}


async def test_a_closure_stops_new_bookings_and_tells_of_old_ones(scenario: Any) -> None:
    lane = await lane_of(scenario, "LN-05")
    body = {"from": "2026-11-29", "until": "2026-12-02", "reason": "perbaikan rel"}
    closed = await post(scenario, f"/v1/lanes/{lane['id']}/closures", body)
    assert closed.status_code == 201, closed.text
    assert closed.json()["booked_departures"] == 2
    assert {name: closed.json()[name] for name in body} == body
    statuses = {row["departs_on"]: row["status"] for row in await departures(scenario, lane)}
    assert {day for day, status in statuses.items() if status == "closed"} == {
        "2026-11-29",
        "2026-11-30",
        "2026-12-01",
        "2026-12-02",
    }


@pytest.mark.parametrize(("first", "until"), [("2026-12-02", "2026-12-01"), ("2026-12-01", "2027-12-03")])
async def test_a_closure_ends_after_it_began_and_within_a_year(scenario: Any, first: str, until: str) -> None:
    lane = await lane_of(scenario, "LN-05")
    body = {"from": first, "until": until, "reason": "x"}
    refused = await post(scenario, f"/v1/lanes/{lane['id']}/closures", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "closure_days")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/until"]


async def test_a_capacity_never_goes_below_what_is_booked(scenario: Any) -> None:
    lane = await lane_of(scenario, "LN-05")
    full = (await departures(scenario, lane))[0]
    url = f"/v1/departures/{full['id']}"
    refused = await patch(scenario, url, {"capacity_kg": 4999}, full["version"])
    assert (refused.status_code, refused.json()["code"]) == (409, "below_booked")
    raised = await patch(scenario, url, {"capacity_kg": 8000}, full["version"])
    assert (raised.status_code, raised.json()["free_kg"]) == (200, 3000)


async def test_a_departure_changed_by_hand_no_longer_follows_the_lane(scenario: Any) -> None:
    lane = await new_lane(scenario)
    first = (await departures(scenario, lane))[0]
    assert (await patch(scenario, f"/v1/departures/{first['id']}", {"capacity_kg": 9000})).status_code == 200
    assert (await patch(scenario, f"/v1/lanes/{lane['id']}", {"capacity_kg": 1000})).status_code == 200
    assert [row["capacity_kg"] for row in await departures(scenario, lane)] == [9000] + [1000] * 9


async def test_an_added_departure_stands_beside_the_timetable(scenario: Any) -> None:
    lane = await new_lane(scenario)
    url = f"/v1/lanes/{lane['id']}/departures"
    added = await post(scenario, url, {"departs_on": "2026-11-28", "capacity_kg": 500})
    assert added.status_code == 201, added.text
    facts = {name: added.json()[name] for name in ("departs_on", "arrives_on", "closes_on", "capacity_kg")}
    assert list(facts.values()) == ["2026-11-28", "2026-11-29", "2026-11-27", 500]
    await tidy(scenario.database, scenario.clock.now())
    assert added.json() in await departures(scenario, lane)
    again = await post(scenario, url, {"departs_on": "2026-11-28"})
    assert (again.status_code, again.json()["code"]) == (409, "departure_exists")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"departs_on": "2026-11-28", "arrives_on": "2026-11-27"}, "/arrives_on"),
        ({"departs_on": "2026-11-28", "closes_on": "2026-11-29"}, "/closes_on"),
        ({"departs_on": "2026-11-31"}, "/departs_on"),
        ({}, "/departs_on"),
    ],
)
async def test_what_is_wrong_with_a_departure_is_named(scenario: Any, body: dict[str, Any], pointer: str) -> None:
    lane = await new_lane(scenario)
    refused = await post(scenario, f"/v1/lanes/{lane['id']}/departures", body)
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    if "closes_on" in body:
        first = (await departures(scenario, lane))[0]
        late = await patch(scenario, f"/v1/departures/{first['id']}", {"closes_on": first["arrives_on"]})
        assert (late.status_code, late.json()["errors"][0]["pointer"]) == (422, "/closes_on")


async def test_a_run_leaves_out_what_is_closed(opening: Any) -> None:
    train = await lane_of(opening, "LN-05")
    body = {"from": "2026-11-24", "until": "2026-12-31", "reason": "mogok"}
    assert (await post(opening, f"/v1/lanes/{train['id']}/closures", body)).status_code == 201
    run = (await post(opening, "/v1/clearing-runs", {"commodities": ["telur-ayam-ras"]})).json()
    matches = await opening.walk(f"/v1/clearing-runs/{run['id']}/matches", opening.keys.hub)
    assert matches
    assert train["id"] not in {match["lane_id"] for match in matches}
