"""The sender: the schedule on a clock of our own, signatures, slow neighbours, and killed senders.

HUB_WEBHOOK_EVENTS and HUB_WEBHOOK_KILLS set the size of the last; the promise is 10,000 and 20.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import zlib
from collections import Counter
from datetime import timedelta
from statistics import quantiles
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from app.kit.clock import FixedClock, SystemClock
from app.outbox.service import record
from app.webhooks import rules
from app.webhooks.courier import Courier
from app.webhooks.dispatch import Pace
from app.webhooks.sender import Sender
from tests.conftest import until
from tests.outbox.test_events_api import DEPOK, key_of
from tests.outbox.test_relay import event, publish
from tests.webhooks.receivers import endpoint_of, receiving, refuses, takes
from tests.webhooks.test_endpoints_api import deliveries, queue

EVENTS = int(os.environ.get("HUB_WEBHOOK_EVENTS", "300"))
KILLS = int(os.environ.get("HUB_WEBHOOK_KILLS", "3"))


def sender(api: Any, clock: Any = None, **pace: Any) -> Sender:
    return Sender(api.database, clock or SystemClock(), Courier(inside_allowed=True, seconds=60), Pace(**pace))


async def registered(api: Any, port: int, key: str | None = None) -> dict[str, Any]:
    """Register a receiver of the hub's test events, told only what happens from now on."""
    api.app.state.hub.courier = Courier(inside_allowed=True)
    await queue(api)
    return await endpoint_of(api, key or api.keys.hub, f"http://127.0.0.1:{port}/", event_types=["test.*"])


async def happen(api: Any, count: int) -> None:
    async with api.database.transaction() as session:
        await record(session, *(event("test.happened") for _ in range(count)))
    await publish(api)


async def test_an_event_arrives_signed_with_both_secrets_while_they_overlap(committed: Any) -> None:
    async with receiving(takes) as (receiver, port):
        endpoint = await registered(committed, port)
        address = f"/v1/webhook-endpoints/{endpoint['id']}/rotate-secret"
        committed.clock.at = SystemClock().now()
        new = (await committed.post(address, headers=committed.as_(committed.keys.hub))).json()["secret"]
        await happen(committed, 1)
        sending = sender(committed)
        await sending.round()
        await sending.finish()
    ((headers, body),) = receiver.received
    for secret in (endpoint["secret"], new):
        told = Webhook(secret).verify(body, headers)
        assert (told["type"], headers["webhook-id"]) == ("test.happened", f"evt_{told['position']}")
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(body + " ", headers)
    (delivery,) = await deliveries(committed, endpoint, committed.keys.hub)
    assert (delivery["status"], delivery["attempts"][0]["status"]) == ("delivered", 200)


async def test_ten_attempts_go_over_75_hours_and_then_the_endpoint_is_disabled(committed: Any) -> None:
    async with receiving(refuses) as (receiver, port):
        endpoint = await registered(committed, port)
        await happen(committed, 1)
        clock = FixedClock(committed.clock.now())
        begun, sending = clock.now(), sender(committed, clock)
        times = []
        for number, wait in enumerate(rules.SCHEDULE):
            if wait:
                clock.at += wait - timedelta(microseconds=1)
                await sending.round()
                await sending.finish()
                assert len(receiver.received) == number, "not before its time"
                clock.at += timedelta(microseconds=1)
            await sending.round()
            await sending.finish()
            times.append(clock.now() - begun)
            assert len(receiver.received) == number + 1
    assert times[-1] == timedelta(hours=75, minutes=35, seconds=5)
    assert {headers["webhook-id"] for headers, _ in receiver.received} == {receiver.received[0][0]["webhook-id"]}
    (delivery,) = await deliveries(committed, endpoint, committed.keys.hub)
    assert (delivery["status"], len(delivery["attempts"])) == ("failed", 10)
    read = await committed.get(f"/v1/webhook-endpoints/{endpoint['id']}", headers=committed.as_(committed.keys.hub))
    assert read.json()["status"] == "disabled"
    await publish(committed)
    told = await committed.walk("/v1/events?type=webhook_endpoint.disabled", committed.keys.hub)
    assert [one["data"] for one in told] == [{"reason": "failing"}]


async def test_who_says_that_it_is_gone_is_disabled_at_once(committed: Any) -> None:
    async def gone(_headers: dict[str, str], _body: str) -> int:
        return rules.GONE

    async with receiving(gone) as (receiver, port):
        endpoint = await registered(committed, port)
        await happen(committed, 1)
        sending = sender(committed)
        await sending.round()
        await sending.finish()
    assert len(receiver.received) == 1
    read = await committed.get(f"/v1/webhook-endpoints/{endpoint['id']}", headers=committed.as_(committed.keys.hub))
    assert read.json()["status"] == "disabled"


@pytest.mark.parametrize("each", [4, 1000])
async def test_an_endpoint_that_hangs_holds_up_nobody_else(committed: Any, each: int) -> None:
    """The control: where one endpoint may take all attempts, the other is told nothing meanwhile."""
    released = asyncio.Event()

    async def hangs(_headers: dict[str, str], _body: str) -> int:
        await released.wait()
        return 200

    async with receiving(hangs) as (slow, slow_port), receiving(takes) as (quick, quick_port):
        await registered(committed, slow_port)
        await happen(committed, 30)
        await registered(committed, quick_port)
        await happen(committed, 20)
        sending = sender(committed, each=each, together=30)
        told = {slow: min(each, 30), quick: 20 if each == 4 else 0}

        async def all_told() -> bool:
            await sending.round()
            return all(len(receiver.received) == count for receiver, count in told.items())

        await until(all_told)
        for _ in range(10):
            assert await all_told(), "and nothing more while the one hangs"
            await asyncio.sleep(0.02)
        released.set()
        await sending.finish()


