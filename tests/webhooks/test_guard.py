"""No request leads inside, however the address is spelt: canaries on this machine hear nothing. With controls."""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx
import pytest

from app.webhooks import courier, rules
from app.webhooks.addresses import is_outside
from app.webhooks.courier import Courier
from tests.outbox.test_events_api import DEPOK, key_of
from tests.webhooks.receivers import receiving, somewhere_outside, takes

#: spellings of this machine that its resolver understands; {} is the port
SPELLINGS = [
    "http://127.0.0.1:{}/",
    "http://127.1:{}/",
    "http://127.0.1:{}/",
    "http://2130706433:{}/",
    "http://0x7f000001:{}/",
    "http://0x7f.1:{}/",
    "http://127.8.9.10:{}/",
    "http://0.0.0.0:{}/",
    "http://0:{}/",
    "http://localhost:{}/",
    "http://LOCALHOST:{}/",
    "http://[::ffff:127.0.0.1]:{}/",
    "http://[::ffff:7f00:1]:{}/",
    "http://[0:0:0:0:0:ffff:7f00:0001]:{}/",
]


async def knock(by: Courier, url: str) -> Any:
    try:
        return await by.post(rules.parse_url(url, inside_allowed=True), "{}", {})
    finally:
        await by.close()


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_reaches_a_canary(spelling: str) -> None:
    """The control: without the guard the canary hears it."""
    async with receiving(takes, "0.0.0.0") as (canary, port):  # noqa: S104 - every way in is open
        reply = await knock(Courier(), spelling.format(port))
        assert (reply.status, reply.error) == (None, "leads_inside")
        assert canary.connections == 0
        reply = await knock(Courier(inside_allowed=True), spelling.format(port))
        assert (reply.status, canary.connections) == (200, 1)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "0.0.0.1",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.0.1",
            "192.0.0.8",
        ),
        *("192.0.2.1", "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1"),
        *("64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:1::1", "2001:db8::1"),
        *("3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%2", "fec0::1", "ff02::1", "ff0e::1", "5f00::1"),
        *("100::1", "2400::5efe:127.0.0.1", "2400::200:5efe:10.0.0.1"),
    ],
)
def test_an_address_inside_is_known_in_every_wrapping(address: str) -> None:
    assert not is_outside(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"],
)
def test_the_internet_is_outside(address: str) -> None:
    assert is_outside(ip_address(address))


def test_python_alone_would_let_some_of_them_pass() -> None:
    """The control of the list above."""
    for address in ("::127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::", "224.0.0.1", "fec0::1"):
        assert ip_address(address).is_global
        assert not is_outside(ip_address(address))


