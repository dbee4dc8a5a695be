"""The pages in a real browser: both languages, phone and desk, keyboard, axe, no signal, nothing from outside."""

import json
import re
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from app.web.rules import PAGES
from benchmarks.pages import BUDGET_KB, visit
from benchmarks.screenshots import FOLDER, PICTURES, photograph
from tests.web.conftest import IN_A_BROWSER, Served, visiting

pytestmark = IN_A_BROWSER
#: who looks at a page that is not for everybody
WHO = {
    "/meja": "hub",
    "/jual": "producer",
    "/jualan-saya": "producer",
    "/beli": "buyer",
    "/pembelian-saya": "buyer",
}
WIDTHS = {"phone": 390, "desk": 1280}
LOOKED_AT = [(page.path, WHO.get(page.path)) for page in PAGES] + [
    ("/jual?komoditas=telur-ayam-ras", "producer"),
    ("/beli?komoditas=beras", "buyer"),
    ("/harga?komoditas=telur-ayam-ras", None),
    ("/peta?kota=32.76", None),
    ("/berkas", "producer"),
    ("/masuk", None),
]


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_every_page_is_whole(served: Served, browser: Any, width: int, language: str) -> None:
    """No axe violation, nothing from outside, no complaint, nothing wider than the screen, no page left loading."""
    base, keys = served
    told = {}
    for who in (None, "hub", "producer", "buyer"):
        with visiting(browser, base, keys.get(who or ""), width=width, language=language) as visit:
            for path in [path for path, whose in LOOKED_AT if whose == who]:
                visit.open(path)
                wide = visit.page.evaluate("document.documentElement.scrollWidth")
                told[path] = (
                    visit.violations(),
                    visit.outside(),
                    list(visit.complaints),
                    wide > width and wide,
                    visit.page.locator(".loading").count(),
                )
                assert visit.page.locator("h1").count() == 1
    assert {path: found for path, found in told.items() if any(found)} == {}
    assert len(told) == len(LOOKED_AT)


def test_axe_sees_what_it_looks_for(served: Served, browser: Any) -> None:
    """The control: a picture without words and a field without a name are found."""
    with visiting(browser, served[0]) as visit:
        visit.open("/")
        visit.page.evaluate("document.querySelector('main').innerHTML = '<img src=\"data:,\"><input>'")
        assert {line.partition(":")[0] for line in visit.violations()} >= {"image-alt", "label"}


def test_an_english_page_names_things_in_english_and_its_ready_texts_are_indonesian(
    served: Served, browser: Any
) -> None:
    with visiting(browser, served[0], language="en") as visit:
        visit.open("/harga")
        assert "Chicken egg" in visit.page.locator("main").inner_text()
        assert "Telur ayam ras" not in visit.page.locator("main").inner_text()
        text = unquote(visit.page.locator("a[href^='https://wa.me']").first.get_attribute("href") or "")
        assert "Telur ayam ras" in text
        assert re.search(r"Rp\s2\d\.\d{3}", text)


def test_no_page_weighs_more_than_was_promised_for_the_first(served: Served, browser: Any) -> None:
    """Times are measured by `./dev bench pages`; bytes are the same everywhere."""
    base, keys = served
    costs = {page.path: visit(browser, base, page.path, key=keys.get(WHO.get(page.path, ""))) for page in PAGES}
    assert {path: cost for path, cost in costs.items() if cost.size_bytes > BUDGET_KB * 1000} == {}
    assert all(cost.content_s > 0 for cost in costs.values())


def test_a_page_is_photographed_for_the_readme(served: Served, browser: Any) -> None:
    base, keys = served
    for picture in PICTURES:
        taken = photograph(browser, base, picture, key=keys["hub"], language="id")
        assert (taken[:4], taken[8:12]) == (b"RIFF", b"WEBP")
        assert (FOLDER / f"{picture.name}.id.webp").exists()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_the_dark_page_is_as_legible(served: Served, browser: Any, width: int) -> None:
    for who in (None, "hub", "producer", "buyer"):
        with visiting(browser, served[0], served[1].get(who or ""), width=width, color_scheme="dark") as visit:
            for path in [path for path, whose in LOOKED_AT if whose == who]:
                visit.open(path)
                assert visit.violations() == [], path


