"""What the pages cost a phone: bytes over the wire, first paint, content; each against its budget.

Every visit is a first one: an empty cache, a screen 390 pixels wide, slow 4G and a processor four times slower. Content
stands when what the page is about is drawn: its figures, or its form.
"""

import time
from statistics import median
from typing import Any, NamedTuple

from app.web.rules import PAGES
from benchmarks.browser import cookies_of, opened, require
from benchmarks.stand import Stand, running_stand

#: as Lighthouse takes slow 4G: time of a round trip, bytes a second down and up
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1_638_400 / 8, "uploadThroughput": 750_000 / 8}
#: how much slower a cheap phone computes
SLOWER = 4
WIDTH, HEIGHT = 390, 844
#: promised for the first page
BUDGET_KB, BUDGET_PAINT_S, BUDGET_CONTENT_S = 120, 1.0, 2.5
PONGGOK, DEPOK = "Koperasi peternak Ponggok (contoh)", "Pedagang telur Depok (contoh)"
#: whose key opens a page that is not for everybody
WHO = {"/meja": "hub", "/jual": PONGGOK, "/jualan-saya": PONGGOK, "/beli": DEPOK, "/pembelian-saya": DEPOK}
#: writes down when the page's own content first stood, in ms since the visit began
WATCH = """
new MutationObserver((_, observer) => {
  const app = document.getElementById("app");
  const figures = app && app.childElementCount > 0 && !app.querySelector(".loading");
  if (!figures && !document.querySelector("main .tiles")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => (document.documentElement.dataset.contentAt = performance.now())));
}).observe(document, { childList: true, subtree: true });
"""
CONTENT_AT = "Number(document.documentElement.dataset.contentAt)"
PAINTED_AT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


class Visit(NamedTuple):
    """What one visit cost."""

    size_bytes: int
    requests: int
    paint_s: float
    content_s: float


def measure(*, seconds: float) -> list[dict[str, object]]:
    """Return the cost of every page beside its budget; figures are medians of as many visits as fit in `seconds`."""
    require()
    with running_stand() as stand, opened() as browser:
        return [_row(browser, stand, page.path, seconds) for page in PAGES]


def _row(browser: Any, stand: Stand, path: str, seconds: float) -> dict[str, object]:
    who = WHO.get(path)
    key = stand.key_of(who) if who else None
    until = time.monotonic() + seconds
    visits = [visit(browser, stand.base, path, key=key)]
    while time.monotonic() < until:
        visits.append(visit(browser, stand.base, path, key=key))
    size_kb = median(one.size_bytes for one in visits) / 1000
    paint_s = median(one.paint_s for one in visits)
    content_s = median(one.content_s for one in visits)
    kept = size_kb <= BUDGET_KB and paint_s <= BUDGET_PAINT_S and content_s <= BUDGET_CONTENT_S
    return {
        "page": path,
        "kb": size_kb,
        "kb_budget": BUDGET_KB,
        "paint_s": paint_s,
        "paint_budget": BUDGET_PAINT_S,
        "content_s": content_s,
        "content_budget": BUDGET_CONTENT_S,
        "requests": max(one.requests for one in visits),
        "visits": len(visits),
        "kept": "yes" if kept else "NO",
    }


def visit(browser: Any, base: str, path: str, *, key: str | None) -> Visit:
    """Open a page in a browser that has never seen it."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2)
    context.add_cookies(cookies_of(base, key=key, language="id"))
    context.add_init_script(WATCH)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    sizes: list[int] = []
    devtools.on("Network.loadingFinished", lambda loaded: sizes.append(int(loaded["encodedDataLength"])))
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOW_4G)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(base + path, wait_until="networkidle")
    page.wait_for_selector("html[data-content-at]")
    cost = Visit(sum(sizes), len(sizes), page.evaluate(PAINTED_AT) / 1000, page.evaluate(CONTENT_AT) / 1000)
    context.close()
    return cost
