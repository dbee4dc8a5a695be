"""Clearing runs through HTTP: bound or dry, one at a time on a pool, never from a book that moved."""

import asyncio
import zlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.engine.audit import AuditError
from app.engine.canonical import decode_market, encode_clearing, sha256
from app.engine.clear import clear
from app.matching import clearing, recording
from app.matching.queries import document
from app.matching.replay import replay
from app.matching.solver import SOLVER
from tests.matching.melons import FIRST, SECOND, SHOP, Melons, quantities

TABLES = ("clearing_runs", "clearing_documents", "matches", "unmatched", "clearing_prices", "allocations", "outbox")


async def rows(api: Any) -> dict[str, int]:
    async with api.database.reader() as session:
        return {table: await session.scalar(text(f"SELECT count(*) FROM {table}")) for table in TABLES}  # noqa: S608 - our own names


async def claims(api: Any) -> int:
    async with api.database.reader() as session:
        return int(await session.scalar(text("SELECT count(*) FROM pool_claims")))


def meanwhile(monkeypatch: Any, act: Any, times: int = 1) -> None:
    """Let something happen after the book was read and solved, before the result is written."""
    solve, left = clearing._solve, [times]

    async def solve_and_act(*arguments: Any, **named: Any) -> Any:
        outcome = await solve(*arguments, **named)
        if left[0]:
            left[0] -= 1
            await act()
        return outcome

    monkeypatch.setattr(clearing, "_solve", solve_and_act)


async def test_a_binding_run_moves_quantities_and_books_the_departure(scenario: Any) -> None:
    market = Melons(scenario)
    listing, demand = await market.offer(), await market.need(quantity=400)
    run = await market.clear()
    (match,) = await market.matches()
    assert (match["status"], match["quantity"], match["run_id"]) == ("proposed", 400, run["id"])
    assert quantities(await market.read(FIRST, listing)) == (200, 400, 0, 0)
    assert quantities(await market.read(SHOP, demand)) == (0, 400, 0, 0)
    departures = await scenario.walk(f"/v1/lanes/{match['lane_id']}/departures?limit=200")
    booked = next(row for row in departures if row["id"] == match["departure_id"])
    async with scenario.database.reader() as session:
        before = await session.scalar(
            text("SELECT sum(booked_g) FROM allocations WHERE departure_id = :id AND match_id <> :match"),
            {"id": match["departure_id"], "match": match["id"]},
        )
    assert booked["booked_kg"] * 1000 == (before or 0) + 400_000
    assert await claims(scenario) == 0


async def test_what_is_matched_is_not_matched_again(scenario: Any) -> None:
    market = Melons(scenario)
    await market.offer(quantity=400)
    await market.need(quantity=400)
    assert (await market.clear())["matches"] == 1
    again = await market.clear()
    assert (again["matches"], again["unmatched"]) == (0, 0)


async def test_a_dry_run_binds_nothing(scenario: Any) -> None:
    market = Melons(scenario)
    listing, demand = await market.offer(), await market.need()
    before = await rows(scenario)
    run = (await market.start(dry_run=True)).json()
    assert (run["dry_run"], run["matches"], run["previous_sha256"]) == (True, 1, None)
    after = await rows(scenario)
    assert {table: after[table] - before[table] for table in ("allocations", "outbox")} == {
        "allocations": 0,
        "outbox": 0,
    }
    assert [await market.read(who, order) for who, order in ((FIRST, listing), (SHOP, demand))] == [listing, demand]
    assert await market.matches() == await market.matches(FIRST) == []
    (shown,) = await scenario.walk(f"/v1/clearing-runs/{run['id']}/matches", scenario.keys.hub)
    assert shown["status"] == "dry_run"
    answered = await market.answer("hub", shown, "confirm", side="listing")
    assert (answered.status_code, answered.json()["code"]) == (409, "match_not_proposed")


