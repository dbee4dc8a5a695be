"""What a run records: row by row what was cleared, by a few statements or by many, whole or not at all."""

import zlib
from dataclasses import asdict
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from app.allocations import service as allocations
from app.engine import canonical
from app.kit import bulk
from app.matching import clearing, recording
from app.outbox import service as outbox
from tests.matching.melons import FIRST, OTHER_SHOP, SECOND, Melons
from tests.matching.test_runs import rows

OF_A_MATCH = (
    "quantity",
    "producer_price_idr",
    "collection_idr",
    "freight_idr",
    "scarcity_idr",
    "delivered_price_idr",
    "commodity",
)


@pytest.fixture
def solved(monkeypatch: Any) -> list[Any]:
    """What the runs of a test were about to write."""
    outcomes: list[Any] = []
    solve = clearing._solve

    async def kept(*arguments: Any, **named: Any) -> Any:
        outcomes.append(await solve(*arguments, **named))
        return outcomes[-1]

    monkeypatch.setattr(clearing, "_solve", kept)
    return outcomes


async def read(api: Any, sql: str, run: str) -> list[dict[str, Any]]:
    async with api.database.reader() as session:
        return [dict(row) for row in (await session.execute(text(sql), {"run": run})).mappings()]


async def small_market(api: Any) -> Melons:
    """Two farms and two shops: a part is left on either side."""
    market = Melons(api)
    await market.offer(FIRST, quantity=600)
    await market.offer(SECOND, quantity=500, price_idr=9000)
    await market.offer(SECOND, quantity=500, price_idr=90_000)
    await market.need(quantity=700)
    await market.need(OTHER_SHOP, quantity=300, max_price_idr=11_000)
    await market.need(OTHER_SHOP, quantity=300, max_price_idr=1000)
    return market


@pytest.mark.parametrize(("few", "many"), [(bulk.FEW, bulk.MANY), (0, bulk.MANY), (0, 1)])
async def test_each_row_is_what_was_cleared(scenario: Any, monkeypatch: Any, solved: Any, few: int, many: int) -> None:
    monkeypatch.setattr(bulk, "FEW", few)
    for module in (bulk, allocations):
        monkeypatch.setattr(module, "MANY", many)
    market = await small_market(scenario)
    run = (await market.clear())["id"]
    cleared = solved[0].clearing
    assert len(cleared.matches) > 1
    assert len(cleared.unmatched) > 1

    found = await read(scenario, "SELECT * FROM matches WHERE run_id = :run ORDER BY id", run)
    for row, match in zip(found, cleared.matches, strict=True):
        assert {name: row[name] for name in OF_A_MATCH} == {name: getattr(match, name) for name in OF_A_MATCH}
        ends = (str(row["listing_id"]), str(row["demand_id"]), str(row["departure_id"]))
        assert ends == (match.listing_id, match.demand_id, str(match.departure_id))
        days = (date.fromordinal(match.departs_on), date.fromordinal(match.arrives_on))
        assert (row["departs_on"], row["arrives_on"], row["status"], row["version"]) == (*days, "proposed", 1)

    left = await read(scenario, "SELECT * FROM unmatched WHERE run_id = :run ORDER BY id", run)
    told = [(row["side"], str(row["order_id"]), row["quantity"], row["reason"], row["detail"]) for row in left]
    assert told == [(one.side, one.id, one.quantity, one.reason, one.detail) for one in cleared.unmatched]

    prices = await read(scenario, "SELECT * FROM clearing_prices WHERE run_id = :run ORDER BY id", run)
    published = [(row["region"], row["level"], row["day"].toordinal(), row["price_idr"]) for row in prices]
    assert published == [(one.region, one.level, one.day, one.price_idr) for one in cleared.prices]

    sql = """SELECT step.* FROM allocations step JOIN matches match ON match.id = step.match_id
              WHERE match.run_id = :run ORDER BY step.id"""
    ledger = await read(scenario, sql, run)
    same = ("listing_id", "demand_id", "departure_id")
    assert [[step[name] for name in same] for step in ledger] == [[row[name] for name in same] for row in found]
    assert [(step["match_id"], step["proposed"]) for step in ledger] == [(row["id"], row["quantity"]) for row in found]

    sql = """SELECT event.* FROM outbox event JOIN matches match ON match.id = event.subject_id
              WHERE match.run_id = :run AND event.name = 'match.proposed' ORDER BY event.id"""
    events = await read(scenario, sql, run)
    assert [event["subject_id"] for event in events] == [row["id"] for row in found]
    assert [event["payload"]["quantity"] for event in events] == [row["quantity"] for row in found]

    (paper,) = await read(scenario, "SELECT * FROM clearing_documents WHERE run_id = :run", run)
    assert zlib.decompress(paper["output"]) == canonical.encode_clearing(cleared)
    assert canonical.decode_market(zlib.decompress(paper["input"])) == canonical.arrange(solved[0].book.market)
    (pool,) = await read(scenario, "SELECT * FROM cleared_pools WHERE run_id = :run", run)
    assert {name: pool[name] for name in asdict(cleared.pools[0])} == asdict(cleared.pools[0])


def failing(monkeypatch: Any, table: str, *, committed_before: bool) -> None:
    """Let the write of a table's rows fail, once they are written."""
    for module in (recording, allocations, outbox):
        write = module.write_many

        async def write_and_fail(session: Any, model: Any, values: Any, write: Any = write) -> None:
            await write(session, model, values)
            if model.__tablename__ == table:
                if committed_before:
                    await session.commit()
                raise RuntimeError(table)

        monkeypatch.setattr(module, "write_many", write_and_fail)


@pytest.mark.parametrize("table", ["matches", "unmatched", "clearing_prices", "allocations", "outbox"])
async def test_what_fails_in_the_middle_records_nothing(committed: Any, monkeypatch: Any, table: str) -> None:
    monkeypatch.setattr(bulk, "FEW", 0)
    market = await small_market(committed)
    before = await rows(committed)
    with monkeypatch.context() as patched:
        failing(patched, table, committed_before=False)
        assert (await market.start()).status_code == 500
    assert await rows(committed) == before
    assert (await market.clear())["matches"] > 1


async def test_had_a_part_been_committed_it_would_be_seen(committed: Any, monkeypatch: Any) -> None:
    """The control, of a dry run: it binds nothing, so what is left of it breaks no invariant."""
    market = await small_market(committed)
    before = await rows(committed)
    with monkeypatch.context() as patched:
        failing(patched, "unmatched", committed_before=True)
        assert (await market.start(dry_run=True)).status_code == 500
    assert await rows(committed) != before
