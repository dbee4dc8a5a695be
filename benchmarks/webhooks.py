"""How soon after its commit an event comes to endpoints for the first time, while others hang and refuse."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles
from time import perf_counter

import httpx

from app.cli.prepare import load
from app.config import Settings
from app.kit.clock import SystemClock
from app.kit.db import Database
from app.kit.ids import new_id
from app.main import create_app
from app.outbox.events import WORKER, Event
from app.outbox.service import record
from benchmarks.stand import fresh_database

EVENTS_A_SECOND = 5
#: what the endpoints of the hub do: take, refuse, hang
MOODS = ("takes",) * 6 + ("refuses", "hangs")
#: seconds that the worker has to begin, and to send the last
PATIENCE = 30.0


class Receivers:
    """The endpoints: one port, an address for each; notes when an event comes to one for the first time."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self.came: dict[tuple[str, str], float] = {}
        #: endpoints that hang answer then
        self.over = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the posts of one connection as the address says."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n", 1)[0])
                body = await reader.readexactly(length)
                endpoint = head.split(b" ", 2)[1].decode()
                self.came.setdefault((endpoint, json.loads(body)["subject"]), perf_counter())
                if "hangs" in endpoint:
                    await self.over.wait()
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % (500 if "refuses" in endpoint else 200))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def measure(*, seconds: float) -> list[dict[str, object]]:
    """Return one row: events and attempts, and the seconds from commit to the first attempt at endpoints that take."""
    with fresh_database() as (url, folder):
        settings = Settings(database_url=url, data_dir=folder, webhooks_inside=True)
        asyncio.run(load(settings, url, with_demo=True))
        key = json.loads((folder / "demo-keys.json").read_text())["hub"]
        return [asyncio.run(_measure(settings, key, round(max(1, seconds) * EVENTS_A_SECOND)))]


async def _measure(settings: Settings, key: str, events: int) -> dict[str, object]:
    receivers = Receivers()
    server = await asyncio.start_server(receivers.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    addresses = [f"/{number}-{mood}" for number, mood in enumerate(MOODS)]
    await _register(settings, key, [f"http://127.0.0.1:{port}{address}" for address in addresses])
    takers = [address for address in addresses if address.endswith("takes")]
    database = Database(str(settings.database_url), pool_size=1)
    with _worker(settings):
        await _told(receivers, takers, await _happen(database, 1))
        committed = await _happen(database, events)
        await _told(receivers, takers, committed)
        receivers.over.set()
    await database.dispose()
    server.close()
    waited = [receivers.came[taker, subject] - at for taker in takers for subject, at in committed.items()]
    cuts = quantiles(waited, n=100)
    return {
        "events": events,
        "events_s": EVENTS_A_SECOND,
        "endpoints": len(MOODS),
        "first_attempts": len(waited),
        "p50_s": cuts[49],
        "p99_s": cuts[98],
        "max_s": max(waited),
    }


async def _register(settings: Settings, key: str, urls: list[str]) -> None:
    """Register endpoints of the hub for the events of this measurement."""
    app = create_app(settings)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hub", headers=headers) as hub:
        for url in urls:
            answer = await hub.post("/v1/webhook-endpoints", json={"url": url, "event_types": ["bench.*"]})
            answer.raise_for_status()
    await app.state.hub.database.dispose()


@contextmanager
def _worker(settings: Settings) -> Iterator[None]:
    environment = {**os.environ, "DATABASE_URL": str(settings.database_url), "HUB_WEBHOOKS_INSIDE": "yes"}
    process = subprocess.Popen([sys.executable, "-m", "app.worker"], env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


async def _happen(database: Database, count: int) -> dict[str, float]:
    """Let events happen, each in a transaction of its own; return when each was committed, by its subject."""
    committed, began = {}, perf_counter()
    for number in range(count):
        await asyncio.sleep(began + number / EVENTS_A_SECOND - perf_counter())
        subject = new_id()
        async with database.transaction() as session:
            await record(session, Event("bench.happened", subject, (), SystemClock().now(), WORKER, {}))
        committed[str(subject)] = perf_counter()
    return committed


async def _told(receivers: Receivers, takers: list[str], committed: dict[str, float]) -> None:
    """Wait until all endpoints that take were told all. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while any((taker, subject) not in receivers.came for taker in takers for subject in committed):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
