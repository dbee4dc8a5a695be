"""Deals: what two parties agreed by word or telephone and the desk records, under the same checks as a match."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.allocations.service import Move, move
from app.catalog.rules import CommodityFacts, Reference, Typed, measure
from app.demands import rules as demand_rules
from app.demands import service as demands
from app.demands.models import Demand
from app.engine.pairs import best_before
from app.kit import rows
from app.kit.clock import local_day
from app.kit.ids import new_id
from app.kit.principal import Principal, Role
from app.kit.problems import FieldError, Invalid, invalid
from app.kit.text import Text
from app.listings import rules as listing_rules
from app.listings import service as listings
from app.listings.models import Listing
from app.matching.rules import SENTENCES
from app.matching.ways import Way, collection_idr, forbidden, usable_way
from app.orders.models import Order, OrderLine
from app.orders.queries import buyers_facts
from app.orders.rules import PaymentTerms, terms_of
from app.orders.service import add_lines, open_order
from app.outbox.events import actor_of
from app.parties.service import Owner, owner_of_post


@dataclass(frozen=True, slots=True)
class DealLine:
    """What one producer sells in a deal: of a listing, or stated here and listed with it."""

    listing_id: UUID | None
    producer: UUID | None
    grade: str | None
    best_before: date | None
    quantity: Decimal
    #: None is the base unit
    unit: str | None
    unit_base_quantity: Decimal | None
    #: at the gate, rupiah per base unit
    producer_price_idr: int


@dataclass(frozen=True, slots=True)
class Deal:
    """Who buys what from whom, on which way, at which terms."""

    demand_id: UUID | None
    buyer: UUID | None
    commodity: str | None
    region: str | None
    departure_id: UUID | None
    day: date | None
    payment_terms: PaymentTerms | None
    down_payment_percent: int | None
    tolerance_percent: int | None
    lines: Sequence[DealLine]


@dataclass(frozen=True, slots=True)
class Sold:
    """One line with its listing and its price built up, rupiah per base unit."""

    listing: Listing
    quantity: int
    producer_price_idr: int
    collection_idr: int
    freight_idr: int

    @property
    def delivered_price_idr(self) -> int:
        """What the buyer pays."""
        return self.producer_price_idr + self.collection_idr + self.freight_idr


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a deal is recorded: by whom, when, against which reference."""

    principal: Principal
    reference: Reference
    now: datetime

    @property
    def timezone(self) -> str:
        """The hub's time zone."""
        return self.reference.regions[self.principal.region].timezone

    @property
    def today(self) -> date:
        """The hub's day."""
        return local_day(self.now, self.timezone)


async def record_deal(
    session: AsyncSession, *, deal: Deal, principal: Principal, reference: Reference, now: datetime
) -> Order:
    """Record a deal as an order; what no listing or demand stands for yet is published with it.

    1. The way: a departure that a run could use, or a day of fetching at the hub.
    2. Stock of each line and the need; both sides agreed, so neither ask nor limit nor smallest fill binds.
    3. The hard rules of a match: agreement, lane, grade, days, freshness.
    4. Open quantity becomes ordered and the departure is booked, refused where either is gone.

    Raises NotFound (404), QuantityGone (409), Invalid (422) naming the field or the line.
    """
    desk = Desk(principal, reference, now)
    way = await usable_way(
        session, hub=principal.region, departure_id=deal.departure_id, day=deal.day, today=desk.today
    )
    known = await _known_demand(session, deal, desk)
    code = known.commodity if known else deal.commodity
    if code is None or deal.commodity not in (None, code):
        raise invalid("/commodity", "commodity", Text("Wajib, sama dengan kebutuhan.", "Required, as the demand's."))
    commodity = reference.commodity(code)
    sold = [await _sold(session, desk, commodity, way, index, line) for index, line in enumerate(deal.lines)]
    demand = known or await _publish_demand(session, desk, commodity, way, deal, sold)
    for index, item in enumerate(sold):
        reason = await forbidden(session, listing=item.listing, demand=demand, way=way, reference=reference, now=now)
        if reason is not None:
            raise invalid(f"/lines/{index}", reason, SENTENCES[reason][0])
    return await _record(session, desk, commodity, way, deal, demand, sold)


async def _known_demand(session: AsyncSession, deal: Deal, desk: Desk) -> Demand | None:
    if (deal.demand_id is None) == (deal.buyer is None):
        raise invalid("/demand_id", "one_of", Text("Isi demand_id atau buyer.", "Name demand_id or buyer."))
    if deal.demand_id is None:
        return None
    await rows.hold(session, "demand", [deal.demand_id])
    return await demands.visible(session, demand_id=deal.demand_id, principal=desk.principal)


async def _sold(
    session: AsyncSession, desk: Desk, commodity: CommodityFacts, way: Way, index: int, line: DealLine
) -> Sold:
    with _at_line(index):
        typed = Typed(
            line.quantity,
            line.unit or commodity.base_unit,
            line.producer_price_idr,
            commodity.base_unit,
            None,
            line.unit_base_quantity,
        )
        measured = measure(commodity, typed, rounds_up=True, price_field="producer_price_idr")
        listing = await _listing(session, desk, commodity, way, line, typed)
        if listing.commodity != commodity.code:
            raise invalid("/listing_id", "other_commodity", Text("Komoditas lain.", "It is another commodity."))
    freight = way.leg(commodity.unit_weight_g).freight_idr
    collection = collection_idr(listing, commodity, desk.reference)
    return Sold(listing, measured.quantity, measured.price_idr, collection, freight)


