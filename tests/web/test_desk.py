"""The trading desk in a real browser: a clearing so large that the worker does it."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app import worker
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.problems import Invalid
from tests.conftest import NOW
from tests.live.test_concurrency import live_server
from tests.web.conftest import IN_A_BROWSER, visiting

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def large(cluster: Any, scenario_template: Any) -> Iterator[tuple[str, str]]:
    """A server to which ten orders are already too many for a request, and its database."""
    url = asyncio.run(cluster.create("hub_test_large", scenario_template.template))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HUB_CLEARING_JOB_THRESHOLD", "10")
        with live_server(url, protected=True) as base:
            yield base, url
    asyncio.run(cluster.drop("hub_test_large"))


def work(url: str) -> None:
    """Do the oldest job as the worker does; beside Playwright's event loop there is room in another thread only."""

    async def once() -> None:
        database = Database(url, pool_size=1)
        assert await worker.do_next_job(database, FixedClock(NOW))
        await database.dispose()

    thread = threading.Thread(target=asyncio.run, args=[once()])
    thread.start()
    thread.join()


async def refuse(*_: Any) -> str:
    raise Invalid


@pytest.mark.parametrize("fails", [False, True])
def test_a_large_clearing_is_followed_to_its_end(
    large: tuple[str, str], scenario_template: Any, browser: Any, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    base, url = large
    if fails:
        monkeypatch.setitem(worker.HANDLERS, "clearing_run", refuse)
    with visiting(browser, base, scenario_template.keys.hub, width=1280) as desk:
        desk.open("/meja")
        runs = desk.page.locator("#run option").count()
        desk.page.get_by_role("button", name="Coba cocokkan").click()
        desk.page.get_by_text("menunggu giliran").wait_for()
        assert desk.page.get_by_role("button", name="Cocokkan dan usulkan").is_disabled()
        assert desk.violations() == []
        work(url)
        if fails:
            desk.page.locator("p.note.bad").wait_for()
        else:
            desk.page.get_by_text("Coba-coba: tidak mengikat siapa pun.").wait_for()
        assert desk.page.locator("progress").count() == 0
        assert desk.page.locator("#run option").count() == runs + (0 if fails else 1)
        assert desk.page.get_by_role("button", name="Coba cocokkan").is_enabled()
