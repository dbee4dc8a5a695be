"""A sender with its relay in a process of its own, to be killed: `python -m tests.webhooks.sending URL LEASE`."""

import asyncio
import os
import sys
from datetime import timedelta

from app.kit.clock import SystemClock
from app.kit.db import Database
from app.outbox import relay
from app.parties import queries as parties
from app.webhooks.courier import Courier
from app.webhooks.dispatch import Pace
from app.webhooks.sender import Sender

#: ten attempts within seconds
HURRY = tuple(timedelta(seconds=seconds) for seconds in (0, 0.1, 0.2, 0.3, 0.5, 1, 1, 1, 1, 1))


async def main(url: str, lease: float) -> None:
    """Publish and send until killed; a line says that it begins."""
    database = Database(url, pool_size=6)
    courier = Courier(inside_allowed=True, seconds=1.5)
    pace = Pace(schedule=HURRY, lease=timedelta(seconds=lease), suspect=timedelta(hours=1))
    stop = asyncio.Event()
    os.write(1, b"sending\n")
    await asyncio.gather(
        relay.run(database, SystemClock(), stop, hubs_of=parties.hubs_of),
        Sender(database, SystemClock(), courier, pace).run(stop),
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
