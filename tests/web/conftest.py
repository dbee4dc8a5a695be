"""A real browser on a live server.

What needs it is skipped where there is no Chromium or the pages are not built; with CI set that is a failure.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from benchmarks.browser import cookies_of, missing, opened
from tests.live.test_concurrency import live_server
from tests.test_architecture import ROOT

AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"
MISSING = missing() + (["axe-core (python ui/build.py)"] if not AXE.exists() else [])
IN_A_BROWSER = [pytest.mark.db, pytest.mark.skipif(bool(MISSING) and "CI" not in os.environ, reason=f"no {MISSING}")]
PONGGOK, DEPOK = "Koperasi peternak Ponggok (contoh)", "Pedagang telur Depok (contoh)"
#: the address of a server, and a key of each role
Served = tuple[str, dict[str, str]]


@pytest.fixture(scope="module")
def served(cluster: Any, scenario_template: Any) -> Iterator[Served]:
    """A live server on the opening scenario, and a key of each role."""
    keys = scenario_template.keys
    url = asyncio.run(cluster.create("hub_test_browser", scenario_template.template))
    roles = {"hub": keys.hub, "producer": keys.producers[PONGGOK], "buyer": keys.buyers[DEPOK]}
    with live_server(url, protected=True) as base:
        yield base, roles
    asyncio.run(cluster.drop("hub_test_browser"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium."""
    with opened() as chromium:
        yield chromium


class Visit:
    """One browser profile, with everything it complained about and asked for."""

    def __init__(
        self, browser: Any, base: str, key: str | None = None, *, width: int = 390, language: str = "id", **more: Any
    ) -> None:
        self.base, self.complaints, self.asked = base, [], []
        self.context = browser.new_context(viewport={"width": width, "height": 844}, **more)
        self.context.add_cookies(cookies_of(base, key=key, language=language))
        self.page = self.context.new_page()
        self.page.on("console", lambda line: line.type in ("error", "warning") and self.complaints.append(line.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)
        self.page.wait_for_selector(".loading", state="detached")

    def violations(self) -> list[str]:
        """What axe finds, by rule and place."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run().then((result) => result.violations)")
        return [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]

    def outside(self) -> list[str]:
        host = urlsplit(self.base).netloc
        return [url for url in self.asked if urlsplit(url).netloc != host and not url.startswith("data:")]

    def close(self) -> None:
        self.context.close()


@contextmanager
def visiting(*arguments: Any, **options: Any) -> Iterator[Visit]:
    """A visit that ends with the block."""
    visit = Visit(*arguments, **options)
    yield visit
    visit.close()
