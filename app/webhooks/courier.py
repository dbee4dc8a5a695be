"""The courier: brings a body to an address on the internet, and nowhere else.

Every connection is made to an address that was just resolved and found outside; TLS and Host keep the name. httpcore
follows no redirect, knows no proxy of the environment and keeps no cookies.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from app.kit.clock import monotonic
from app.kit.problems import Busy
from app.webhooks.addresses import is_outside
from app.webhooks.errors import LeadsInside, Unresolvable

#: seconds of one attempt, from looking up the name to the end of the answer
SECONDS = 15.0
#: of looking up the name alone, when an endpoint is registered; and how many may be looked up for that at once
LOOKUP_SECONDS, LOOKUPS = 3.0, 4
#: bytes of an answer that are read; nothing of it is kept
MOST_READ = 16 * 1024
#: addresses of one name that are tried
MOST_TRIED = 3
CONNECTIONS, IDLE_CONNECTIONS = 1000, 100

#: returns the addresses of a host name; raises OSError
Resolve = Callable[[str], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Reply:
    """How an attempt went: the status of the answer, or what went wrong before there was one."""

    status: int | None
    error: str | None
    milliseconds: int
    retry_after: timedelta = timedelta(0)


class Inside(httpcore.ConnectError):
    """The name leads, perhaps among others, to an address inside."""


class Resolver:
    """Looks names up in threads of its own; many who ask for one name share one thread.

    So whoever runs a name server that does not answer holds up nobody else's lookups.
    """

    def __init__(self) -> None:
        """Start no thread yet."""
        self._threads = ThreadPoolExecutor(64, "resolve")
        self._asked: dict[str, asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str) -> Sequence[str]:
        """Return the addresses of a name, or of an address in any spelling. Raises OSError."""
        asked = self._asked.get(host)
        if asked is None:
            asked = asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host)
            self._asked[host] = asked
            asked.add_done_callback(partial(self._forget, host))
        return await asyncio.shield(asked)

    def _forget(self, host: str, asked: asyncio.Future[list[str]]) -> None:
        del self._asked[host]
        asked.cancelled() or asked.exception()  # whoever waited may be gone


def _look_up(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class OutsideOnly(httpcore.AsyncNetworkBackend):
    """Connects to addresses outside."""

    def __init__(self, resolve: Resolve, *, inside_allowed: bool, network: httpcore.AsyncNetworkBackend) -> None:
        """Resolve names with `resolve`, connect through `network`."""
        self._resolve = resolve
        self._inside_allowed = inside_allowed
        self._network = network

    async def checked(self, host: str) -> Sequence[str]:
        """Return the addresses of a host. Raises Inside where one of them is not outside, OSError for no name."""
        found = await self._resolve(host)
        if not self._inside_allowed and not all(is_outside(ip_address(one)) for one in found):
            raise Inside
        return found

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of httpcore
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers: to the address itself, so that no second lookup comes between."""
        refused: Exception = httpcore.ConnectError()
        for address in (await self.checked(host))[:MOST_TRIED]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refused = error
        raise refused

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._network.sleep(seconds)


class Courier:
    """Posts to endpoints. One for a process; `close` it."""

    def __init__(
        self,
        *,
        inside_allowed: bool = False,
        seconds: float = SECONDS,
        resolve: Resolve | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """Allow addresses inside only for receivers at home; `seconds` is the time of one attempt."""
        self.inside_allowed = inside_allowed
        self._seconds = seconds
        self._outside = OutsideOnly(
            resolve or Resolver(), inside_allowed=inside_allowed, network=network or httpcore.AnyIOBackend()
        )
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=CONNECTIONS,
            max_keepalive_connections=IDLE_CONNECTIONS,
            keepalive_expiry=30,
            network_backend=self._outside,
        )
        self._lookups = asyncio.Semaphore(LOOKUPS)

    async def check(self, url: httpx.URL) -> None:
        """Refuse an address that leads inside now; it is checked again at each connection.

        Raises LeadsInside, Unresolvable (422), Busy (503) while many others are looked up.
        """
        if self.inside_allowed:
            return
        if self._lookups.locked():
            raise Busy
        try:
            async with self._lookups, asyncio.timeout(LOOKUP_SECONDS):
                await self._outside.checked(url.raw_host.decode())
        except Inside:
            raise LeadsInside from None
        except (OSError, UnicodeError):
            raise Unresolvable from None

    async def post(self, url: httpx.URL, body: str, headers: Mapping[str, str]) -> Reply:
        """Post a body. Never raises for what the other side does."""
        started = monotonic()
        status, error, retry_after = None, None, timedelta(0)
        try:
            async with asyncio.timeout(self._seconds):
                status, retry_after = await self._answer(url, body.encode(), headers)
        except Inside:
            error = "leads_inside"
        except TimeoutError:
            error = "timeout"
        except (httpcore.NetworkError, httpcore.TimeoutException, OSError, UnicodeError):
            error = "no_connection"
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol):
            error = "no_http"
        return Reply(status, error, int((monotonic() - started) * 1000), retry_after)

    async def _answer(self, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> tuple[int, timedelta]:
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        sent = [(b"host", url.netloc), *((name.encode(), value.encode()) for name, value in headers.items())]
        async with self._pool.stream("POST", target, headers=sent, content=body) as response:
            # A short answer is read, so that the connection can be used again; a long one ends with its connection.
            read = 0
            async for chunk in response.aiter_stream():
                read += len(chunk)
                if read > MOST_READ:
                    break
            return response.status, _retry_after(response.headers)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


def _retry_after(headers: Sequence[tuple[bytes, bytes]]) -> timedelta:
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 8:  # noqa: PLR2004 - fits a timedelta
            return timedelta(seconds=int(value))
    return timedelta(0)
