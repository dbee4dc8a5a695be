"""The stream: tells at once, goes on where it was cut, ends with its key, and never holds up a server that stops."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from httpx_sse import EventSource
from sqlalchemy import text

from app.outbox import feed, router
from app.outbox.service import record
from tests.conftest import NOW, until
from tests.outbox.test_events_api import DEPOK, PONGGOK, key_of, organization
from tests.outbox.test_relay import event, publish

#: seconds in which anything that happens at all has happened
SOON = 20


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """No heartbeat: what is heard was woken for."""
    monkeypatch.setattr(router, "HEARTBEAT", 600.0)


class Listener:
    """Somebody who reads a stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        # what holds no data only says when to connect again
        self.events = (told.json() async for told in EventSource(answer).aiter_sse() if told.data)

    async def hear(self, count: int = 1) -> list[Any]:
        return [await asyncio.wait_for(anext(self.events), SOON) for _ in range(count)]

    async def end(self) -> None:
        """Read to the end."""
        async with asyncio.timeout(SOON):
            async for _ in self.events:
                pass


@asynccontextmanager
async def listening(url: str, headers: dict[str, str], query: str = "") -> AsyncIterator[Listener]:
    async with (
        httpx.AsyncClient(base_url=url, timeout=SOON) as client,
        client.stream("GET", f"/v1/events/stream{query}", headers=headers) as answer,
    ):
        if answer.status_code != 200:
            await answer.aread()
        yield Listener(answer)


async def happen(api: Any, name: str, *organizations: Any) -> None:
    async with api.database.transaction() as session:
        await record(session, event(name, *organizations))
    await publish(api)


async def until_listening(api: Any) -> None:
    """Wait until the process has its listening connection."""
    await until(lambda: listeners(api))


async def listeners(api: Any) -> list[int]:
    async with api.database.reader() as session:
        statement = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        return list(await session.scalars(text(statement)))


async def test_what_happens_is_told_at_once_and_only_to_whom_it_concerns(live: Any) -> None:
    await publish(live)
    me = (await organization(live, DEPOK))["id"]
    other = (await organization(live, PONGGOK))["id"]
    async with (
        listening(live.url, live.as_(key_of(live, DEPOK))) as mine,
        listening(live.url, live.as_(live.keys.hub)) as hubs,
    ):
        await until_listening(live)
        for name, concerned in (("test.other", other), ("test.mine", me), ("test.other", other), ("test.last", me)):
            await happen(live, name, concerned)
        assert [told["type"] for told in await mine.hear(2)] == ["test.mine", "test.last"]
        assert len({told["position"] for told in await hubs.hear(4)}) == 4


async def test_without_notifications_nothing_is_told_before_a_heartbeat(live: Any, monkeypatch: Any) -> None:
    """The control of the test above; with heartbeats it is told all the same, only later."""
    monkeypatch.setattr(feed.Feed, "_wake", lambda *_: None)
    await publish(live)
    async with listening(live.url, live.as_(live.keys.hub)) as hub:
        await until_listening(live)
        await happen(live, "test.unheard")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hub.hear(), 1)
    monkeypatch.setattr(router, "HEARTBEAT", 0.05)
    async with listening(live.url, live.as_(live.keys.hub)) as hub:
        await happen(live, "test.later")
        assert (await hub.hear())[0]["type"] == "test.later"


