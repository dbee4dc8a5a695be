"""What the pages tell, in a real browser: why something did not match, what a quote is asked for, what is bad news."""

import json
from typing import Any

import httpx
import pytest

from tests.web.conftest import IN_A_BROWSER, Served, visiting

pytestmark = IN_A_BROWSER


def asked(base: str, key: str, path: str, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {key}", "Accept-Language": "id"}
    return httpx.request("POST" if body else "GET", f"{base}{path}", headers=headers, json=body or None).json()


def left_open(base: str, key: str, side: str) -> dict[str, str]:
    """What stands open of a party since the last binding clearing, and why."""
    binding = next(run for run in asked(base, key, "/v1/clearing-runs")["items"] if not run["dry_run"])
    rows = asked(base, key, f"/v1/clearing-runs/{binding['id']}/unmatched?limit=200")["items"]
    why = {row["id"]: row["message"] for row in rows}
    posts = asked(base, key, f"/v1/{side}?limit=100")["items"]
    return {post["id"]: why[post["id"]] for post in posts if post["id"] in why and post["status"] == "open"}


@pytest.mark.parametrize("who", ["producers", "buyers", "hub"])
def test_who_has_something_left_reads_why(served: Served, scenario_template: Any, browser: Any, who: str) -> None:
    """The hub looks after a dry run, which says nothing about what stands."""
    base, side = served[0], "demands" if who == "buyers" else "listings"
    if who == "hub":
        keys = [scenario_template.keys.hub]
        assert asked(base, keys[0], "/v1/clearing-runs", dry_run=True)["dry_run"]
    else:
        keys = getattr(scenario_template.keys, who).values()
    key, left = next((key, left) for key in keys if (left := left_open(base, key, side)))
    with visiting(browser, base, key) as visit:
        visit.open("/pembelian-saya" if who == "buyers" else "/jualan-saya")
        for post, message in left.items():
            assert message in visit.page.locator(f"[data-post='{post}'] .why").inner_text()
        assert visit.page.locator(".why").count() == len(left)
        assert visit.violations() == []


@pytest.mark.parametrize(("typed", "quantity"), [("2.5", "2500"), ("2,5", "2500"), ("1.250", "1250000")])
def test_the_ladder_is_asked_for_what_the_form_will_read(
    served: Served, browser: Any, typed: str, quantity: str
) -> None:
    with visiting(browser, served[0], served[1]["buyer"]) as visit:
        visit.open("/beli?komoditas=beras")
        with visit.page.expect_request("**/v1/quotes?**") as request:
            visit.page.fill("#quantity", typed)
        assert f"quantity={quantity}&" in f"{request.value.url}&"
        assert "region=" not in request.value.url, "a buyer's own city is the default"


def test_the_hub_sees_prices_of_the_city_that_it_posts_for(served: Served, browser: Any) -> None:
    with visiting(browser, served[0], served[1]["hub"], width=1280) as visit:
        visit.open("/beli?komoditas=beras")
        for city, zone in (("32.76", "1"), ("64.72", "2")):
            option = visit.page.locator(f"#organization option[data-region='{city}']").first
            visit.page.select_option("#organization", option.get_attribute("value"))
            with visit.page.expect_request("**/v1/quotes?**") as request:
                visit.page.fill("#quantity", "2")
            assert f"region={city}" in request.value.url
            shown = visit.page.locator(".references li[data-zone]:visible")
            assert {line.get_attribute("data-zone") for line in shown.all()} == {zone}
        assert visit.violations() == []


def test_more_of_what_is_bad_is_not_told_as_good(served: Served, browser: Any) -> None:
    """The arrow says which way, the colour whether that is well."""
    expected = {"Keberatan terbuka": "down", "Pesanan terlambat": "down", "Tonase": "up", "Kebutuhan terpenuhi": "down"}

    def moved(route: Any) -> None:
        answer = route.fetch()
        board = json.loads(answer.text())
        for row in board["items"]:
            row["value"], row["previous"] = (100, 500) if row["metric"] == "fill_rate" else (9, 4)
        route.fulfill(response=answer, json=board)

    with visiting(browser, served[0]) as visit:
        visit.page.route("**/v1/dashboard/summary**", moved)
        visit.open("/")
        for name, colour in expected.items():
            against = visit.page.locator(".figure", has_text=name).locator(".against span")
            assert against.get_attribute("class") == colour, name
            assert against.inner_text().startswith("▼" if name == "Kebutuhan terpenuhi" else "▲")
        assert visit.violations() == []


@pytest.mark.parametrize(
    ("who", "page"),
    [("producer", "/jualan-saya"), ("buyer", "/pembelian-saya"), ("hub", "/meja"), ("hub", "/pengiriman")],
)
def test_every_list_leads_to_its_files(served: Served, browser: Any, who: str, page: str) -> None:
    base, keys = served
    with visiting(browser, base, keys[who], width=1280) as visit:
        visit.open(page)
        for name, begin in (("CSV", b"\xef\xbb\xbf"), ("XLSX", b"PK")):
            links = visit.page.locator("main a[href*='format=']:not([href*='/dashboard/'])", has_text=name).all()
            assert links
            for link in links:
                answer = visit.context.request.get(f"{base}{link.get_attribute('href')}")
                assert answer.ok
                assert answer.body().startswith(begin)


def painted(visit: Any, apart: int) -> int:
    """Let every price of eggs lie so far from one average; returns how many pixels are coloured but see-through."""

    def spread(route: Any) -> None:
        answer = route.fetch()
        board = json.loads(answer.text())
        for row in board["items"]:
            row |= {"low_idr": 27_000 - apart, "average_idr": 27_000, "high_idr": 27_000 + apart}
        route.fulfill(response=answer, json=board)

    visit.page.route("**/v1/dashboard/prices-history**", spread)
    visit.open("/harga?komoditas=telur-ayam-ras")
    visit.page.wait_for_selector(".plot canvas")
    count: int = visit.page.evaluate(
        """async () => {
            await new Promise((later) => requestAnimationFrame(() => requestAnimationFrame(later)));
            const { width, height } = document.querySelector(".plot canvas");
            const { data } = document.querySelector(".plot canvas").getContext("2d").getImageData(0, 0, width, height);
            return data.filter((value, at) => at % 4 === 3 && value > 50 && value < 150).length;
        }"""
    )
    return count


def test_the_history_shows_from_lowest_to_highest_and_leaves_no_price_out(served: Served, browser: Any) -> None:
    """The control: prices that never differ make no band."""
    rows = asked(served[0], served[1]["hub"], "/v1/dashboard/prices-history?commodity=telur-ayam-ras")["items"]
    with visiting(browser, served[0]) as visit:
        flat = painted(visit, 0)
    with visiting(browser, served[0]) as visit:
        assert painted(visit, 3000) > 3 * flat
        legend = visit.page.locator(".plot .u-series:visible").count()
        assert legend == len({(row["kind"], row["level"]) for row in rows})
        assert visit.violations() == []
