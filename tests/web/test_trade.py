"""What parties and the desk do with proposals, deals and shipments, tapped through in a real browser."""

import re
from typing import Any

import httpx
import pytest

from tests.web.conftest import DEPOK, IN_A_BROWSER, PONGGOK, Served, Visit, visiting

pytestmark = IN_A_BROWSER


def read(served: Served, who: str, path: str) -> list[dict[str, Any]]:
    base, keys = served
    answer = httpx.get(f"{base}{path}", headers={"Authorization": f"Bearer {keys[who]}"})
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def counter(visit: Visit, price: str, quantity: str) -> Any:
    """Ask for other terms of the first proposal that nobody has answered yet."""
    visit.open("/jualan-saya")
    card = visit.page.locator("[data-match=proposed]", has=visit.page.locator("summary", has_text="Tawar")).first
    card.get_by_text("Tawar", exact=True).click()
    card.locator("[id$=-price]").fill(price)
    card.locator("[id$=-quantity]").fill(quantity)
    card.get_by_role("button", name="Kirim tawaran").click()
    return card


@pytest.mark.parametrize("taken", [True, False])
def test_a_counter_offer_made_on_a_phone_is_answered_at_the_desk(served: Served, browser: Any, *, taken: bool) -> None:
    base, keys = served
    price = 27_501 if taken else 27_502
    with visiting(browser, base, keys["producer"]) as phone:
        counter(phone, str(price), "600")
        phone.page.get_by_text("menunggu jawaban").first.wait_for()
        assert phone.violations() == []
    with visiting(browser, base, keys["hub"], width=1280) as desk:
        desk.open("/meja")
        card = desk.page.locator("[data-match=proposed]", has_text="Produsen menawar")
        card.locator("summary").first.click()
        assert desk.violations() == []
        card.get_by_role("button", name="Terima tawaran" if taken else "Tolak tawaran").click()
        card.wait_for(state="detached")
    agreed = [row["producer_price_idr"] for row in read(served, "producer", "/v1/matches?status=confirmed&limit=200")]
    assert (price in agreed) is taken
    offers = [row["counter_offer"] for row in read(served, "producer", "/v1/matches?limit=200") if row["counter_offer"]]
    assert [one["status"] for one in offers if one["producer_price_idr"] == price] == [
        "accepted" if taken else "declined"
    ]


def test_a_counter_offer_that_is_no_number_goes_nowhere(served: Served, browser: Any) -> None:
    with visiting(browser, served[0], served[1]["producer"]) as phone:
        card = counter(phone, "murah", "600")
        assert "Tulis angka" in card.locator(".wrong").inner_text()
        assert "/counter-offer" not in "".join(phone.asked)


def record_deal(desk: Visit) -> str:
    """Record that Depok buys eighty crates of eggs from Ponggok; returns the number of the order."""
    desk.open("/meja")
    deal = desk.page.locator("details.card", has=desk.page.locator("[id$=-producer]"))
    deal.locator("summary").click()
    for field, choice in (
        ("buyer", {"label": DEPOK}),
        ("commodity", {"value": "telur-ayam-ras"}),
        ("producer", {"label": PONGGOK}),
        ("grade", {"value": "II"}),
        ("unit", {"value": "peti-15"}),
        ("way", {"index": 0}),
    ):
        deal.locator(f"select[id$=-{field}]").select_option(**choice)
    deal.locator("[id$=-price]").fill("26.500")
    deal.locator("[id$=-quantity]").fill("80")
    assert desk.violations() == []
    deal.locator("button").click()
    told: str = deal.locator(".note.good").inner_text()
    assert re.search("1[.,]200", told)
    return told.split(" ")[1].removesuffix(":")


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_deal_of_the_desk_is_loaded_weighed_and_received(served: Served, browser: Any, language: str) -> None:
    base, keys = served
    with visiting(browser, base, keys["hub"], width=1280, language=language) as desk:
        number = record_deal(desk)
        desk.open("/pengiriman")
        desk.page.locator("[data-loading]", has_text=number).locator("button").click()
        standing = desk.page.locator("[data-shipment]", has_text=number)
        standing.locator("[id$=-crates]").fill("40")
        weight = standing.locator("[inputmode=decimal]")
        weight.fill("6")
        standing.locator("button").click()
        standing.locator(".wrong").wait_for()
        assert desk.violations() == []
        # the refusal was an answer of its own, told by the browser too
        assert [line for line in desk.complaints if "422" not in line] == []
        weight.fill("1.201,5")
        for state in ("in_transit", "arrived"):
            standing.locator("button").click()
            desk.page.locator(f"[data-shipment={state}]", has_text=number).wait_for()
    with visiting(browser, base, keys["producer"], language=language) as producer:
        producer.open("/pengiriman")
        assert producer.page.locator("[data-shipment=arrived]", has_text=number).count() == 1
        assert producer.page.locator("[data-shipment] button, [data-loading]").count() == 0
    with visiting(browser, base, keys["buyer"], language=language) as buyer:
        buyer.open("/pembelian-saya")
        receipt = buyer.page.locator(f"[data-weigh='{number}']")
        receipt.locator("summary").click()
        receipt.locator("[id$=-broken]").fill("2,5")
        assert buyer.violations() == []
        receipt.locator("button").click()
        receipt.wait_for(state="detached")
        buyer.page.locator("article", has=buyer.page.locator("h3", has_text=number)).locator("summary").click()
        buyer.page.get_by_text("Rekening bulan ini" if language == "id" else "My account this month").click()
        buyer.page.wait_for_selector(".loading", state="detached")
        assert buyer.violations() == []
        assert buyer.complaints == []
    (order,) = read(served, "buyer", f"/v1/orders?number={number}")
    assert (order["source"], order["status"], order["received_quantity"]) == ("deal", "delivered", 1200)
    (shipment,) = read(served, "buyer", f"/v1/shipments?order={order['id']}")
    assert [line["net_weight_g"] for line in shipment["lines"]] == [1_201_500]
    assert [one["accepted_g"] for one in shipment["receipts"]] == [1_199_000]


