"""States that are easily left over, on a phone: a hub without trade, a hub that does not answer."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from app.kit.db import Database
from app.outbox.events import WORKER
from app.parties import service as parties
from app.web.rules import PAGES
from tests.conftest import NOW
from tests.live.test_concurrency import live_server
from tests.web.conftest import IN_A_BROWSER, Served, visiting

pytestmark = IN_A_BROWSER
KINDS = {"hub": "hub", "producer": "koperasi", "buyer": "pedagang"}
BUSY = {"code": "unavailable", "title": "Sibuk", "detail": "Hub sedang sibuk.", "errors": [], "request_id": "r-503"}


def pages_of(role: str) -> list[str]:
    """The pages of a role; the hub looks at everybody's too, of which it sees the most."""
    return [page.path for page in PAGES if role in page.roles or (role == "hub" and not page.roles)]


async def register_each(url: str) -> dict[str, str]:
    """Register a party of each role where nobody has traded; returns their keys."""
    database, keys = Database(url, pool_size=1), {}
    async with database.transaction() as session:
        for role, kind in KINDS.items():
            values = {"name": f"{kind} baru", "role": role, "kind": kind, "region": "35.72"}
            party = await parties.register(session, hub="35.72", values=values, now=NOW, actor=WORKER)
            _, keys[role] = await parties.create_key(
                session, organization=party, label="test", environment="test", now=NOW
            )
    await database.dispose()
    return keys


@pytest.fixture(scope="module")
def untraded(cluster: Any, reference_template: str) -> Iterator[Served]:
    """A live server on reference data alone, and a key of each role."""
    url = asyncio.run(cluster.create("hub_test_untraded", reference_template))
    keys = asyncio.run(register_each(url))
    with live_server(url, protected=True) as base:
        yield base, keys
    asyncio.run(cluster.drop("hub_test_untraded"))


@pytest.mark.parametrize("role", KINDS)
@pytest.mark.parametrize("answers", [True, False], ids=["nothing traded", "no answer"])
def test_a_page_without_figures_says_what_there_is_to_do(
    untraded: Served, browser: Any, role: str, *, answers: bool
) -> None:
    """Without trade it names what comes first, without an answer it offers another try; it is whole either way."""
    told = {}
    with visiting(browser, untraded[0], untraded[1][role]) as visit:
        if not answers:
            visit.page.route("**/v1/**", lambda route: route.fulfill(status=503, json=BUSY))
        for path in pages_of(role):
            visit.open(path)
            words = visit.page.locator("main").inner_text()
            is_form = path in ("/jual", "/beli")
            tries = visit.page.get_by_role("button", name="Coba lagi").count()
            # what the browser itself says of a 503 is no complaint of the page
            complaints = [line for line in visit.complaints if "503" not in line]
            wide = visit.page.evaluate("document.documentElement.scrollWidth")
            told[path] = (
                visit.violations(),
                complaints,
                wide > 390 and wide,
                (tries > 0) is (answers or is_form) and "another try",
                not (answers or is_form or "r-503" in words) and "what was refused",
                [word for word in ("undefined", "NaN", "null", "Infinity") if word in words],
            )
    assert told
    assert {path: found for path, found in told.items() if any(found)} == {}
