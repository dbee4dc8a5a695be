"""`hub orders`, `hub shipments` and `hub receive`: a deal of the desk until it is paid for."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.orders.schemas import OrderAnswer, OrderWithHistory
from app.shipments.schemas import ReceiptAnswer, ShipmentAnswer
from tests.cli.conftest import Hub
from tests.cli.test_commands import printed
from tests.test_architecture import ROOT

EGGS = ("orders", "deal", "telur Depok", "--commodity", "telur-ayam-ras", "--lane", "LN-02", "--on", "2026-11-26")
LINES = ("--line", "peternak Ponggok:II:600:26500", "--line", "Kademangan:II:20 peti-15:26400")
#: list -> a row of it that is open: medium rice, and who needs it in Bekasi
OWN = {"listings": ("grade", "medium"), "demands": ("region", "32.75")}


@pytest.fixture
def order(hub: Hub) -> dict[str, Any]:
    """A deal of 600 and 300 kg of eggs for Depok."""
    return recorded(hub, *EGGS, *LINES)


def recorded(hub: Hub, *command: str) -> dict[str, Any]:
    told = printed(hub(*command))
    assert OrderWithHistory.model_validate(told).model_dump(mode="json") == told
    found: dict[str, Any] = told
    return found


def shipment(hub: Hub, *command: str) -> dict[str, Any]:
    told = printed(hub("shipments", *command))
    assert ShipmentAnswer.model_validate(told).model_dump(mode="json") == told
    found: dict[str, Any] = told
    return found


def receipt(hub: Hub, *command: str) -> dict[str, Any]:
    (one,) = printed(hub("receive", *command))["items"]
    assert ReceiptAnswer.model_validate(one).model_dump(mode="json") == one
    found: dict[str, Any] = one
    return found


def test_a_deal_is_recorded_as_the_desk_says_it(order: dict[str, Any]) -> None:
    assert (order["source"], order["status"], order["lane_code"]) == ("deal", "confirmed", "LN-02")
    lines = [(line["producer"]["name"], line["quantity"], line["producer_price_idr"]) for line in order["lines"]]
    assert lines == [
        ("Koperasi peternak Ponggok (contoh)", 600, 26_500),
        ("Peternak Kademangan (contoh)", 300, 26_400),
    ]


def test_a_deal_of_a_listing_for_a_demand_takes_from_both(hub: Hub) -> None:
    def posted() -> list[dict[str, Any]]:
        found = [printed(hub(kind, "--status", "open", "--commodity", "beras"))["items"] for kind in OWN]
        return [
            next(row for row in rows if row[field] == wanted)
            for rows, (field, wanted) in zip(found, OWN.values(), strict=True)
        ]

    stock, need = posted()
    line = f"{stock['id']}:7:12800"
    way = ("--lane", "LN-03", "--on", "2026-11-26", "--terms", "net_14")
    bought = recorded(hub, "orders", "deal", need["id"], "--line", line, *way)
    assert (bought["demand_id"], bought["payment_terms"]) == (need["id"], "net_14")
    assert [row["open_quantity"] for row in posted()] == [stock["open_quantity"] - 7, need["open_quantity"] - 7]


def test_a_short_delivery_is_weighed_disputed_decided_and_billed(hub: Hub, order: dict[str, Any]) -> None:
    number = order["number"]
    loaded = shipment(hub, "load", f"{number}/1=500", f"{number.lower()}/2")
    assert [line["quantity"] for line in loaded["lines"]] == [500, 300]
    name = loaded["number"]
    left = shipment(hub, "dispatch", name, "--weight", "2=300500", "--weight", "1=500000", "--crates", "40")
    assert [line["net_weight_g"] for line in left["lines"]] == [500_000, 300_500]
    assert (left["status"], left["crates_out"]) == ("in_transit", 40)
    assert shipment(hub, "arrive", name)["status"] == "arrived"
    came = receipt(hub, "weigh", name, "780500", "--broken", "5000", "--refused", "2000", "--reason", "busuk")
    assert (came["accepted_g"], came["reason"], came["final_at"]) == (773_500, "busuk", None)
    assert receipt(hub, "agree", number)["final_at"] is None
    assert receipt(hub, "dispute", number, "--for", "kademangan", "--note", "timbang ulang")["dispute"]["opened_by"]
    final = receipt(hub, "decide", number, "split", "--payable", "790000", "--note", "dibagi dua")
    assert sum(line["payable_g"] for line in final["lines"]) == 790_000
    assert receipt(hub, "show", number) == final
    rest = shipment(hub, "load", number, "--on", "2026-11-27")
    assert (rest["on"], [line["quantity"] for line in rest["lines"]]) == ("2026-11-27", [100])
    assert {one["number"] for one in printed(hub("shipments", "--order", number))["items"]} == {rest["number"], name}
    (billed,) = printed(hub("settle", number))["items"]
    assert billed["billed_idr"] > 0
    events = [step["event"] for step in recorded(hub, "orders", "show", number)["history"]]
    assert {"order.dispatched", "dispute.opened", "dispute.resolved", "receipt.final"} <= set(events)


def test_an_order_is_cancelled_for_one_producer_then_as_a_whole(hub: Hub, order: dict[str, Any]) -> None:
    number = order["number"]
    part = recorded(hub, "orders", "cancel", number, "--reason", "kandang sakit", "--for", "Kademangan")
    assert (part["status"], part["quantity"]) == ("confirmed", 600)
    assert part["history"][-1]["acting_for"] == "Peternak Kademangan (contoh)"
    gone = recorded(hub, "orders", "cancel", number, "--reason", "truk mogok")
    assert (gone["status"], gone["cancel_reason"]) == ("cancelled", "truk mogok")
    assert hub("orders", "cancel", number, "--reason", "lagi").code == 5


def test_orders_are_narrowed_by_what_a_desk_asks_for(hub: Hub, order: dict[str, Any]) -> None:
    def numbers(*filters: str) -> list[str]:
        found = printed(hub("orders", *filters))["items"]
        assert [OrderAnswer.model_validate(one).model_dump(mode="json") for one in found] == found
        return [one["number"] for one in found]

    own = [order["number"]]
    assert order["number"] in numbers()
    assert numbers("--status", "confirmed", "--commodity", "telur-ayam-ras", "--region", "32.76") == own
    assert numbers("--party", "Kademangan", "--arrives-from", "2026-11-28", "--arrives-until", "2026-11-28") == own
    for nothing in (["--status", "cancelled"], ["--commodity", "durian"], ["--arrives-from", "2026-11-29"]):
        assert own[0] not in numbers(*nothing)


def test_tables_are_for_people(hub: Hub, order: dict[str, Any], terminal: Callable[[int], None]) -> None:
    terminal(100)
    number = order["number"]
    assert f"{number}  Pedagang telur Depok" in hub("orders").out
    told = hub("orders", "show", number).out
    assert f"{number} · Pedagang telur Depok · 26/11 · confirmed" in told
    assert "24/11 08.00  order.confirmed" in told
    assert "SJ-2026-" in hub("shipments", "load", number).out
    assert "· 26/11 LN-02 · loading" in hub("shipments").out


def test_papers_are_written_to_a_file(hub: Hub, order: dict[str, Any], tmp_path: Path) -> None:
    name = shipment(hub, "load", order["number"])["number"]
    file = tmp_path / "papers.pdf"
    told = printed(hub("shipments", "paper", name, "--to", str(file)))
    assert file.read_bytes().startswith(b"%PDF-")
    assert told == {"file": str(file), "bytes": file.stat().st_size}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["orders", "show", "BTC-2026-999999"], 1, "Tidak ada pesanan"),
        (["shipments", "show", "SJ-2026-999999"], 1, "Tidak ada pengiriman"),
        (["orders", "--status", "gone"], 2, "gone"),
        (["orders", "--party", "Ponggok"], 2, "lebih dari satu"),
        (["orders", "deal", "telur Depok", "--lane", "LN-02", "--line", "a"], 2, "--on"),
        ([*EGGS, "--line", "Kademangan:II:banyak:26400"], 2, "PRODUCER:GRADE"),
        ([*EGGS, "--line", "Nobody:II:5:26400"], 2, "tidak ada"),
        ([*EGGS[:-1], "2027-06-01", *LINES], 1, "tidak berangkat"),
        ([*EGGS[:5], "--lane", "LN-99", "--on", "2026-11-26", *LINES], 2, "LN-02"),
        (["shipments", "load", "{number}/3"], 2, "1-2"),
        (["shipments", "load", "{number}/1=601"], 5, "melebihi"),
        (["shipments", "load", "{number}", "--on", "2027-06-01"], 1, "tidak berangkat"),
        (["receive", "agree", "{number}"], 2, "tidak ada"),
    ],
)
def test_what_cannot_be_done_is_said(
    hub: Hub, order: dict[str, Any], arguments: list[str], code: int, said: str
) -> None:
    ended = hub(*(part.format(number=order["number"]) for part in arguments))
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


def test_the_guide_is_what_the_desk_types(new_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert new_hub("demo").code == 0
    guide = (ROOT / "docs" / "orders.md").read_text()
    commands = [shlex.split(line)[2:] for line in re.findall(r"^\./dev hub .*$", guide, re.MULTILINE)]
    assert len(commands) == 9
    for command in commands[:-1]:
        ended = new_hub(*command)
        assert ended.code == 0, (command, ended.err)
    assert (tmp_path / "surat-jalan.pdf").stat().st_size > 0
    (billed,) = printed(new_hub(*commands[-1]))["items"]
    owed = f"Rp {billed['billed_idr']:,}".replace(",", ".")
    assert f"Depok owes {owed}" in guide
