"""A server on a socket, for what cannot be heard without one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest_asyncio
import uvicorn

from tests.conftest import Api, api_on


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Serve an application in this event loop."""
    config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=20)
    listening = config.bind_socket()
    listening.listen(config.backlog)  # who connects before the application is up waits instead of failing
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        app.state.hub.feed.close()
        server.should_exit = True
        await task


@pytest_asyncio.fixture
async def live(cluster: Any, scenario_template: Any) -> AsyncIterator[Api]:
    """The cleared opening scenario behind a server, whose address is `live.url`; its events are not published yet."""
    name = "hub_test_events"
    url = await cluster.create(name, scenario_template.template)
    keys = scenario_template.keys
    async with api_on(url, keys=keys, stream_seconds=600) as client, served(client.app) as client.url:
        yield client
    await cluster.drop(name)