@contextmanager
def _at_line(index: int) -> Iterator[None]:
    """Let what is wrong with a line be told at its place in the body."""
    try:
        yield
    except Invalid as problem:
        errors = [FieldError(f"/lines/{index}{own.pointer}", own.code, own.detail) for own in problem.errors]
        raise Invalid(problem.detail, errors=errors) from None


async def _listing(
    session: AsyncSession, desk: Desk, commodity: CommodityFacts, way: Way, line: DealLine, typed: Typed
) -> Listing:
    if (line.listing_id is None) == (line.producer is None):
        raise invalid("/listing_id", "one_of", Text("Isi listing_id atau producer.", "Name listing_id or producer."))
    if line.listing_id is not None:
        return await listings.visible(session, listing_id=line.listing_id, principal=desk.principal)
    if line.grade is None:
        raise invalid("/grade", "missing", Text("Wajib diisi.", "Required."))
    owner = await _party(session, desk, line.producer, Role.PRODUCER, "/producer")
    region = listing_rules.gathered_region(desk.reference, owner.region)
    leaves_gate_on = way.departs_on - timedelta(days=region.collection_days)
    draft = listing_rules.Draft(
        commodity=commodity.code,
        grade=line.grade,
        region=owner.region,
        typed=typed,
        available_from=leaves_gate_on,
        available_until=leaves_gate_on,
        best_before=line.best_before,
        best_before_chilled=line.best_before,
        price_valid_until=None,
        papers={},
        external_ref=None,
        note=None,
    )
    values = listings.prepare(draft, owner=owner, reference=desk.reference, now=desk.now)
    return await listings.publish(session, values=values, actor=actor_of(desk.principal, acting_for=owner.id))


async def _party(session: AsyncSession, desk: Desk, key: UUID | None, role: Role, pointer: str) -> Owner:
    """Return an organisation of this hub. Raises NotFound (404), Invalid (422) naming the field for another role."""
    try:
        return await owner_of_post(session, principal=desk.principal, organization_id=key, role=role)
    except Invalid as problem:
        raise Invalid(
            problem.detail, errors=[FieldError(pointer, own.code, own.detail) for own in problem.errors]
        ) from None


async def _publish_demand(
    session: AsyncSession, desk: Desk, commodity: CommodityFacts, way: Way, deal: Deal, sold: Sequence[Sold]
) -> Demand:
    owner = await _party(session, desk, deal.buyer, Role.BUYER, "/buyer")
    lowest = max((item.listing.grade for item in sold), key=lambda grade: commodity.grades[grade])
    draft = demand_rules.Draft(
        commodity=commodity.code,
        min_grade=lowest,
        region=deal.region or owner.region,
        delivery="loco" if way.departure is None else "franco",
        typed=Typed(
            Decimal(sum(item.quantity for item in sold)),
            commodity.base_unit,
            max(item.delivered_price_idr for item in sold),
            commodity.base_unit,
            None,
            None,
        ),
        deliver_from=way.arrives_on,
        deliver_by=way.arrives_on,
        min_remaining_shelf_life_days=0,
        price_valid_until=None,
        external_ref=None,
        note=None,
    )
    values = demands.prepare(draft, owner=owner, reference=desk.reference, now=desk.now)
    return await demands.publish(session, values=values, actor=actor_of(desk.principal, acting_for=owner.id))


async def _record(
    session: AsyncSession,
    desk: Desk,
    commodity: CommodityFacts,
    way: Way,
    deal: Deal,
    demand: Demand,
    sold: Sequence[Sold],
) -> Order:
    _, usual_terms, timezone = await buyers_facts(session, demand.id)
    terms = terms_of(
        deal.payment_terms or PaymentTerms(usual_terms),
        down_payment_percent=deal.down_payment_percent,
        tolerance_percent=deal.tolerance_percent,
    )
    booked_g = commodity.unit_weight_g if way.departure else 0
    moves = [
        Move(
            "deal",
            listing_id=item.listing.id,
            demand_id=demand.id,
            departure_id=way.departure_id,
            ordered=item.quantity,
            booked_g=item.quantity * booked_g,
        )
        for item in sold
    ]
    await move(session, moves, at=desk.now, actor=actor_of(desk.principal))
    order = await open_order(
        session,
        demand=demand,
        terms=terms,
        way=(way.departure_id, way.departs_on, way.arrives_on),
        source="deal",
        timezone=timezone,
        now=desk.now,
    )
    for_buyer = actor_of(desk.principal, acting_for=demand.organization_id)
    await add_lines(session, order, [_line(order, way, item) for item in sold], for_buyer, desk.now)
    return order


def _line(order: Order, way: Way, item: Sold) -> OrderLine:
    return OrderLine(
        id=new_id(),
        order_id=order.id,
        match_id=None,
        listing_id=item.listing.id,
        producer_id=item.listing.organization_id,
        grade=item.listing.grade,
        quantity=item.quantity,
        loaded_quantity=0,
        received_quantity=0,
        producer_price_idr=item.producer_price_idr,
        collection_idr=item.collection_idr,
        freight_idr=item.freight_idr,
        scarcity_idr=0,
        delivered_price_idr=item.delivered_price_idr,
        best_before=best_before(item.listing, chilled=way.chilled),
    )