def test_paper_shows_what_the_page_is_about_and_nothing_to_tap(served: Served, browser: Any) -> None:
    with visiting(browser, served[0], served[1]["hub"], width=1280) as visit:
        for path in ("/harga", "/meja", "/pengiriman"):
            visit.open(path)
            visit.page.emulate_media(media="print")
            shown = visit.page.locator("button:visible, select:visible, nav:visible, a[href^='https://wa.me']:visible")
            assert shown.count() == 0, path
            assert visit.page.locator("h1:visible, h2:visible").count() > 1
            visit.page.emulate_media(media="screen")
            assert shown.count() > 0, "the control: on the screen they are there"


def test_a_stock_is_posted_by_keyboard_alone(served: Served, browser: Any) -> None:
    base, keys = served
    with visiting(browser, base, keys["producer"]) as visit:
        visit.open("/jual?komoditas=telur-ayam-ras")
        press = visit.page.keyboard
        press.press("Tab")
        assert visit.page.evaluate("document.activeElement.className") == "skip"
        for _step in range(60):
            press.press("Tab")
            if visit.page.evaluate("document.activeElement.id") == "grade":
                break
        press.type("II")
        for text in ("1.250", "kg", "26.700"):
            press.press("Tab")
            press.type(text)
        press.press("Enter")
        visit.page.wait_for_url("**/jual?terpasang=*")
        assert "1.250 kg" in visit.page.locator(".note.good").inner_text()


def posted(base: str, key: str, quantity: int) -> int:
    answer = httpx.get(f"{base}/v1/listings?limit=200", headers={"Authorization": f"Bearer {key}"})
    return [row["quantity"] for row in answer.json()["items"]].count(quantity)


@pytest.mark.parametrize("lost", ["request", "answer", "key"])
def test_a_post_without_signal_is_kept_and_arrives_once(served: Served, browser: Any, lost: str) -> None:
    """The signal goes before the request, or after it and before the answer; the control sends it without its key."""
    base, keys = served
    quantity = {"request": 3101, "answer": 3102, "key": 3103}[lost]
    with visiting(browser, base, keys["producer"]) as visit:
        visit.open("/jual?komoditas=telur-ayam-ras")

        def cut(route: Any) -> None:
            if route.request.method != "POST":
                route.continue_()
            elif lost == "request":
                route.abort("internetdisconnected")
            else:
                # it reaches the hub, whose answer does not come back
                headers, content = {**route.request.all_headers()}, route.request.post_data or ""
                if lost == "key":
                    del headers["idempotency-key"]
                    content = re.sub(r"key=[^&]*&", "", content)
                assert httpx.post(route.request.url, content=content, headers=headers).status_code == 201
                route.abort("internetdisconnected")

        visit.page.route("**/jual", cut)
        visit.page.fill("#quantity", str(quantity))
        visit.page.fill("#price", "26.800")
        visit.page.click("button.big")
        visit.page.wait_for_selector("[data-waiting=waits]")
        assert posted(base, keys["producer"], quantity) == (0 if lost == "request" else 1)
        visit.page.unroute("**/jual")
        visit.page.reload()
        visit.page.wait_for_selector("#pesan .note.good")
        assert posted(base, keys["producer"], quantity) == (2 if lost == "key" else 1)
        assert json.loads(visit.page.evaluate("localStorage.getItem('antrean')")) == []


@pytest.mark.parametrize("again", ["producer", "buyer"])
def test_a_post_after_the_session_ended_is_kept_and_arrives_once_its_owner_signs_in(
    served: Served, browser: Any, again: str
) -> None:
    """The control: another party that signs in on the same phone does not send it."""
    base, keys = served
    quantity = {"producer": 3201, "buyer": 3202}[again]
    with visiting(browser, base, keys["producer"]) as visit:
        visit.open("/jual?komoditas=telur-ayam-ras")
        visit.context.clear_cookies(name="hub_session")
        visit.page.fill("#quantity", str(quantity))
        visit.page.fill("#price", "26.800")
        visit.page.click("button.big")
        visit.page.wait_for_selector("[data-waiting='signed out']")
        assert "sinyal" not in "".join(visit.page.locator("#pesan, #pasang").all_inner_texts())
        visit.open("/")
        assert visit.violations() == []
        visit.page.get_by_role("link", name="Masuk lagi, lalu terkirim").click()
        visit.page.fill("[name=key]", keys[again])
        visit.page.locator("form", has=visit.page.locator("[name=key]")).locator("button").click()
        visit.page.wait_for_url("**/jualan-saya" if again == "producer" else "**/pembelian-saya")
        if again == "producer":
            visit.page.wait_for_selector("#pesan .note.good")
        visit.open("/")
        assert posted(base, keys["producer"], quantity) == (1 if again == "producer" else 0)
        kept = json.loads(visit.page.evaluate("localStorage.getItem('antrean')"))
        assert len(kept) == (0 if again == "producer" else 1)


