"""A load generator that costs little: bare HTTP/1.1 over kept-alive connections, run in a process of its own."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import quantiles


@dataclass(frozen=True)
class Request:
    """One request, sent again and again."""

    method: str
    path: str
    key: str | None = None
    body: bytes = b""
    expected: int = 200


@dataclass(frozen=True)
class Load:
    """What was measured."""

    rps: float
    p50_ms: float
    p99_ms: float


def measure(port: int, request: Request, *, clients: int, seconds: float) -> Load:
    """Send `request` again and again over `clients` connections; the first fifth of the time warms up.

    Raises RuntimeError when an answer has another status than expected.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        times, elapsed = pool.submit(_run, port, request, clients, seconds).result()
    cuts = quantiles(times, n=100)
    return Load(len(times) / elapsed, cuts[49] * 1000, cuts[98] * 1000)


def _run(port: int, request: Request, clients: int, seconds: float) -> tuple[Sequence[float], float]:
    return asyncio.run(_all(port, request, clients, seconds))


async def _all(port: int, request: Request, clients: int, seconds: float) -> tuple[Sequence[float], float]:
    start = time.perf_counter() + seconds * 0.2
    end = start + seconds
    results = await asyncio.gather(*(_client(port, request, start, end) for _ in range(clients)))
    return [taken for times in results for taken in times], seconds


async def _client(port: int, request: Request, start: float, end: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times, message = [], _bytes(request)
    while (began := time.perf_counter()) < end:
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        status = int(head[9:12])
        if status != request.expected:
            raise RuntimeError(f"{request.method} {request.path} answered {status}: {body[:300]!r}")
        if began >= start:
            times.append(time.perf_counter() - began)
    writer.close()
    return times


def _bytes(request: Request) -> bytes:
    key = f"Authorization: Bearer {request.key}\r\n" if request.key else ""
    kind = f"Content-Type: application/json\r\nContent-Length: {len(request.body)}\r\n" if request.body else ""
    return f"{request.method} {request.path} HTTP/1.1\r\nHost: bench\r\n{key}{kind}\r\n".encode() + request.body