async def test_a_heartbeat_is_a_comment(live: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(router, "HEARTBEAT", 0.05)
    async with listening(live.url, live.as_(live.keys.hub)) as hub:
        lines = hub.answer.aiter_lines()
        heard = [await asyncio.wait_for(anext(lines), SOON) for _ in range(6)]
    assert heard == ["retry: 2000", "", ": ", "", ": ", ""]


async def test_a_stream_that_is_cut_goes_on_where_it_was(live: Any) -> None:
    """Cut after every few events while others are written: all are heard, each once, in order."""
    await publish(live)
    headers, heard = live.as_(live.keys.hub), [0]

    async def write() -> None:
        for number in range(60):
            await happen(live, f"test.{'abc'[number % 3]}")

    writing = asyncio.create_task(write())
    async with live.database.reader() as session:
        before = await session.scalar(text("SELECT count(*) FROM outbox"))
    while heard[-1] < before + 60:
        async with listening(live.url, {**headers, "Last-Event-ID": str(heard[-1])}) as reader:
            heard += [told["position"] for told in await reader.hear(min(7, before + 60 - heard[-1]))]
    await writing
    assert heard == list(range(before + 61))


async def test_a_lost_listening_connection_loses_no_event(live: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(feed, "PAUSE", 0.01)
    await publish(live)
    async with listening(live.url, live.as_(live.keys.hub)) as hub:
        for round_ in range(3):
            await until_listening(live)
            async with live.database.reader() as session:
                for pid in await listeners(live):
                    await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            await happen(live, f"test.{'abc'[round_]}")
            assert (await hub.hear())[0]["type"] == f"test.{'abc'[round_]}"


async def test_a_stream_ends_with_its_key(live: Any) -> None:
    await publish(live)
    who = await organization(live, DEPOK)
    key = key_of(live, DEPOK)
    key_id = (await live.get("/v1/me", headers=live.as_(key))).json()["key_id"]
    async with listening(live.url, live.as_(key)) as mine:
        await until_listening(live)
        revoked = await live.delete(f"/v1/organizations/{who['id']}/api-keys/{key_id}", headers=live.as_(live.keys.hub))
        assert revoked.status_code == 204
        await happen(live, "test.secret", who["id"])
        with pytest.raises(StopAsyncIteration):
            await mine.hear()


async def test_a_key_holds_five_streams_and_gets_their_places_back(live: Any) -> None:
    headers = live.as_(live.keys.hub)
    open_ = [listening(live.url, headers) for _ in range(feed.MOST_OF_A_KEY)]
    for stream in open_:
        assert (await stream.__aenter__()).answer.status_code == 200
    async with listening(live.url, headers) as refused:
        assert (refused.answer.status_code, refused.answer.json()["code"]) == (429, "too_many_streams")
        assert refused.answer.headers["retry-after"] == "15"
    async with listening(live.url, live.as_(key_of(live, DEPOK))) as other:
        assert other.answer.status_code == 200
    for stream in open_:
        await stream.__aexit__(None, None, None)

    async def all_are_gone() -> bool:
        return not live.app.state.hub.feed._of_a_key

    await until(all_are_gone)
    async with listening(live.url, headers) as again:
        assert again.answer.status_code == 200


@pytest.mark.parametrize(
    "last_event_id",
    ["x", "-1", "1.5", "9223372036854775808", "\N{ARABIC-INDIC DIGIT ONE}", pytest.param("1" * 5000, id="long")],
)
async def test_a_wrong_last_event_id_is_named(live: Any, last_event_id: str) -> None:
    headers = {**live.as_(live.keys.hub), "Last-Event-ID": last_event_id.encode()}
    async with listening(live.url, headers) as refused:
        assert refused.answer.status_code == 400
        assert refused.answer.json()["errors"][0]["pointer"] == "Last-Event-ID"


@pytest.mark.parametrize("protection", ["on", "off"])
async def test_a_server_that_stops_ends_its_streams(live: Any, protection: str) -> None:
    """The control: a server that does not tell its streams waits for them until it is killed."""
    await publish(live)
    url = live.database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.outbox.streaming_server", url, NOW.isoformat(), protection]
    server = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = await asyncio.to_thread(server.stdout.readline)
    async with listening(f"http://127.0.0.1:{int(port)}", live.as_(live.keys.hub), "?after=0") as hub:
        await hub.hear()
        server.send_signal(signal.SIGTERM)
        if protection == "on":
            await hub.end()
            assert await asyncio.to_thread(server.wait, SOON) in (0, -signal.SIGTERM)
        else:
            with pytest.raises(subprocess.TimeoutExpired):
                await asyncio.to_thread(server.wait, 3)
            server.kill()
            await asyncio.to_thread(server.wait)
    server.stdout.close()