async def test_a_dry_run_of_another_instant_was_made_now(scenario: Any) -> None:
    market = Melons(scenario)
    await market.offer()
    await market.need()
    future = (await market.start(dry_run=True, as_of="2026-11-27T08:00:00+07:00")).json()
    scenario.clock.at += timedelta(seconds=1)
    bound = await market.clear()
    assert future["as_of"] == "2026-11-27T08:00:00+07:00"
    newest_first = [run["id"] for run in await scenario.walk("/v1/clearing-runs", scenario.keys.hub)]
    assert newest_first[:2] == [bound["id"], future["id"]]
    (match,) = await scenario.walk(f"/v1/clearing-runs/{future['id']}/matches", scenario.keys.hub)
    assert match["departs_on"] == "2026-11-28"


@pytest.mark.parametrize("part", ["", "/matches", "/unmatched", "/prices", "/certificate"])
async def test_a_dry_run_is_the_hubs_alone(scenario: Any, part: str) -> None:
    run = (await Melons(scenario).start(dry_run=True)).json()
    producer = scenario.as_(scenario.keys.producers[FIRST])
    assert (await scenario.get(f"/v1/clearing-runs/{run['id']}{part}", headers=producer)).status_code == 404
    assert run["id"] not in {
        row["id"] for row in await scenario.walk("/v1/clearing-runs", scenario.keys.producers[FIRST])
    }
    assert run["id"] in {row["id"] for row in await scenario.walk("/v1/clearing-runs", scenario.keys.hub)}


async def test_runs_form_a_chain_of_hashes(scenario: Any) -> None:
    market = Melons(scenario)
    (opening,) = await scenario.walk("/v1/clearing-runs", scenario.keys.hub)
    first = await market.clear()
    await market.start(dry_run=True)
    await market.offer()
    second = await market.clear()
    hashes = (opening["output_sha256"], first["output_sha256"])
    assert (first["previous_sha256"], second["previous_sha256"]) == hashes


async def test_the_chain_follows_the_order_of_recording_not_of_asking(scenario: Any) -> None:
    """A run that was asked for early may be recorded late."""
    market = Melons(scenario)
    early = scenario.clock.at
    scenario.clock.at += timedelta(seconds=5)
    first = await market.clear()
    scenario.clock.at = early
    await market.offer()
    second = await market.clear()
    scenario.clock.at += timedelta(seconds=10)
    third = await market.clear()
    assert first["as_of"] > second["as_of"]
    assert (second["previous_sha256"], third["previous_sha256"]) == (first["output_sha256"], second["output_sha256"])
    assert len({first["output_sha256"], second["output_sha256"]}) == 2


async def test_everybody_reads_prices_and_certificate_and_only_the_hub_the_book(scenario: Any) -> None:
    market = Melons(scenario)
    await market.offer(price_idr=8000)
    await market.need(max_price_idr=10000)
    url = f"/v1/clearing-runs/{(await market.clear())['id']}"
    (price,) = await scenario.walk(f"{url}/prices")
    told = {name: price[name] for name in ("commodity", "grade", "region", "level", "price_idr", "traded_quantity")}
    assert list(told.values()) == ["melon", "A", "35.78", "delivered", 10000, 600]
    certificate = (await scenario.get(f"{url}/certificate")).json()
    assert (certificate["status"], certificate["gap_idr"], certificate["surplus_idr"]) == ("optimal", 0, None)
    book = await scenario.get(f"{url}/book", headers=scenario.as_(scenario.keys.hub))
    assert [pool["commodity"] for pool in book.json()["pools"]] == ["melon"]
    assert (await scenario.get(f"{url}/book", headers=scenario.as_(scenario.keys.producers[FIRST]))).status_code == 403


async def test_a_replay_gives_the_same_bytes_and_notices_another_input(scenario: Any) -> None:
    (run,) = await scenario.walk("/v1/clearing-runs", scenario.keys.hub)
    async with scenario.database.reader() as session:
        found = await replay(session, run_id=run["id"])
    assert found.same
    assert found.output_sha256_now == run["output_sha256"]
    async with scenario.database.transaction() as session:
        dry = (await Melons(scenario).start(dry_run=True)).json()["id"]
        swapped = "UPDATE clearing_documents SET input = (SELECT input FROM clearing_documents WHERE run_id = :dry)"
        await session.execute(text(f"{swapped} WHERE run_id = :run"), {"dry": dry, "run": run["id"]})
        tampered = await replay(session, run_id=run["id"])
    assert not tampered.same
    assert (tampered.input_is_intact, tampered.output_is_intact) == (False, True)
    async with scenario.database.transaction() as session:
        await session.execute(
            text(swapped.replace("input", "output") + " WHERE run_id = :run"), {"dry": dry, "run": run["id"]}
        )
        tampered = await replay(session, run_id=run["id"])
    assert not tampered.same
    assert not tampered.output_is_intact


