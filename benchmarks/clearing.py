"""A clearing from database to database, stage by stage, beside plain COPY of the same rows out and in."""

import asyncio
import gc
import os
import resource
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from inspect import iscoroutinefunction
from io import BytesIO
from typing import Any, NamedTuple
from unittest.mock import patch

from app.demo import service as demo
from app.engine import clear as engine
from app.engine.memory import Memory
from app.engine.model import Market
from app.engine.serve import Solved, solve
from app.kit.db import Database
from app.matching import clearing
from app.matching.models import ClearingRun
from app.outbox.events import Actor
from benchmarks import recorded
from benchmarks.lifecycle import BUYER, NOW, PRODUCER, _desk
from benchmarks.stand import fresh_database

#: orders, half of them listings; HUB_BENCH_ORDERS names others
SIZES = "10000,100000,1000000"

#: one listing and one demand become many, drawn by hashes: prices that cross, heavy-tailed quantities, days, regions
_MULTIPLY = """
CREATE FUNCTION draw(i bigint, salt text, low bigint, high bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT low + ('x' || substr(md5(i || salt), 1, 8))::bit(32)::bigint % (high - low + 1) $$;
INSERT INTO listings SELECT (jsonb_populate_record(one, jsonb_build_object(
    'id', md5('listing' || i)::uuid, 'price_idr', draw(i, 'ask', 6000, 9000),
    'quantity', 20 + 2000 / draw(i, 'much', 1, 100), 'available_from', one.available_from + draw(i, 'from', 0, 4)::int,
    'available_until', one.available_from + 4 + draw(i, 'until', 0, 4)::int))).*
  FROM listings AS one, generate_series(2, {half}) AS i WHERE one.commodity = 'melon' AND one.status = 'open';
INSERT INTO demands SELECT (jsonb_populate_record(one, jsonb_build_object(
    'id', md5('demand' || i)::uuid, 'max_price_idr', draw(i, 'limit', 7000, 12000),
    'quantity', 20 + 2000 / draw(i, 'need', 1, 100), 'deliver_by', one.deliver_by + draw(i, 'by', 0, 6)::int)
    || jsonb_build_object('region', places.codes[1 + draw(i, 'place', 0, cardinality(places.codes) - 1)]))).*
  FROM demands AS one, generate_series(2, {half}) AS i,
       (SELECT array_agg(DISTINCT lane.destination ORDER BY lane.destination) AS codes
          FROM lanes AS lane JOIN agreements AS term
            ON (term.hub, term.region) = (lane.origin, lane.destination)) places
 WHERE one.commodity = 'melon' AND one.status = 'open';
UPDATE departures SET capacity_kg = LEAST(GREATEST(capacity_kg, {half} * 4), 1000000000);
ANALYZE;
"""
#: what a run writes, by the row that its copy is of
_WRITTEN = {
    "matches": "run_id = '{run}'",
    "unmatched": "run_id = '{run}'",
    "clearing_prices": "run_id = '{run}'",
    "clearing_documents": "run_id = '{run}'",
    "allocations": "match_id IS NOT NULL",
    "outbox": "id > {events}",
    "listings": "proposed_quantity > 0",
    "demands": "proposed_quantity > 0",
}


#: the foreign keys of a table
_FOREIGN_KEYS = """
SELECT pg_get_constraintdef(oid) AS said FROM pg_constraint WHERE contype = 'f' AND conrelid = $1::text::regclass
"""


class Floor(NamedTuple):
    """Seconds of plain COPY."""

    out: float
    #: with keys, checks, indexes and foreign keys
    guarded: float
    #: into tables with nothing but columns
    bare: float


class Stopwatch:
    """Seconds by stage, added up over all calls of the functions that it was put around."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.seconds: dict[str, float] = {}

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed."""
        if iscoroutinefunction(function):

            @wraps(function)
            async def waited(*args: Any, **more: Any) -> Any:
                began = time.perf_counter()
                try:
                    return await function(*args, **more)
                finally:
                    self.seconds[stage] = self.seconds.get(stage, 0) + time.perf_counter() - began

            return waited

        @wraps(function)
        def timed(*args: Any, **more: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args, **more)
            finally:
                self.seconds[stage] = self.seconds.get(stage, 0) + time.perf_counter() - began

        return timed


class InThisProcess:
    """Solves here, so that stages can be timed and all memory is that of one process."""

    async def clear(self, market: Market) -> Solved:
        """Return what the engine's process would."""
        return solve(market, Memory())


#: stage -> functions that make it up, by the module that calls them
STAGES = {
    "load_s": [(clearing, "read_book")],
    "build_s": [(engine, "arrange"), (engine, "open_book"), (engine, "build")],
    "solve_s": [(engine, "settle_market")],
    "matches_s": [(engine, "trade")],
    "audit_s": [(engine, "validate"), (engine, "audit")],
    "reasons_s": [(engine, "explain")],
    "papers_s": [(clearing, "papers_of")],
    "record_s": [(clearing, "write")],
}


