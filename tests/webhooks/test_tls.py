"""A connection to the checked address is still TLS with the name: a real handshake, with certificates of our own."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpcore
import pytest
import trustme

from app.webhooks import rules
from app.webhooks.courier import Courier
from tests.webhooks.receivers import Receiver, takes

NAME = "hooks.example"


async def this_machine(_host: str) -> Sequence[str]:
    """Stand in for a resolver: every name is this machine, and no name server knows of it."""
    return ["127.0.0.1"]


class Server:
    """A receiver behind TLS, and the names that clients asked for."""

    def __init__(self, certificate: trustme.LeafCert) -> None:
        self.receiver = Receiver(takes)
        self.asked: list[str | None] = []
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(self.context)
        self.context.sni_callback = lambda _socket, name, _context: self.asked.append(name)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self.receiver.serve, "127.0.0.1", 0, ssl=self.context)
        async with server:
            yield server.sockets[0].getsockname()[1]


@pytest.fixture
def authority(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Whom this machine trusts, beside the usual ones."""
    trusted = trustme.CA()
    trusted.cert_pem.write_to_path(str(tmp_path / "trusted.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    return trusted


async def post(port: int, name: str = NAME) -> Any:
    courier = Courier(inside_allowed=True, resolve=this_machine)
    try:
        return await courier.post(rules.parse_url(f"https://{name}:{port}/in", inside_allowed=True), "{}", {})
    finally:
        await courier.close()


async def test_the_handshake_and_the_request_name_the_host_though_an_address_was_connected(
    authority: trustme.CA,
) -> None:
    server = Server(authority.issue_cert(NAME))
    async with server.listening() as port:
        reply = await post(port)
    assert (reply.status, reply.error, server.asked) == (200, None, [NAME])
    ((headers, body),) = server.receiver.received
    assert (headers["host"], body) == (f"{NAME}:{port}", "{}")


@pytest.mark.parametrize("named", ["other.example", "127.0.0.1", "*.hooks.example"])
async def test_a_certificate_of_another_name_or_of_the_address_is_refused(authority: trustme.CA, named: str) -> None:
    await refused(Server(authority.issue_cert(named)))


async def test_a_certificate_of_an_unknown_authority_is_refused(authority: trustme.CA) -> None:
    await refused(Server(trustme.CA().issue_cert(NAME)))
    assert authority


async def refused(server: Server) -> None:
    """Expect that nothing is posted. The control: a client that looks at no certificate posts."""
    async with server.listening() as port:
        reply = await post(port)
        assert (reply.status, reply.error, server.receiver.received) == (None, "no_connection", [])
        careless = ssl.create_default_context()
        careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
        async with httpcore.AsyncConnectionPool(ssl_context=careless) as pool:
            answer = await pool.request("POST", f"https://127.0.0.1:{port}/in", content=b"{}")
        assert (answer.status, len(server.receiver.received)) == (200, 1)
