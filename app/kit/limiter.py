"""Requests a minute and key. Counted in this process: a cache that may be lost."""

import math

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from app.kit.clock import SystemClock
from app.kit.problems import TooManyRequests


class Limiter:
    """Counts requests by key in windows of a minute."""

    def __init__(self, per_minute: int) -> None:
        """Allow `per_minute` requests a minute and key."""
        self._limit = RateLimitItemPerMinute(per_minute)
        self._strategy = FixedWindowRateLimiter(MemoryStorage())

    async def count(self, key: str) -> None:
        """Count one request of `key`. Raises TooManyRequests (429) with Retry-After once its minute is used up."""
        if not await self._strategy.hit(self._limit, key):
            window = await self._strategy.get_window_stats(self._limit, key)
            wait = max(1, math.ceil(window.reset_time - SystemClock().now().timestamp()))
            raise TooManyRequests(headers={"Retry-After": str(wait)})
