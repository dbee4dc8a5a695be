"""One clearing: snapshot in, matches, prices, reasons and certificate out; pure and deterministic.

The steps: canonical order, door, networks, optimum (shared departures, smallest fills, ties), prices, matches, reasons,
audit. docs/engine.md tells the model, and each module its part.
"""

from app.engine.audit import AuditError, audit
from app.engine.book import open_book
from app.engine.canonical import arrange
from app.engine.components import Component, settle_market
from app.engine.door import validate
from app.engine.matches import trade
from app.engine.memory import Memory
from app.engine.model import Certificate, Clearing, Market, Match, Pool, PoolResult
from app.engine.network import Network, build
from app.engine.reasons import explain

__all__ = ["AuditError", "clear"]


def clear(market: Market, memory: Memory | None = None) -> Clearing:
    """Return the clearing of a market: the greatest surplus, one price per place, a reason for what is left, a proof.

    Raises door.MarketRefusedError where a figure is out of bounds, AuditError where the audit refuses the
    result. The same market gives the same answer, whatever the order of its rows, hash seed or machine, and
    whatever `memory` holds of the markets before: with it a pool that changed little is solved warm.

    1. Canonical order. 2. Refuse what whole numbers cannot hold. 3. One network a pool. 4. Solve, pools joined where
    they share a full departure. 5. Matches with prices. 6. Audit. 7. Reasons for all that has quantity left.
    """
    market = arrange(market)  # 1
    validate(market)  # 2
    memory = memory or Memory()
    networks = {pool.commodity: _network(market, pool, memory) for pool in market.pools}  # 3
    components = settle_market(networks, memory)  # 4
    traded = [trade(part.net, part.flow, part.price) for part in components]  # 5
    matches = [match for own, _ in traded for match in own]
    matches.sort(key=lambda m: (m.commodity, m.demand_id, m.listing_id, m.departs_on, m.departure_id or ""))
    prices = [price for _, own in traded for price in own]
    checked = audit(market, [part.claim() for part in components], matches)  # 6
    unmatched = explain(market, components, matches)  # 7
    return Clearing(
        pools=tuple(_totals(market, matches)),
        matches=tuple(matches),
        unmatched=tuple(unmatched),
        prices=tuple(sorted(prices, key=lambda p: (p.commodity, p.level, p.region, p.day, p.grade, p.min_life_days))),
        certificate=_certificate(components, checked),
    )


def _network(market: Market, pool: Pool, memory: Memory) -> Network:
    """Return the network of a pool, on the ground of its last clearing where classes and legs are the same."""
    book = open_book(market, pool)
    return build(book, memory.grounds.of(pool.commodity, book.plan))


def _certificate(components: list[Component], checked: tuple[str, ...]) -> Certificate:
    """Add up what was proven for each component."""
    gap = sum(part.gap for part in components)
    return Certificate(
        status="bounded" if gap else "optimal",
        gap_idr=gap,
        lp_gap_idr=sum(part.linear_gap for part in components),
        surplus_idr=sum(part.surplus for part in components),
        checked=checked,
    )


def _totals(market: Market, matches: list[Match]) -> list[PoolResult]:
    """Return every pool's totals in canonical order: what limits exceed asks, collection and freight by."""
    totals = []
    for pool in market.pools:
        ask = {listing.id: listing.ask_idr for listing in pool.listings}
        limit = {demand.id: demand.limit_idr for demand in pool.demands}
        own = [match for match in matches if match.commodity == pool.commodity]
        surplus = sum(
            m.quantity * (limit[m.demand_id] - ask[m.listing_id] - m.collection_idr - m.freight_idr) for m in own
        )
        quantity = sum(match.quantity for match in own)
        totals.append(PoolResult(pool.commodity, len(pool.listings), len(pool.demands), quantity, surplus))
    return totals
