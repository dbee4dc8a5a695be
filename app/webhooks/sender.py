"""The sender: rounds of queueing, taking and posting. Any number may run, and any may be killed at any time.

What a dead sender held is free again when its lease ends: an event may then arrive twice, with the same webhook-id, but
never not at all.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from uuid import UUID

from app.kit.clock import Clock
from app.kit.db import Database
from app.webhooks import dispatch, rules, service
from app.webhooks.courier import Courier
from app.webhooks.dispatch import Pace, Parcel

LOG = logging.getLogger("hub.webhooks")

#: seconds between two rounds, after one that found something and after one that did not
BUSY, IDLE = 0.05, 0.25
#: seconds that attempts under way get when the sender stops
LAST_SECONDS = 5.0
#: connections for writing down how attempts went
WRITERS = 3


class Sender:
    """Sends what is due."""

    def __init__(self, database: Database, clock: Clock, courier: Courier, pace: Pace | None = None) -> None:
        """Send by `courier`; the clock must run, receivers refuse old signatures."""
        self._database = database
        self._clock = clock
        self._courier = courier
        self._pace = pace or Pace()
        self._busy: Counter[UUID] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = asyncio.Semaphore(WRITERS)

    async def run(self, stop: asyncio.Event) -> None:
        """Go round until `stop`, then let attempts under way end. A failing round is logged and does not end it."""
        while not stop.is_set():
            found = 0
            try:
                found = await self.round()
            except Exception:
                LOG.exception("round failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BUSY if found else IDLE)
        await self.finish(LAST_SECONDS)

    async def round(self) -> int:
        """Queue what is new, begin what is due; returns how many events and attempts that were."""
        now = self._clock.now()
        queued = await self._database.retried(lambda session: service.queue(session, now=now))
        busy = {endpoint: count for endpoint, count in self._busy.items() if count}
        parcels = await self._database.retried(
            lambda session: dispatch.take(session, busy=busy, pace=self._pace, now=now)
        )
        for parcel in parcels:
            self._busy[parcel.endpoint_id] += 1
            task = asyncio.create_task(self._send(parcel))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return queued + len(parcels)

    async def finish(self, seconds: float | None = None) -> None:
        """Wait for attempts under way, for at most `seconds`; what is cut off is sent again after its lease."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _send(self, parcel: Parcel) -> None:
        try:
            headers = rules.headers(parcel.position, parcel.body, secrets=parcel.secrets, now=self._clock.now())
            url = rules.parse_url(parcel.url, inside_allowed=True)
            reply = await self._courier.post(url, parcel.body, headers)
            async with self._writing:
                await self._database.retried(
                    lambda session: dispatch.settle(session, parcel, reply, pace=self._pace, now=self._clock.now())
                )
        except Exception:
            LOG.exception("attempt failed", extra={"fields": {"endpoint": str(parcel.endpoint_id)}})
        finally:
            self._busy[parcel.endpoint_id] -= 1
