"""Rows of runs and matches as each party may see them (rule 13)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.rules import Reference
from app.engine.model import Reason
from app.engine.pairs import Candidate
from app.kit.principal import Principal
from app.lanes import queries as lanes
from app.lanes.models import Lane
from app.matching import queries
from app.matching.models import ClearingPrice, ClearingRun, CounterOffer, Match, Unmatched
from app.matching.rules import Side, State, explained, rounded_down, rounded_up, shown_detail
from app.matching.schemas import (
    CertificateAnswer,
    CounterOfferAnswer,
    Counterparty,
    MatchAnswer,
    OptionAnswer,
    OutlookAnswer,
    PoolAnswer,
    PriceAnswer,
    Record,
    RunAnswer,
    UnmatchedAnswer,
)
from app.parties import queries as parties
from app.parties.models import Organization


async def runs(session: AsyncSession, found: Sequence[ClearingRun], principal: Principal) -> list[RunAnswer]:
    """Return runs with their pools; the surplus, and hashes of what holds secrets, are for the hub only."""
    exact = principal.is_hub
    pools = await queries.pools_of(session, [run.id for run in found])
    return [
        RunAnswer(
            id=run.id,
            status=run.status,
            dry_run=run.dry_run,
            as_of=run.as_of,
            commodities=run.commodities,
            engine=run.engine,
            input_sha256=run.input_sha256 if exact else None,
            output_sha256=run.output_sha256 if exact else None,
            previous_sha256=run.previous_sha256 if exact else None,
            pools=[
                PoolAnswer(
                    commodity=pool.commodity,
                    listings=pool.listings,
                    demands=pool.demands,
                    matched_quantity=pool.matched_quantity,
                    surplus_idr=pool.surplus_idr if exact else None,
                )
                for pool in pools[run.id]
            ],
            certificate=certificate(run, exact=exact),
            matches=run.matches,
            unmatched=run.unmatched,
            duration_ms=run.duration_ms,
        )
        for run in found
    ]


def certificate(run: ClearingRun, *, exact: bool) -> CertificateAnswer:
    """Return what the audit proved; the surplus only when `exact`."""
    proved: dict[str, Any] = dict(run.certificate)
    return CertificateAnswer(**{**proved, "surplus_idr": proved["surplus_idr"] if exact else None})


async def matches(
    session: AsyncSession, found: Sequence[Match], principal: Principal, reference: Reference
) -> list[MatchAnswer]:
    """Return matches as this party may see them."""
    organizations = await parties.by_ids(
        session, {key for match in found for key in (match.listing_organization_id, match.demand_organization_id)}
    )
    lanes_by_departure = await lanes.lanes_of(session, {match.departure_id for match in found if match.departure_id})
    offers = await queries.counter_offers(session, [match.id for match in found])
    return [
        _match(match, principal, reference, organizations, lanes_by_departure, offers.get(match.id)) for match in found
    ]


def _match(
    match: Match,
    principal: Principal,
    reference: Reference,
    organizations: Mapping[UUID, Organization],
    lanes_by_departure: Mapping[UUID, Lane],
    offered: CounterOffer | None,
) -> MatchAnswer:
    is_seller = principal.is_hub or principal.organization_id == match.listing_organization_id
    is_buyer = principal.is_hub or principal.organization_id == match.demand_organization_id
    known = match.status == State.CONFIRMED
    lane = lanes_by_departure[match.departure_id] if match.departure_id else None
    producer = _counterparty(organizations[match.listing_organization_id], known=known)
    buyer = _counterparty(organizations[match.demand_organization_id], known=known)
    confirmed = ((Side.LISTING, match.listing_confirmed_at), (Side.DEMAND, match.demand_confirmed_at))
    return MatchAnswer(
        id=match.id,
        run_id=match.run_id,
        listing_id=match.listing_id,
        demand_id=match.demand_id,
        commodity=match.commodity,
        grade=match.grade,
        quantity=match.quantity,
        unit=reference.commodities[match.commodity].base_unit,
        departure_id=match.departure_id,
        lane_id=lane.id if lane else None,
        lane_code=lane.code if lane else None,
        departs_on=match.departs_on,
        arrives_on=match.arrives_on,
        producer_price_idr=match.producer_price_idr,
        collection_idr=match.collection_idr,
        freight_idr=match.freight_idr,
        scarcity_idr=match.scarcity_idr,
        delivered_price_idr=match.delivered_price_idr,
        producer_gain_idr=match.quantity * (match.producer_price_idr - match.ask_idr) if is_seller else None,
        buyer_saving_idr=match.quantity * (match.limit_idr - match.delivered_price_idr) if is_buyer else None,
        counterparty=None if principal.is_hub else buyer if is_seller else producer,
        producer=producer if principal.is_hub else None,
        buyer=buyer if principal.is_hub else None,
        status=match.status,
        confirmed_by=[side for side, at in confirmed if at is not None],
        decline_reason=match.decline_reason,
        counter_offer=CounterOfferAnswer.model_validate(offered) if offered else None,
        expires_at=match.expires_at,
        version=match.version,
    )


def _counterparty(organization: Organization, *, known: bool) -> Counterparty:
    return Counterparty(
        name=organization.name,
        region=organization.region,
        record=Record(
            orders=organization.record_orders,
            on_time=organization.record_on_time,
            refused=organization.record_refused,
        ),
        telephone=organization.telephone if known else None,
    )


def unmatched(row: Unmatched, principal: Principal, language: str) -> UnmatchedAnswer:
    """Return why an order was left, with figures as this party may see them."""
    detail = shown_detail(row.detail, quantity=row.quantity, exact=principal.is_hub)
    return UnmatchedAnswer(
        side=Side(row.side),
        id=row.order_id,
        organization=row.organization_id,
        commodity=row.commodity,
        quantity=row.quantity,
        reason=row.reason,
        detail=detail,
        message=explained(row.reason, row.side, detail, language),
    )


def price(row: ClearingPrice) -> PriceAnswer:
    """Return one published price."""
    return PriceAnswer(
        commodity=row.commodity,
        grade=row.grade,
        min_remaining_shelf_life_days=row.min_remaining_shelf_life_days,
        region=row.region,
        level=row.level,
        on=row.day,
        price_idr=row.price_idr,
        traded_quantity=row.traded_quantity,
    )


def option(candidate: Candidate, grade: str, *, exact: bool) -> OptionAnswer:
    """Return one way to serve a demand; the landed price is exact only for the hub."""
    landed = candidate.landed_idr if exact else rounded_up(candidate.landed_idr)
    fits = landed <= candidate.demand.limit_idr
    return OptionAnswer(
        grade=grade, hub=candidate.listing.hub, landed_price_idr=landed, **_way(candidate, price_fits=fits)
    )


def outlook(candidate: Candidate, min_grade: str, *, exact: bool) -> OutlookAnswer:
    """Return one need that a listing could serve; what it pays at the gate is exact only for the hub."""
    gate = max(0, candidate.demand.limit_idr - candidate.collection_idr - candidate.freight_idr)
    gate = gate if exact else rounded_down(gate)
    return OutlookAnswer(
        min_grade=min_grade,
        region=candidate.demand.region,
        producer_price_idr=gate,
        **_way(candidate, price_fits=candidate.listing.ask_idr <= gate),
    )


def _way(candidate: Candidate, *, price_fits: bool) -> dict[str, Any]:
    """Return a way without its price. Whether the price fits follows from the price shown, not from the exact one.

    Else its owner could move its own figure, rupiah by rupiah, until the answer turns, and read the other side's.
    """
    why_not = candidate.why_not
    if why_not in (None, Reason.PRICE_GAP, Reason.LANE_FULL):
        full = Reason.LANE_FULL if candidate.quantity == 0 else None
        why_not = full if price_fits else Reason.PRICE_GAP
    return {
        "departure_id": candidate.departure.id if candidate.departure else None,
        "departs_on": day_of(candidate.departs_on),
        "arrives_on": day_of(candidate.arrives_on),
        "quantity": candidate.quantity,
        "collection_idr": candidate.collection_idr,
        "freight_idr": candidate.freight_idr,
        "fits": why_not is None,
        "why_not": why_not,
    }


def day_of(ordinal: int | None) -> date | None:
    """Return the calendar day of an ordinal."""
    return None if ordinal is None else date.fromordinal(ordinal)
