"""`hub events tail` and `hub webhook listen` against a running hub."""

import asyncio
import json
import os
import sys
from typing import Any

from standardwebhooks import Webhook

from tests.conftest import until
from tests.outbox.conftest import live
from tests.outbox.test_relay import publish
from tests.outbox.test_stream import happen, until_listening
from tests.webhooks.receivers import receiving, takes

__all__ = ["live"]


async def started(api: Any, *arguments: str) -> asyncio.subprocess.Process:
    command = [*arguments, "--url", api.url, "--key", api.keys.hub]
    pipe = asyncio.subprocess.PIPE
    code = "from app.cli.main import main; import sys; main(sys.argv[1:])"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *command, stdout=pipe, stderr=pipe, env=os.environ
    )


async def test_tail_prints_what_happened_and_goes_on(live: Any) -> None:
    await publish(live)
    past = await live.walk("/v1/events?limit=200", live.keys.hub)
    whole = await started(live, "events", "tail")
    out, _ = await whole.communicate()
    assert [json.loads(line) for line in out.splitlines()] == past
    following = await started(live, "events", "tail", "--after", str(past[-1]["position"]), "--follow")
    await until_listening(live)
    await happen(live, "test.new")
    assert following.stdout is not None
    assert json.loads(await asyncio.wait_for(following.stdout.readline(), 20))["type"] == "test.new"
    following.kill()
    await following.communicate()


async def test_listen_posts_what_happens_signed(live: Any) -> None:
    await publish(live)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of this test alone
    async with receiving(takes) as (receiver, port):
        to = f"http://127.0.0.1:{port}/hooks"
        process = await started(live, "webhook", "listen", "--forward-to", to, "--secret", secret)
        await until_listening(live)
        await happen(live, "test.new")

        async def received() -> int:
            return len(receiver.received)

        await until(received)
        process.kill()
        await process.communicate()
    ((headers, body),) = receiver.received
    assert Webhook(secret).verify(body, headers)["type"] == "test.new"
