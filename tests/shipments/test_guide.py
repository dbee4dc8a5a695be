"""What the guide of orders says is what the rules do."""

import re
from uuid import UUID

from app.orders import rules as orders
from app.shipments import rules as shipments
from app.shipments.rules import Outcome, decided_g, payable_g, shares
from tests.test_architecture import ROOT

GUIDE = (ROOT / "docs" / "orders.md").read_text()
FARMS = {UUID(int=1): 600_000, UUID(int=2): 400_000}
LOADED_G = sum(FARMS.values())


def table(first: str) -> list[list[str]]:
    """The rows of the table whose heading begins with a word."""
    (rows,) = re.findall(rf"^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


def grams(text: str) -> int:
    return int(text.removesuffix(" kg").replace(".", "")) * 1000


def paid(lost_g: int, delivery: str) -> int:
    accepted_g = LOADED_G - lost_g
    tolerance = orders.DEFAULT_TOLERANCE_PERCENT
    return payable_g(loaded_g=LOADED_G, accepted_g=accepted_g, delivery=delivery, tolerance_percent=tolerance)


def test_the_states_of_the_guide_are_those_of_the_rules() -> None:
    assert {(row[0], row[1]) for row in table("order")} == set(orders.TRANSITIONS)
    assert {(row[0], row[1]) for row in table("shipment")} == set(shipments.TRANSITIONS)


def test_the_guide_pays_what_the_tolerance_says() -> None:
    told = [[grams(cell) for cell in row] for row in table("lost")]
    assert told == [[lost, paid(lost, "franco"), paid(lost, "loco")] for lost, *_ in told]
    # at least one case on either side of the tolerance, and one just on it
    shown = {(lost * 100 > orders.DEFAULT_TOLERANCE_PERCENT * LOADED_G) for lost, *_ in told}
    assert shown == {True, False}
    assert orders.DEFAULT_TOLERANCE_PERCENT * LOADED_G // 100 in {lost for lost, *_ in told}


def test_the_guide_decides_disputes_as_the_rule_does() -> None:
    by_rule, stated = paid(15_000, "franco"), {Outcome.SPLIT: 990_000}
    decided = {
        outcome: decided_g(
            outcome, stated.get(outcome), by_rule_g=by_rule, loaded_g=LOADED_G, accepted_g=LOADED_G - 15_000
        )
        for outcome in Outcome
    }
    assert {Outcome(row[0]): grams(row[1]) for row in table("outcome")} == decided


def test_the_example_splits_what_is_paid_as_the_rule_does() -> None:
    first, second = (f"{part // 1000} kg" for part in shares(985_000, FARMS).values())
    assert f"985 kg are paid: {first} of the first\nfarm, {second} of the second" in GUIDE