def measure(*, seconds: float) -> list[dict[str, object]]:  # noqa: ARG001 - every size runs once
    """Return a row for each size, of single runs.

    {orders, matches, gap_idr, stages, total_s, copy_out_s, copy_in_s, copy_in_bare_s, x_floor, x_bare, peak_mb}:
    `total_s` is the whole binding run, its stages and what lies between them; `x_floor` and `x_bare` compare it with
    COPY out and in; `peak_mb` is the most memory that this process held so far, sizes ascending.
    """
    rows = []
    for orders in sorted(int(size) for size in os.environ.get("HUB_BENCH_ORDERS", SIZES).split(",")):
        with fresh_database() as (url, _):
            rows.append(asyncio.run(_measure(url, orders)))
        gc.collect()
    return rows


async def _measure(url: str, orders: int) -> dict[str, object]:
    actor = await _load(url, orders // 2)
    events = await _last_event(url)
    watch, database = Stopwatch(), Database(url, pool_size=2)
    with ExitStack() as stack:
        stack.enter_context(patch.object(clearing, "SOLVER", InThisProcess()))
        for stage, functions in STAGES.items():
            for module, name in functions:
                stack.enter_context(patch.object(module, name, watch.around(stage, getattr(module, name))))
        began = time.perf_counter()
        run = await clearing.run(
            database, commodities=["melon"], dry_run=False, now=NOW, timezone="Asia/Jakarta", actor=actor
        )
        total = time.perf_counter() - began
    await database.dispose()
    floor = await _floor(url, run, events)
    return {
        "orders": orders,
        "matches": run.matches,
        "gap_idr": run.certificate["gap_idr"],
        **{stage: watch.seconds.get(stage, 0.0) for stage in STAGES},
        "total_s": total,
        "copy_out_s": floor.out,
        "copy_in_s": floor.guarded,
        "copy_in_bare_s": floor.bare,
        "x_floor": total / (floor.out + floor.guarded),
        "x_bare": total / (floor.out + floor.bare),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


async def _load(url: str, half: int) -> Actor:
    """Load the reference data, the parties of the opening scenario, and a book of melons; return who is to clear it."""
    database = Database(url, pool_size=1)
    await database.retried(lambda session: demo.load_reference(session, now=NOW))
    keys = await database.retried(lambda session: demo.load_scenario(session, environment="bench", now=NOW))
    await database.dispose()
    assert keys is not None  # noqa: S101 - the database is new
    async with _desk(url, keys) as desk:
        one = {"commodity": "melon", "unit": "kg", "quantity": 50}
        await desk.ask("POST", "/listings", keys.producers[PRODUCER], **one, grade="A", price_idr=8_000)
        await desk.ask("POST", "/demands", keys.buyers[BUYER], **one, min_grade="A", max_price_idr=10_000)
    connection = await recorded.connect(url)
    await connection.execute(_MULTIPLY.format(half=half))
    actor = Actor(await connection.fetchval("SELECT id FROM organizations ORDER BY id LIMIT 1"))
    await connection.close()
    return actor


async def _last_event(url: str) -> int:
    """Return the id of the latest event."""
    connection = await recorded.connect(url)
    last: int = await connection.fetchval("SELECT max(id) FROM outbox")
    await connection.close()
    return last


async def _floor(url: str, run: ClearingRun, events: int) -> Floor:
    """Return the seconds that COPY takes for the orders out, and in for all the rows that the run wrote or changed.

    In twice: into tables with the keys, checks, indexes and foreign keys of the real ones, and into bare tables.
    """
    connection = await recorded.connect(url)
    began = time.perf_counter()
    for table in ("listings", "demands"):
        await connection.copy_from_query(f"SELECT * FROM {table} WHERE commodity = 'melon'", output=BytesIO())
    out, guarded, bare = time.perf_counter() - began, 0.0, 0.0
    for table, which in _WRITTEN.items():
        rows = BytesIO()
        query = f"SELECT * FROM {table} WHERE {which.format(run=run.id, events=events)}"
        await connection.copy_from_query(query, output=rows, format="binary")
        await connection.execute(f"CREATE TABLE guarded_{table} (LIKE {table} INCLUDING ALL)")
        for row in await connection.fetch(_FOREIGN_KEYS, table):
            await connection.execute(f"ALTER TABLE guarded_{table} ADD {row['said']}")
        await connection.execute(f"CREATE TABLE bare_{table} (LIKE {table})")
        guarded += await _copy_in(connection, f"guarded_{table}", rows)
        bare += await _copy_in(connection, f"bare_{table}", rows)
    await connection.close()
    return Floor(out, guarded, bare)


async def _copy_in(connection: Any, table: str, rows: BytesIO) -> float:
    rows.seek(0)
    began = time.perf_counter()
    await connection.copy_to_table(table, source=rows, format="binary")
    return time.perf_counter() - began