def test_what_is_refused_stands_beside_its_field_and_waits_for_nobody(served: Served, browser: Any) -> None:
    base, keys = served
    with visiting(browser, base, keys["producer"]) as visit:
        visit.open("/jual?komoditas=telur-ayam-ras")
        visit.page.fill("#quantity", "banyak")
        visit.page.fill("#price", "26.800")
        visit.page.click("button.big")
        visit.page.wait_for_selector("#quantity[aria-invalid=true]")
        assert json.loads(visit.page.evaluate("localStorage.getItem('antrean')")) == []


def test_without_signal_a_page_shows_its_last_figures_and_says_so(served: Served, browser: Any) -> None:
    with visiting(browser, served[0]) as visit:
        visit.open("/neraca")
        visit.page.route("**/v1/**", lambda route: route.abort("internetdisconnected"))
        visit.open("/neraca")
        assert "Tidak ada sinyal" in visit.page.locator("#app .note").first.inner_text()
        assert visit.page.locator(".rows li").count() > 3
        visit.open("/umur-stok")
        assert visit.page.get_by_role("button", name="Coba lagi").is_visible()


def test_once_the_signal_is_back_the_page_shows_what_is_now(served: Served, browser: Any) -> None:
    with visiting(browser, served[0]) as visit:
        visit.open("/ketepatan-kirim")
        visit.open("/neraca")
        note = visit.page.get_by_text("angka terakhir di telepon ini")
        visit.page.route("**/v1/**", lambda route: route.abort("internetdisconnected"))
        visit.open("/neraca")
        note.wait_for()
        visit.page.unroute("**/v1/**")
        visit.page.evaluate("dispatchEvent(new Event('online'))")
        note.wait_for(state="detached")
        assert visit.page.locator(".rows li").count() > 3


def test_a_copy_that_was_shown_once_does_not_age_what_is_read_after_it(served: Served, browser: Any) -> None:
    """At the hub's desk another choice is read anew on the same page."""
    with visiting(browser, served[0], served[1]["hub"]) as visit:
        visit.open("/ketepatan-kirim")
        visit.page.route("**/v1/dashboard/service-level", lambda route: route.abort("internetdisconnected"))
        visit.open("/ketepatan-kirim")
        note = visit.page.get_by_text("angka terakhir di telepon ini")
        note.wait_for()
        visit.page.select_option("#menurut", "buyer")
        note.wait_for(state="detached")


def test_without_script_the_form_posts_all_the_same(served: Served, browser: Any) -> None:
    base, keys = served
    with visiting(browser, base, keys["buyer"], java_script_enabled=False) as visit:
        visit.open("/beli")
        visit.page.click("a[href='/beli?komoditas=beras']")
        visit.page.fill("#quantity", "2,5")
        visit.page.fill("#price", "13.500")
        visit.page.click("button.big")
        assert "2.500 kg" in visit.page.locator(".note.good").inner_text()


def test_a_proposal_is_declined_by_keyboard_alone(served: Served, browser: Any) -> None:
    base, keys = served
    with visiting(browser, base, keys["producer"]) as visit:
        visit.open("/jualan-saya")
        waiting = visit.page.locator("[data-match=proposed]")
        before = waiting.count()
        for _step in range(60):
            visit.page.keyboard.press("Tab")
            if visit.page.evaluate("document.activeElement.textContent") == "Tolak":
                break
        visit.page.keyboard.press("Enter")
        waiting.nth(before - 1).wait_for(state="detached")
        assert waiting.count() == before - 1


def test_a_proposal_is_agreed_to_with_one_tap(served: Served, browser: Any) -> None:
    base, keys = served
    with visiting(browser, base, keys["producer"]) as visit:
        visit.open("/jualan-saya")
        waiting = visit.page.locator("[data-match=proposed]")
        before = waiting.count()
        assert "wa.me/?text=Usulan" in (
            visit.page.locator("a[href^='https://wa.me']").first.get_attribute("href") or ""
        )
        visit.page.get_by_role("button", name="Setuju").first.click()
        visit.page.get_by_text("Sudah setuju.").first.wait_for()
        assert waiting.count() == before
