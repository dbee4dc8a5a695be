"""Receivers of webhooks on this machine, and endpoints that lead to them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from app.webhooks.courier import Courier

#: what a receiver answers: a status, or None to say nothing
Answer = Callable[[dict[str, str], str], Awaitable[int | None]]


async def somewhere_outside(_host: str) -> Sequence[str]:
    """Stand in for a resolver: every name is one of a server on the internet."""
    return ["93.184.216.34"]


async def endpoint_of(api: Any, key: str, url: str = "https://hooks.example/", **more: Any) -> dict[str, Any]:
    """Register an endpoint without asking the real name servers."""
    if not api.app.state.hub.courier.inside_allowed:
        api.app.state.hub.courier = Courier(resolve=somewhere_outside)
    answer = await api.post("/v1/webhook-endpoints", json={"url": url, **more}, headers=api.as_(key))
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


class Receiver:
    """Counts connections, keeps what is posted, answers as it is told."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.connections = 0
        self.received: list[tuple[dict[str, str], str]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
                headers = {name.lower(): value for name, _, value in lines}
                body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
                self.received.append((headers, body))
                status = await self.answer(headers, body)
                if status is None:
                    break
                extra = "Location: http://127.0.0.1:1/\r\n" if 300 <= status < 400 else ""
                writer.write(f"HTTP/1.1 {status} X\r\n{extra}Content-Length: 2\r\n\r\nok".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(answer: Answer, host: str = "127.0.0.1") -> AsyncIterator[tuple[Receiver, int]]:
    """Listen on a free port; yields the receiver and the port."""
    receiver = Receiver(answer)
    server = await asyncio.start_server(receiver.serve, host, 0)
    try:
        yield receiver, server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def takes(_headers: dict[str, str], _body: str) -> int:
    """Take everything."""
    return 200


async def refuses(_headers: dict[str, str], _body: str) -> int:
    """Take nothing."""
    return 500
