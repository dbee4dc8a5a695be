"""Fan-out: one connection of a process listens for the relay and wakes the streams that it concerns.

A wake only says "look": what a stream tells it reads from the table after its own cursor. So a notification that is
lost costs time, until the next heartbeat, and never an event.
"""

import asyncio
import contextlib
import logging
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from uuid import UUID

from app.kit.clock import monotonic
from app.kit.db import notifications
from app.kit.principal import Principal
from app.outbox.errors import TooManyStreams
from app.outbox.relay import CHANNEL

LOG = logging.getLogger("hub.feed")

#: streams that one key or browser, and that one process may hold
MOST_OF_A_KEY, MOST_OF_ALL = 5, 1000
#: seconds before a lost connection is made again
PAUSE = 1.0


class Subscription:
    """One stream's place in the feed."""

    def __init__(self, principal: Principal, seconds: float) -> None:
        """Wake for what concerns `principal`; it is over after `seconds`."""
        self.principal = principal
        self.closed = False
        self._ends = monotonic() + seconds
        self._woken = asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether the stream has to end: its time is up, its reader is gone, or the process stops."""
        return self.closed or monotonic() >= self._ends

    def wake(self) -> None:
        """Ask the stream to look."""
        self._woken.set()

    def close(self) -> None:
        """Ask the stream to end."""
        self.closed = True
        self.wake()

    async def changed(self, seconds: float) -> bool:
        """Wait until there may be something to tell, or for `seconds`; tell which of them it was."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), min(seconds, max(0.0, self._ends - monotonic())))
        woken = self._woken.is_set()
        self._woken.clear()
        return woken


class Feed:
    """The streams of one process. It holds a connection only while there are any."""

    def __init__(self, url: str, *, seconds: float) -> None:
        """Listen at `url`, which must lead to PostgreSQL itself; a stream lives for `seconds`."""
        self._url = url
        self._seconds = seconds
        self._subscriptions: set[Subscription] = set()
        self._of_a_key: Counter[UUID | None] = Counter()
        self._listener: asyncio.Task[None] | None = None
        self._closing = False

    def admit(self, principal: Principal) -> None:
        """Raise TooManyStreams (429) where there is no room for another stream of this key."""
        if self._of_a_key[_reader(principal)] >= MOST_OF_A_KEY or len(self._subscriptions) >= MOST_OF_ALL:
            raise TooManyStreams

    @contextmanager
    def subscribed(self, principal: Principal) -> Iterator[Subscription]:
        """Hold a place in the feed. Raises TooManyStreams (429)."""
        self.admit(principal)
        subscription = Subscription(principal, self._seconds)
        if self._closing:
            subscription.close()
        self._subscriptions.add(subscription)
        self._of_a_key[_reader(principal)] += 1
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            self._of_a_key[_reader(principal)] -= 1
            self._of_a_key += Counter()  # forget keys without streams
            if not self._subscriptions:
                self._listener.cancel()
                self._listener = None

    def close(self) -> None:
        """Ask all streams to end, now and from now on."""
        self._closing = True
        for subscription in self._subscriptions:
            subscription.close()

    async def _listen(self) -> None:
        while True:
            try:
                async for organizations in notifications(self._url, CHANNEL):
                    self._wake(organizations)
            except Exception:
                LOG.exception("listening failed")
            await asyncio.sleep(PAUSE)

    def _wake(self, organizations: str) -> None:
        """Wake whom a notification concerns; an empty one concerns everybody."""
        for subscription in self._subscriptions:
            mine = str(subscription.principal.organization_id)
            if not organizations or subscription.principal.is_hub or mine in organizations:
                subscription.wake()


def _reader(principal: Principal) -> UUID | None:
    return principal.key_id or principal.session_id


@contextmanager
def closed_by_signals(close: Callable[[], object]) -> Iterator[None]:
    """Call `close` as soon as the server is asked to stop: it waits for streams, which would not end by themselves."""
    loop = asyncio.get_running_loop()
    before: dict[int, Callable[[int, FrameType | None], object]] = {}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(close)
        before[number](number, frame)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            if callable(handler := signal.getsignal(number)):
                before[number] = handler
                signal.signal(number, stop)
    try:
        yield
    finally:
        for caught, handler in before.items():
            signal.signal(caught, handler)
        close()