class Moody:
    """Takes seven of ten attempts; refuses, cuts, redirects or hangs in the others. The same each time it is asked."""

    def __init__(self) -> None:
        self.tries: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.refused = 0
        #: subject of an event -> when it was committed, and when it came for the first time; seconds
        self.committed: dict[str, float] = {}
        self.came: dict[str, float] = {}

    async def __call__(self, headers: dict[str, str], body: str) -> int | None:
        message = headers["webhook-id"]
        self.tries[message] += 1
        self.came.setdefault(json.loads(body)["subject"], monotonic())
        mood = zlib.crc32(f"{message}/{self.tries[message]}".encode()) % 100
        if mood >= 30:
            self.taken[message] += 1
            return 200
        self.refused += 1
        if mood == 0:
            await asyncio.sleep(3)
        return {1: None, 2: 302, 3: 503}.get(mood % 4, 500)

    def waited(self) -> str:
        """Tell how long events waited from their commit to their first attempt."""
        cuts = quantiles([came - self.committed[subject] for subject, came in self.came.items()], n=100)
        return f"first attempt after p50 {cuts[49]:.1f} s, p99 {cuts[98]:.1f} s"


async def kill_again_and_again(url: str, lease: float, kills: int, done: asyncio.Event) -> None:
    """Keep a sender running, kill it `kills` times, the last one only once all is done."""
    chance = random.Random(2026)
    for number in range(kills + 1):
        command = [sys.executable, "-m", "tests.webhooks.sending", url, str(lease)]
        process = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"sending\n"
        try:
            wait = None if number == kills else 2 + chance.random() * 2
            await asyncio.wait_for(done.wait(), wait)
        except TimeoutError:
            pass
        process.kill()
        await asyncio.to_thread(process.communicate)


async def left(api: Any) -> int:
    statement = "SELECT count(*) FROM webhook_deliveries WHERE status <> 'delivered'"
    waiting = "SELECT count(*) FROM outbox WHERE position IS NULL OR position > (SELECT position FROM webhook_progress)"
    async with api.database.reader() as session:
        return sum([await session.scalar(text(one)) or 0 for one in (statement, waiting)])


async def send_through_kills(api: Any, *, lease: float, events: int, kills: int, patience: float) -> tuple[Moody, Any]:
    """Write events while senders are killed; return what the receiver saw, once all is sent or patience is over."""
    moody, done = Moody(), asyncio.Event()
    async with receiving(moody) as (receiver, port):
        endpoint = await registered(api, port)
        url = api.database.engine.url.render_as_string(hide_password=False)
        killing = asyncio.create_task(kill_again_and_again(url, lease, kills, done))
        for begun in range(0, events, 50):
            happened = [event("test.happened") for _ in range(min(50, events - begun))]
            async with api.database.transaction() as session:
                await record(session, *happened)
            moody.committed |= {str(one.subject_id): monotonic() for one in happened}
            await asyncio.sleep(0.02)
        try:
            async with asyncio.timeout(patience):
                while await left(api):  # noqa: ASYNC110 - the senders are other processes
                    await asyncio.sleep(0.3)
        except TimeoutError:
            pass
        done.set()
        await killing
        for headers, body in receiver.received:
            signed = Webhook(endpoint["secret"]).verify(body, headers)
            assert headers["webhook-id"] == f"evt_{signed['position']}"
            assert json.loads(body)["type"] == "test.happened"
    return moody, endpoint


async def test_nothing_is_lost_through_failing_receivers_and_killed_senders(committed: Any) -> None:
    moody, _ = await send_through_kills(committed, lease=4, events=EVENTS, kills=KILLS, patience=120 + EVENTS / 20)
    assert await left(committed) == 0
    assert len(moody.taken) == EVENTS
    assert moody.refused > EVENTS / 10
    twice = moody.taken.total() - EVENTS
    print(f"{EVENTS} events, {KILLS} kills: {moody.refused} refused, {twice} twice, {moody.waited()}")  # noqa: T201


async def test_without_leases_that_end_a_killed_sender_loses_what_it_held(committed: Any) -> None:
    """The control: the same with leases of a day."""
    await send_through_kills(committed, lease=86_400, events=300, kills=2, patience=20)
    assert await left(committed) > 0, "the control must lose some: otherwise the test above shows nothing"


async def test_a_suspended_organization_is_told_nothing(committed: Any) -> None:
    key = key_of(committed, DEPOK)
    me = (await committed.get("/v1/me", headers=committed.as_(key))).json()["organization"]
    async with receiving(takes) as (receiver, port):
        await registered(committed, port, key)
        async with committed.database.transaction() as session:
            await record(session, event("test.mine", me["id"]))
            await session.execute(
                text("UPDATE organizations SET status = 'suspended' WHERE id = :id"), {"id": me["id"]}
            )
        await publish(committed)
        sending = sender(committed)
        await sending.round()
        await sending.finish()
        assert receiver.received == []