async def test_runs_after_changes_record_the_bytes_of_a_cold_clearing(scenario: Any) -> None:
    """The engine's process remembers the run before; what it records is what a clearing that knows nothing gives."""
    market = Melons(scenario)
    mine = await market.offer(quantity=900)
    await market.need(quantity=700)
    for price_idr in (8100, 8200, 8300):
        run = await market.clear()
        async with scenario.database.reader() as session:
            stored = await document(session, UUID(run["id"]))
        output = encode_clearing(clear(decode_market(zlib.decompress(stored.input))))
        assert zlib.decompress(stored.output) == output
        assert run["output_sha256"] == sha256(output)
        assert (await market.change(FIRST, mine, price_idr=price_idr)).status_code == 200
        await market.offer(SECOND, quantity=100, price_idr=price_idr + 50)
        await market.need(quantity=150)
    assert run["matches"] > 0


async def test_an_unknown_commodity_is_named(scenario: Any) -> None:
    refused = await Melons(scenario).start(commodities=["melon", "emas"])
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/commodities/1")


async def test_of_two_runs_on_a_pool_one_wins(committed: Any, monkeypatch: Any) -> None:
    market = Melons(committed)
    await market.offer()
    await market.need()
    others: dict[str, Any] = {}

    async def second_run() -> None:
        others["same"] = await market.start(commodities=["beras", "melon"])
        others["other"] = await market.start(commodities=["beras"])
        others["dry"] = await market.start(dry_run=True)

    meanwhile(monkeypatch, second_run)
    assert (await market.start()).status_code == 201
    assert (others["same"].status_code, others["same"].json()["code"]) == (409, "clearing_running")
    assert others["same"].headers["retry-after"] == "2"
    assert (others["other"].status_code, others["dry"].status_code) == (201, 201)
    assert await claims(committed) == 0


async def test_a_run_that_died_gives_its_pools_back_when_its_lease_ends(committed: Any) -> None:
    market = Melons(committed)
    async with committed.database.transaction() as session:
        lease = {"id": "0199aaaa-0000-7000-8000-000000000000", "until": committed.clock.now() + clearing.LEASE}
        await session.execute(text("INSERT INTO pool_claims VALUES ('melon', :id, :until)"), lease)
    assert (await market.start()).status_code == 409
    committed.clock.at += clearing.LEASE + timedelta(seconds=1)
    assert (await market.start()).status_code == 201


async def test_a_book_that_moved_once_is_solved_again(committed: Any, monkeypatch: Any) -> None:
    market = Melons(committed)
    listing, demand = await market.offer(price_idr=8000), await market.need()

    async def raise_the_ask() -> None:
        assert (await market.change(FIRST, listing, price_idr=9000)).status_code == 200

    meanwhile(monkeypatch, raise_the_ask)
    run = await market.clear()
    (match,) = await market.matches()
    assert match["run_id"] == run["id"]
    assert match["producer_price_idr"] >= 9000
    assert match["producer_gain_idr"] == match["quantity"] * (match["producer_price_idr"] - 9000)
    assert quantities(await market.read(SHOP, demand)) == (400, 600, 0, 0)


async def test_without_the_check_a_run_would_bind_what_no_longer_stands(committed: Any, monkeypatch: Any) -> None:
    """The control: the same story, the protection off."""
    market = Melons(committed)
    listing, _demand = await market.offer(price_idr=8000), await market.need(max_price_idr=8500)

    async def raise_the_ask() -> None:
        await market.change(FIRST, listing, price_idr=9000)

    async def stands(*_arguments: Any) -> None:
        pass

    monkeypatch.setattr(recording, "_still_stands", stands)
    meanwhile(monkeypatch, raise_the_ask)
    await market.clear()
    (match,) = await market.matches()
    assert match["producer_price_idr"] < (await market.read(FIRST, listing))["price_idr"]


