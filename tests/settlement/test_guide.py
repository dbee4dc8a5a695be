"""The worked example of the guide is what the rules reckon."""

import re

from app.settlement.rules import Kind, Prices, bill_line, split
from tests.test_architecture import ROOT

GUIDE = (ROOT / "docs" / "settlement.md").read_text()
LOADED_AND_PAID = ((600_000, 591_000), (400_000, 394_000))
BOUGHT = ("goods", "collection", "freight")


def table(first: str) -> dict[str, list[int]]:
    """The rows of the table whose heading begins with a word, figures without their points."""
    (rows,) = re.findall(rf"^\| {first}\|.*\n\|[-|]+\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]
    return {name: [int(figure.replace(".", "")) for figure in figures] for name, *figures in cells}


def test_the_bill_of_the_guide_is_what_the_rules_reckon() -> None:
    prices = Prices(producer_idr=26_500, collection_idr=60, freight_idr=620, scarcity_idr=0)
    farms = [
        {
            entry.kind: entry.amount_idr
            for entry in bill_line(loaded_g=loaded, payable_g=paid, unit_weight_g=1000, prices=prices, fee_permille=0)
        }
        for loaded, paid in LOADED_AND_PAID
    ]
    told = table("")
    assert told == {kind: [farm[Kind(kind)] for farm in farms] for kind in told}
    assert set(told) == set(farms[0])
    bill = sum(sum(told[kind]) for kind in BOUGHT)
    assert f"Rp {bill:,}".replace(",", ".") in GUIDE


def test_the_split_of_the_guide_is_what_the_rule_gives() -> None:
    told = table("payee ")
    dues = {payee: due for payee, (due, _) in told.items()}
    assert split(10_000_000, dues) == {payee: share for payee, (_, share) in told.items()}
    farms, deductions = table(""), ("collection_of_loss", "freight_of_loss")
    for place, farm in enumerate(("first farm", "second farm")):
        assert dues[farm] == farms["goods"][place] - sum(farms[kind][place] for kind in deductions)
    assert sum(dues.values()) == sum(sum(farms[kind]) for kind in BOUGHT)
