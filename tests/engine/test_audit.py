"""The audit refuses what does not hold; each check is what refuses it."""

import ast
import inspect
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
from tests.engine.markets import TODAY, demand, departure, listing, market

BOOK = market(
    [listing("s", 25, 10, first_day=TODAY - 1), listing("t", 4, 12)],
    [
        demand("d", 10, 20),
        demand("e", 10, 16, min_quantity=3),
        demand("f", 5, 20, loco=True, first_day=TODAY - 1),
    ],
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


def with_match(matches: list[Match], chosen: str, **changes: Any) -> list[Match]:
    """Change the match of one demand; a change may be a function of the match."""
    return [
        replace(m, **{k: v(m) if callable(v) else v for k, v in changes.items()}) if m.demand_id == chosen else m
        for m in matches
    ]


def is_demand(name: str) -> Callable[[Any], bool]:
    return lambda arc: arc.order is not None and arc.order[1:] == ("demand", name)


def is_listing(name: str) -> Callable[[Any], bool]:
    return lambda arc: arc.order is not None and arc.order[1:] == ("listing", name)


def heavier(claim: Claim, **more: int) -> Claim:
    """Make the departure full by a wrong weight, and prove both bounds by the prices without those turned away."""
    claim = replace(with_arc(claim, is_lane, weight=1100, **more), linear_bound=claim.bound)
    surplus = -sum(arc.cost * arc.flow for arc in claim.arcs)
    kept = [arc for number, arc in enumerate(claim.arcs) if number not in claim.turned_away]
    gap, linear_gap = (auditing._bound(arcs, claim.bound, {"k": 12_000}) - surplus for arcs in (kept, claim.arcs))
    return replace(claim, surplus=surplus, gap=gap, linear_gap=linear_gap)


def turned_away(claim: Claim, name: str) -> Claim:
    number = next(i for i, arc in enumerate(claim.arcs) if is_demand(name)(arc))
    return replace(claim, turned_away=claim.turned_away | {number})


def with_twin(claim: Claim, name: str) -> Claim:
    twin = next(replace(arc, cap=0, flow=0, least=2) for arc in claim.arcs if is_demand(name)(arc))
    return replace(claim, arcs=[*claim.arcs, twin])


def more(field: str, by: int) -> dict[str, Callable[[Any], int]]:
    return {field: lambda row: getattr(row, field) + by}


Tamper = Callable[[Claim, list[Match]], tuple[Claim, list[Match]]]

#: what a second check sees too, and which
SEEN_TWICE = {
    "an overfull departure": "complete",
    "flow above capacity": "complete",
    "a fill below the smallest": "complete",
    "an order left out although in the money": "complete",
    "an order that is claimed twice": "complete",
    "freight that is no freight": "surplus",
    "freight too cheap where it is full": "matches",
    "a match that is left out": "matches",
    "a match that is larger": "matches",
    "flow that vanishes": "surplus",
    "a lane that runs at a loss": "surplus",
    "scarcity where there is room": "surplus",
    "scarcity that is excused at a gap of 0": "surplus",
    "a buyer above its limit": "surplus",
    "a part of an order that wants all": "gap",
    "an order turned away that traded": "gap",
}

TAMPERED: dict[str, tuple[str, Tamper]] = {
    "an overfull departure": ("rows", lambda c, m: (with_arc(c, is_lane, weight=10**6), m)),
    "flow above capacity": ("bounds", lambda c, m: (with_arc(c, is_order, cap=0), m)),
    "flow that vanishes": ("balance", lambda c, m: (with_arc(c, is_order, flow=lambda a: a.flow - 1), m)),
    "a lane that runs at a loss": ("reduced_cost", lambda c, m: (with_arc(c, is_lane, **more("cost", 99)), m)),
    "scarcity where there is room": ("reduced_cost", lambda c, m: (with_arc(c, is_lane, **more("cost", -1)), m)),
    "scarcity that is excused at a gap of 0": (
        "reduced_cost",
        lambda c, m: (replace(with_arc(c, is_lane, **more("cost", -1)), allotted=frozenset({"k"})), m),
    ),
    "a fill below the smallest": ("fills", lambda c, m: (with_arc(c, is_order, least=10**6), m)),
    "a buyer above its limit": ("fills", lambda c, m: (with_arc(c, is_demand("d"), **more("cost", 99)), m)),
    "a part of an order that wants all": ("fills", lambda c, m: (with_arc(c, is_demand("d"), **more("cap", 1)), m)),
    "an order left out although in the money": ("fills", lambda c, m: (with_arc(c, is_demand("e"), least=1), m)),
    "an order turned away that traded": ("fills", lambda c, m: (turned_away(c, "d"), m)),
    "a surplus that is too high": ("surplus", lambda c, m: (replace(c, surplus=c.surplus + 1), m)),
    "a gap that is too low": ("gap", lambda c, m: (replace(c, gap=c.gap - 1), m)),
    "a linear gap that is too low": ("gap", lambda c, m: (replace(c, linear_gap=c.linear_gap - 1), m)),
    "a bound without a scale": ("gap", lambda c, m: (replace(c, bound=replace(c.bound, scale=-1)), m)),
    "a row price below 0": ("gap", lambda c, m: (replace(c, bound=replace(c.bound, departure=(("k", 1, -1),))), m)),
    "a row in grams that do not divide": (
        "gap",
        lambda c, m: (replace(c, bound=replace(c.bound, departure=(("k", 7, 0),))), m),
    ),
    "an order that is claimed twice": ("matches", lambda c, m: (with_twin(c, "d"), m)),
    "a match against the rules": ("matches", lambda c, m: (c, with_match(m, "d", departure_id=None))),
    "goods fetched today": (
        "matches",
        lambda c, m: (c, with_match(m, "f", departs_on=TODAY - 1, arrives_on=TODAY - 1)),
    ),
    "a match on another day": ("matches", lambda c, m: (c, with_match(m, "d", **more("departs_on", 1)))),
    "freight that is no freight": ("matches", lambda c, m: (c, with_match(m, "d", **more("freight_idr", 1)))),
    "a price that does not add up": ("matches", lambda c, m: (c, with_match(m, "d", **more("scarcity_idr", 1)))),
    "a producer below its ask": (
        "matches",
        lambda c, m: (
            c,
            with_match(m, "d", **more("producer_price_idr", -99), **more("delivered_price_idr", -99)),
        ),
    ),
    "a match at another price than the place's": (
        "matches",
        lambda c, m: (c, with_match(m, "d", **more("producer_price_idr", 1), **more("delivered_price_idr", 1))),
    ),
    "a match of nothing": ("matches", lambda c, m: (c, [*m, replace(m[0], quantity=0)])),
    "a match that is left out": ("surplus", lambda c, m: (c, m[1:])),
    "a load of another weight": ("matches", lambda c, m: (heavier(c), m)),
    "freight too cheap where it is full": ("surplus", lambda c, m: (heavier(c, cost=1), m)),
    "a pool that nobody claims": ("complete", lambda c, m: (replace(c, commodities=()), m)),
    "an order with another smallest fill": ("complete", lambda c, m: (with_arc(c, is_demand("e"), least=2), m)),
    "an order that hangs elsewhere": ("complete", lambda c, m: (with_arc(c, is_listing("t"), head=0), m)),
    "a match that is larger": ("surplus", lambda c, m: (c, with_match(m, "d", **more("quantity", 1)))),
}


def test_the_audit_accepts_what_holds() -> None:
    claims, matches = claimed()
    assert audit(BOOK, claims, matches) == auditing.CHECKED


def requirements() -> set[int]:
    """Return the lines of the audit that require something."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(auditing))) if isinstance(node, ast.Call)]
    return {call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "_require"}


@pytest.mark.parametrize("name", TAMPERED)
def test_the_audit_refuses(name: str) -> None:
    check, tamper = TAMPERED[name]
    (claim,), matches = claimed()
    claim, matches = tamper(claim, matches)
    with pytest.raises(AuditError, match=f"^{check} "):
        audit(BOOK, [claim], matches)


def test_every_requirement_of_the_audit_refuses_something() -> None:
    refused = set()
    for _, tamper in TAMPERED.values():
        (claim,), matches = claimed()
        claim, matches = tamper(claim, matches)
        with pytest.raises(AuditError) as refusal:
            audit(BOOK, [claim], matches)
        refused.add(refusal.traceback[-2].lineno + 1)
    assert refused == requirements()


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