def test_an_objection_is_decided_at_the_desk(served: Served, browser: Any) -> None:
    base, keys = served
    with visiting(browser, base, keys["hub"], width=1280) as desk:
        number = record_deal(desk)
        desk.open("/pengiriman")
        desk.page.locator("[data-loading]", has_text=number).locator("button").click()
        standing = desk.page.locator("[data-shipment]", has_text=number)
        for state in ("in_transit", "arrived"):
            standing.locator("button").click()
            desk.page.locator(f"[data-shipment={state}]", has_text=number).wait_for()
        standing.locator("summary").click()
        standing.locator("[id$=-broken]").fill("60")
        standing.locator("details button").click()
        with visiting(browser, base, keys["producer"]) as producer:
            producer.open("/jualan-saya")
            own = producer.page.locator("[data-shipment]", has_text=number)
            own.locator("summary").click()
            own.locator("[id$=-note]").fill("Pecah di gudang pembeli")
            assert producer.violations() == []
            own.locator("button").click()
            own.get_by_text("ada keberatan").wait_for()
        desk.open("/pengiriman")
        standing.locator("[id$=-outcome]").select_option("split")
        standing.locator("[id$=-weight]").fill("1.150,5")
        assert desk.violations() == []
        standing.get_by_role("button", name="Putuskan").click()
        standing.get_by_text("final").wait_for()
    (order,) = read(served, "hub", f"/v1/orders?number={number}")
    (shipment,) = read(served, "hub", f"/v1/shipments?order={order['id']}")
    assert [line["payable_g"] for one in shipment["receipts"] for line in one["lines"]] == [1_150_500]


def test_a_clearing_is_tried_and_a_proposal_answered_at_the_desk_by_keyboard_alone(
    served: Served, browser: Any
) -> None:
    with visiting(browser, served[0], served[1]["hub"], width=1280) as desk:
        desk.open("/meja")
        press = desk.page.keyboard.press

        def tab_to(holds: str) -> None:
            """Go on with the Tab key until that has the focus, which must be seen."""
            for _step in range(400):
                press("Tab")
                if desk.page.evaluate(f"(() => {{ const at = document.activeElement; return {holds}; }})()"):
                    assert desk.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
                    return
            pytest.fail(f"the Tab key never leads to {holds}")

        runs = desk.page.locator("#run option").count()
        tab_to("at.textContent === 'Coba cocokkan'")
        press("Enter")
        desk.page.get_by_text("Coba-coba: tidak mengikat siapa pun.").wait_for()
        assert desk.page.locator("#run option").count() == runs + 1
        tab_to("at.id === 'run'")
        press("ArrowDown")
        desk.page.get_by_text("Coba-coba: tidak mengikat siapa pun.").wait_for(state="detached")
        tab_to("at.tagName === 'SUMMARY' && at.textContent === 'Buktinya'")
        press("Enter")
        desk.page.get_by_text("hal diperiksa oleh audit").wait_for()
        tab_to("at.tagName === 'SUMMARY' && at.parentElement.dataset.match === 'proposed'")
        press("Enter")
        tab_to("at.textContent.startsWith('Setuju untuk')")
        press("Space")
        desk.page.get_by_text("Sudah setuju.").first.wait_for()
        assert desk.complaints == []
