"""The audit refuses what does not hold; each check is what refuses it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.engine import audit as auditing
from app.engine.audit import AuditError, audit
from app.engine.book import open_book
from app.engine.claim import Claim
from app.engine.clear import clear
from app.engine.components import settle_market
from app.engine.model import Market, Match
from app.engine.network import build
from tests.engine.markets import demand, departure, listing, market

BOOK = market(
    [listing("s", 20, 10), listing("t", 4, 12)],
    [demand("d", 10, 20), demand("e", 10, 16, min_quantity=3)],
    [departure("k", 1, 12, freight_idr_per_kg=2)],
)


def claimed() -> tuple[list[Claim], list[Match]]:
    networks = {pool.commodity: build(open_book(BOOK, pool)) for pool in BOOK.pools}
    return [part.claim() for part in settle_market(networks)], list(clear(BOOK).matches)


def with_arc(claim: Claim, chosen: Callable[[Any], bool], **changes: Any) -> Claim:
    arcs = list(claim.arcs)
    number = next(i for i, arc in enumerate(arcs) if chosen(arc))
    arcs[number] = replace(arcs[number], **{k: v(arcs[number]) if callable(v) else v for k, v in changes.items()})
    return replace(claim, arcs=arcs)


def is_lane(arc: Any) -> bool:
    return arc.departure == "k" and arc.flow > 0


def is_order(arc: Any) -> bool:
    return arc.order is not None and arc.flow > 0


TAMPERED: dict[str, tuple[str, Callable[[Claim, list[Match]], tuple[Claim, list[Match]]]]] = {
    "flow that vanishes": ("balance", lambda c, m: (with_arc(c, is_order, flow=lambda a: a.flow - 1), m)),
    "flow above capacity": ("bounds", lambda c, m: (with_arc(c, is_order, cap=0), m)),
    "an overfull departure": ("rows", lambda c, m: (with_arc(c, is_lane, weight=10**6), m)),
    "a lane that runs at a loss": ("reduced_cost", lambda c, m: (with_arc(c, is_lane, cost=lambda a: a.cost + 99), m)),
    "a buyer above its limit": (
        "fills",
        lambda c, m: (with_arc(c, lambda a: is_order(a) and a.order[1] == "demand", cost=lambda a: a.cost + 99), m),
    ),
    "a fill below the smallest": ("fills", lambda c, m: (with_arc(c, is_order, least=10**6), m)),
    "a surplus that is too high": ("surplus", lambda c, m: (replace(c, surplus=c.surplus + 1), m)),
    "a gap that is too low": ("gap", lambda c, m: (replace(c, gap=c.gap - 1), m)),
    "a linear gap that is too low": ("gap", lambda c, m: (replace(c, linear_gap=c.linear_gap - 1), m)),
    "a match that is left out": ("matches", lambda c, m: (c, m[1:])),
    "a match that is larger": ("matches", lambda c, m: (c, [replace(m[0], quantity=m[0].quantity + 1), *m[1:]])),
    "a match at another price": (
        "matches",
        lambda c, m: (
            c,
            [
                replace(
                    m[0],
                    producer_price_idr=m[0].producer_price_idr + 1,
                    delivered_price_idr=m[0].delivered_price_idr + 1,
                ),
                *m[1:],
            ],
        ),
    ),
    "a match whose price does not add up": (
        "matches",
        lambda c, m: (c, [replace(m[0], scarcity_idr=m[0].scarcity_idr + 1), *m[1:]]),
    ),
    "a match on another day": ("matches", lambda c, m: (c, [replace(m[0], departs_on=m[0].departs_on + 1), *m[1:]])),
}


def test_the_audit_accepts_what_holds() -> None:
    claims, matches = claimed()
    assert audit(BOOK, claims, matches) == auditing.CHECKED


@pytest.mark.parametrize("name", TAMPERED)
def test_the_audit_refuses(name: str) -> None:
    check, tamper = TAMPERED[name]
    (claim,), matches = claimed()
    claim, matches = tamper(claim, matches)
    with pytest.raises(AuditError, match=f"^{check} "):
        audit(BOOK, [claim], matches)


#: what a second check sees too, and which
SEEN_TWICE = {
    "flow that vanishes": "surplus",
    "an overfull departure": "matches",
    "a lane that runs at a loss": "surplus",
    "a buyer above its limit": "surplus",
}


@pytest.mark.parametrize("name", TAMPERED)
def test_without_its_check_a_tampered_claim_goes_further(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with the check switched off the claim is accepted, or refused by the second check that sees it."""
    check, tamper = TAMPERED[name]
    require = auditing._require
    monkeypatch.setattr(
        auditing, "_require", lambda holds, own, what: None if own == check else require(holds, own, what)
    )
    (claim,), matches = claimed()
    claim, matches = tamper(claim, matches)
    if name in SEEN_TWICE:
        with pytest.raises(AuditError, match=f"^{SEEN_TWICE[name]} "):
            audit(BOOK, [claim], matches)
    else:
        assert audit(BOOK, [claim], matches) == auditing.CHECKED


def test_agreements_and_rules_are_asked_again_of_every_match() -> None:
    claims, matches = claimed()
    closed = Market(BOOK.pools, BOOK.departures, (), BOOK.first_departure_day)
    with pytest.raises(AuditError, match=r"^matches "):
        audit(closed, claims, matches)