async def test_a_book_that_keeps_moving_ends_the_run_and_records_nothing(committed: Any, monkeypatch: Any) -> None:
    market = Melons(committed)
    listing, _demand = await market.offer(), await market.need()
    prices = iter(range(8001, 8100))

    async def change_the_ask() -> None:
        await market.change(FIRST, listing, price_idr=next(prices))

    meanwhile(monkeypatch, change_the_ask, times=clearing.ATTEMPTS)
    before = await rows(committed)
    stale = await market.start()
    assert (stale.status_code, stale.json()["code"]) == (409, "clearing_stale")
    assert stale.headers["retry-after"] == "2"
    after = await rows(committed)
    assert {table: after[table] - before[table] for table in TABLES if table != "outbox"} == dict.fromkeys(
        TABLES[:-1], 0
    )
    assert await market.matches() == []
    assert await claims(committed) == 0


@pytest.mark.parametrize("change", ["withdraw", "fill the departure", "close the departure"])
async def test_nothing_is_bound_to_what_is_gone(committed: Any, monkeypatch: Any, change: str) -> None:
    market = Melons(committed)
    listing, demand = await market.offer(), await market.need()
    (shown,) = await committed.walk(
        f"/v1/clearing-runs/{(await market.start(dry_run=True)).json()['id']}/matches", committed.keys.hub
    )

    async def act() -> None:
        if change == "withdraw":
            key = committed.as_(committed.keys.producers[FIRST])
            assert (await committed.post(f"/v1/listings/{listing['id']}/withdraw", headers=key)).is_success
            return
        path = f"/v1/lanes/{shown['lane_id']}/departures?limit=200"
        (departure,) = [row for row in await committed.walk(path) if row["id"] == shown["departure_id"]]
        full = {"capacity_kg": departure["booked_kg"]} if change.startswith("fill") else {"status": "closed"}
        headers = committed.as_(committed.keys.hub, **{"If-Match": f'"{departure["version"]}"'})
        assert (await committed.patch(f"/v1/departures/{departure['id']}", json=full, headers=headers)).is_success

    meanwhile(monkeypatch, act)
    run = await market.clear()
    matches = await market.matches()
    if change == "withdraw":
        assert (matches, run["matches"]) == ([], 0)
        assert quantities(await market.read(SHOP, demand)) == (1000, 0, 0, 0)
    else:
        assert [match["departs_on"] for match in matches] > [shown["departs_on"]]


async def test_a_run_whose_lease_was_taken_over_records_nothing(committed: Any, monkeypatch: Any) -> None:
    market = Melons(committed)
    await market.offer()
    await market.need()

    async def lose_the_pool() -> None:
        async with committed.database.transaction() as session:
            await session.execute(text("UPDATE pool_claims SET run_id = gen_random_uuid()"))

    meanwhile(monkeypatch, lose_the_pool)
    before = await rows(committed)
    assert (await market.start()).json()["code"] == "clearing_stale"
    assert await rows(committed) == before


async def test_a_result_that_the_audit_refuses_is_never_written(committed: Any, monkeypatch: Any) -> None:
    async def refused(_market: Any) -> Any:
        raise AuditError("balance")

    market = Melons(committed)
    await market.offer()
    await market.need()
    before = await rows(committed)
    with monkeypatch.context() as patched:
        patched.setattr(SOLVER, "clear", refused)
        assert (await market.start()).status_code == 500
    assert (await rows(committed), await claims(committed)) == (before, 0)
    assert (await market.clear())["matches"] == 1


async def test_many_runs_at_once_sell_each_kilogram_once(committed: Any) -> None:
    market = Melons(committed)
    listing, _demand = await market.offer(quantity=600), await market.need(quantity=1000)
    answers = await asyncio.gather(*[market.start() for _ in range(6)])
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert sum(answer.json()["matches"] for answer in answers if answer.status_code == 201) == 1
    assert quantities(await market.read(FIRST, listing)) == (0, 600, 0, 0)
