"""A value that is read often and changes rarely: kept a few seconds, may be lost at any time."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from app.kit.clock import monotonic

T = TypeVar("T")


class Cached(Generic[T]):
    """Keeps what `load` returned for `seconds`; other processes see a change after at most that long."""

    def __init__(self, seconds: float) -> None:
        """Start empty."""
        self._seconds = seconds
        self._value: T | None = None
        self._until = 0.0

    async def get(self, load: Callable[[], Awaitable[T]]) -> T:
        """Return the kept value, or load it."""
        if self._value is None or monotonic() >= self._until:
            self._value = await load()
            self._until = monotonic() + self._seconds
        return self._value

    def forget(self) -> None:
        """Drop the value: this process just changed what it was made from."""
        self._value = None