class Turning:
    """A name server that answers outside first and inside from then on."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, _host: str) -> Sequence[str]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_a_name_that_turns_inside_after_registration_is_refused_at_the_connection() -> None:
    async with receiving(takes) as (canary, port):
        url = httpx.URL(f"http://hooks.example:{port}/")
        courier = Courier(resolve=Turning(["93.184.216.34"], ["127.0.0.1"]))
        await courier.check(url)
        assert (await courier.post(url, "{}", {})).error == "leads_inside"
        await courier.close()
        assert canary.connections == 0


async def test_one_address_inside_among_others_is_enough_to_refuse() -> None:
    async with receiving(takes) as (canary, port):
        courier = Courier(resolve=Turning(["93.184.216.34", "127.0.0.1"]))
        assert (await knock(courier, f"http://hooks.example:{port}/")).error == "leads_inside"
        assert canary.connections == 0


class Wire(httpcore.AsyncNetworkBackend):
    """Notes where a connection would go and which name TLS asks for, and ends there."""

    def __init__(self) -> None:
        self.connected: list[str] = []
        self.names: list[str] = []

    async def connect_tcp(self, host: str, *_: Any, **__: Any) -> Any:
        self.connected.append(host)
        wire = self

        class Stream(httpcore.AsyncNetworkStream):
            async def start_tls(self, *_: Any, server_hostname: str | None = None, **__: Any) -> Any:
                wire.names.append(str(server_hostname))
                raise httpcore.ConnectError

            async def aclose(self) -> None: ...

        return Stream()


@pytest.mark.parametrize(
    "address",
    [
        "2002:7f00:1::",  # 6to4
        "2002:a9fe:a9fe::1",
        "64:ff9b::127.0.0.1",  # NAT64
        "64:ff9b::a9fe:a9fe",
        "::ffff:0:127.0.0.1",  # IPv4-translated
        "::127.0.0.1",  # IPv4-compatible
        "2400::5efe:127.0.0.1",  # ISATAP
        "2400::200:5efe:10.0.0.1",
    ],
)
async def test_no_wrapping_is_connected_to(address: str) -> None:
    """No network leads them to a canary here, so the wire is watched. The control: without the guard."""
    for url in (f"https://[{address}]/", "https://hooks.example/"):
        wire = Wire()
        assert (await knock(Courier(resolve=Turning([address]), network=wire), url)).error == "leads_inside"
        assert wire.connected == []
        await knock(Courier(inside_allowed=True, resolve=Turning([address]), network=wire), url)
        assert wire.connected == [address]


async def test_a_dot_at_the_end_does_not_lead_inside() -> None:
    """Some resolvers read it as the address, others as no name at all. The control: the first, without the guard."""
    async with receiving(takes) as (canary, port):
        url = f"http://127.0.0.1.:{port}/"
        for resolve, errors in ((None, ("leads_inside", "no_connection")), (Turning(["127.0.0.1"]), ("leads_inside",))):
            assert (await knock(Courier(resolve=resolve), url)).error in errors
            assert canary.connections == 0
        reply = await knock(Courier(inside_allowed=True, resolve=Turning(["127.0.0.1"])), url)
        assert (reply.status, canary.connections) == (200, 1)


async def test_the_loopback_of_ipv6_is_inside() -> None:
    """The control: without the guard it is connected to."""
    wire = Wire()
    assert (await knock(Courier(network=wire), "https://[::1]/")).error == "leads_inside"
    assert wire.connected == []
    await knock(Courier(inside_allowed=True, network=wire), "https://[::1]/")
    assert wire.connected == ["::1"]


async def test_the_connection_goes_to_the_checked_address_and_tls_keeps_the_name() -> None:
    wire = Wire()
    await knock(Courier(resolve=Turning(["93.184.216.34"], ["127.0.0.1"]), network=wire), "https://hooks.example/")
    assert (wire.connected, wire.names) == (["93.184.216.34"], ["hooks.example"])


async def test_a_redirect_is_not_followed() -> None:
    async with receiving(takes) as (canary, inside):

        async def redirects(_headers: dict[str, str], _body: str) -> int:
            return 302

        async with receiving(redirects) as (_, port):
            reply = await knock(Courier(inside_allowed=True), f"http://127.0.0.1:{port}/")
        assert reply.status == 302
        assert not rules.accepts(reply.status)
        assert (canary.connections, inside > 0) == (0, True)


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: Any) -> None:
    """The control: a client that reads the environment goes to the canary."""
    async with receiving(takes) as (canary, port):
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setitem(os.environ, name, f"http://127.0.0.1:{port}")
        wire = Wire()
        await knock(Courier(resolve=somewhere_outside, network=wire), "https://hooks.example/")
        assert (wire.connected, canary.connections) == (["93.184.216.34"], 0)
        async with httpx.AsyncClient() as client:
            await client.post("http://hooks.example/")
        assert canary.connections == 1


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://127.0.0.1/", "leads_inside"),
        ("https://0x7f.1/", "leads_inside"),
        ("https://[::ffff:7f00:1]/", "leads_inside"),
        ("https://localhost/", "leads_inside"),
        ("https://169.254.169.254/latest", "leads_inside"),
        ("https://[::1]/", "leads_inside"),
        ("http://hooks.example/", "webhook_url"),
        ("https://user:secret@hooks.example/", "webhook_url"),
        ("https://hooks.example/#x", "webhook_url"),
        ("file:///etc/passwd", "webhook_url"),
        ("https://0177.0.0.1/", "webhook_url"),
        ("https://", "webhook_url"),
        ("hooks.example", "webhook_url"),
        ("https://\N{FULLWIDTH DIGIT ONE}27.0.0.1/", "string_pattern_mismatch"),
    ],
)
async def test_registration_refuses_what_leads_inside(scenario: Any, url: str, code: str) -> None:
    headers = scenario.as_(key_of(scenario, DEPOK))
    answer = await scenario.post("/v1/webhook-endpoints", json={"url": url}, headers=headers)
    assert answer.status_code == 422, answer.text
    assert (answer.json()["errors"][0]["code"], answer.json()["errors"][0]["pointer"]) == (code, "/url")


async def test_a_receiver_that_hangs_up_or_says_nothing_ends_in_time() -> None:
    async def hangs_up(_headers: dict[str, str], _body: str) -> None:
        return None

    async def says_nothing(_headers: dict[str, str], _body: str) -> int:
        await asyncio.sleep(30)
        return 200

    for answer, error, seconds in ((hangs_up, "no_http", 20), (says_nothing, "timeout", 0.3)):
        async with receiving(answer) as (_, port):
            reply = await knock(Courier(inside_allowed=True, seconds=seconds), f"http://127.0.0.1:{port}/")
            assert (reply.status, reply.error) == (None, error)


@pytest.mark.parametrize(("most_read", "seconds", "status"), [(courier.MOST_READ, 20, 200), (10**12, 1, None)])
async def test_an_answer_without_end_is_cut(monkeypatch: Any, most_read: int, seconds: int, status: int | None) -> None:
    """The control: a courier that reads on is held until its time is up."""

    async def pours(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x" * 4096)
                await writer.drain()
                await asyncio.sleep(0.001)

    monkeypatch.setattr(courier, "MOST_READ", most_read)
    server = await asyncio.start_server(pours, "127.0.0.1", 0)
    async with server:
        reply = await knock(
            Courier(inside_allowed=True, seconds=seconds), f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        )
        assert (reply.status, reply.error) == (status, None if status else "timeout")
