"""The papers of a shipment: one PDF, each party's own part, the same bytes again."""

import re
import zlib
from typing import Any

import pytest

from app.shipments.printing import day_text, kilograms, number_text
from tests.conftest import NOW
from tests.matching.melons import FIRST, OTHER_SHOP, SECOND, SHOP
from tests.orders.trade import Trade


def text_of(pdf: bytes) -> str:
    """Return what a PDF with core fonts shows."""
    streams = [zlib.decompress(part) for part in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)]
    return b"".join(b" ".join(re.findall(rb"\((.*?)\) Tj", stream)) for stream in streams).decode("latin-1")


async def test_the_papers_tell_what_is_loaded_and_what_arrived(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    shipment = await trade.load(order)
    address = f"/shipments/{shipment['id']}/papers.pdf"
    empty = text_of((await trade.get(address)).content)
    assert "........" in empty
    await trade.arrive(await trade.dispatch(shipment, crates_out=40))
    await trade.receive(shipment, order, 987_500, refused_g=1000, reason="memar")
    answer = await trade.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    shown = text_of(answer.content)
    for word in ("DAFTAR MUAT", "PESANAN", "SURAT JALAN", "BERITA ACARA", shipment["number"], order["number"], "987,5"):
        assert word in shown, word
    assert "memar" in shown
    assert (await trade.get(address)).content == answer.content


async def test_each_party_gets_papers_of_its_own_part(scenario: Any) -> None:
    trade = Trade(scenario)
    shipment = await trade.load(await trade.two_farms_one_shop())
    address = f"/shipments/{shipment['id']}/papers.pdf"
    assert (await trade.get(address, OTHER_SHOP)).status_code == 404
    whole, part = [text_of((await trade.get(address, who)).content) for who in (SHOP, FIRST)]
    other = SECOND.split()[0]
    assert other in whole
    assert other not in part


async def test_an_order_paper_is_of_the_whole_order_whatever_this_truck_carries(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    shipment = await trade.load(order, first=600)
    address = f"/shipments/{shipment['id']}/papers.pdf"

    async def order_paper(who: str) -> str:
        shown = text_of((await trade.get(address, who)).content)
        return shown[shown.index("PESANAN") : shown.index("SURAT JALAN")]

    def rupiah(quantity: int) -> str:
        return number_text(quantity * order["lines"][0]["delivered_price_idr"])

    whole = await order_paper(SHOP)
    assert SECOND.split()[0] in whole
    assert whole.index("1.000 kg") > whole.index("Jumlah")
    assert rupiah(1000) in whole
    own = await order_paper(FIRST)
    assert SECOND.split()[0] not in own
    assert rupiah(600) in own[own.index("Jumlah") :]
    # what is cancelled is ordered no more
    await trade.done(f"/orders/{order['id']}/cancel", reason="gagal panen")
    left = await order_paper(SHOP)
    assert SECOND.split()[0] not in left
    assert rupiah(1000) not in left


async def test_a_name_that_the_fonts_do_not_know_does_not_break_the_papers(scenario: Any) -> None:
    trade = Trade(scenario)
    shop = (await trade.get("/me", SHOP)).json()["organization"]
    headers = scenario.as_(scenario.keys.hub, **{"If-Match": f'"{shop["version"]}"'})
    place = {"place": "ꦧ꧀ꦭꦶꦠꦂ — Pasar Legi (B)"}
    assert (await scenario.patch(f"/v1/organizations/{shop['id']}", json=place, headers=headers)).status_code == 200
    shipment = await trade.load(await trade.two_farms_one_shop())
    assert (await trade.get(f"/shipments/{shipment['id']}/papers.pdf")).status_code == 200


@pytest.mark.parametrize(
    ("grams", "text"), [(None, "........"), (1_250_500, "1.250,5"), (1000, "1"), (50, "0,05"), (1_000_000, "1.000")]
)
def test_weights_are_written_as_people_read_them(grams: int | None, text: str) -> None:
    assert kilograms(grams) == text
    assert number_text(1_234_567) == "1.234.567"
    assert day_text(NOW.date()) == "24 November 2026"
