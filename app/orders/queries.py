"""Reading orders and their lines."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import Select, column, exists, or_, select, table, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app.demands.models import Demand
from app.engine import pairs
from app.kit.principal import Principal
from app.kit.problems import NotFound
from app.lanes.models import Departure, Lane
from app.listings.models import Listing
from app.matching.models import Match
from app.orders.models import NUMBERS, Order, OrderLine
from app.outbox.models import OutboxEvent
from app.parties.models import Organization
from app.regions.models import Region

#: what shipments carry, of which orders know no more
_CARRIED = table("shipment_lines", column("shipment_id"), column("order_line_id"))


def visible(principal: Principal) -> Select[Order]:
    """Return the select of the caller's orders: those it buys or has a line in; the hub's are all at its hub."""
    statement = select(Order)
    if principal.is_hub:
        return statement.where(Order.hub == principal.region)
    mine = principal.organization_id
    has_line = exists().where(OrderLine.order_id == Order.id, OrderLine.producer_id == mine)
    return statement.where(or_(Order.buyer_id == mine, has_line))


def filtered(
    statement: Select[Order],
    *,
    statuses: Sequence[str] = (),
    commodities: Sequence[str] = (),
    regions: Sequence[str] = (),
    departures: Sequence[UUID] = (),
    organizations: Sequence[UUID] = (),
    numbers: Sequence[str] = (),
    arrives_from: date | None = None,
    arrives_until: date | None = None,
) -> Select[Order]:
    """Narrow a select of orders; an empty filter lets all pass."""
    for filtered_by, values in (
        (Order.status, statuses),
        (Order.commodity, commodities),
        (Order.region, regions),
        (Order.departure_id, departures),
        (Order.number, numbers),
    ):
        if values:
            statement = statement.where(filtered_by.in_(values))
    if organizations:
        has_line = exists().where(OrderLine.order_id == Order.id, OrderLine.producer_id.in_(organizations))
        statement = statement.where(or_(Order.buyer_id.in_(organizations), has_line))
    if arrives_from is not None:
        statement = statement.where(Order.arrives_on >= arrives_from)
    if arrives_until is not None:
        statement = statement.where(Order.arrives_on <= arrives_until)
    return statement


async def one(session: AsyncSession, order_id: UUID, principal: Principal) -> Order:
    """Return an order that the caller may see. Raises NotFound (404)."""
    found = await session.scalar(visible(principal).where(Order.id == order_id))
    if found is None:
        raise NotFound
    return found


async def lines_of(session: AsyncSession, order_ids: Iterable[UUID]) -> dict[UUID, list[OrderLine]]:
    """Return the lines of orders, by order, in the order of their ids, as the database has them now."""
    lines: dict[UUID, list[OrderLine]] = {order_id: [] for order_id in order_ids}
    statement = select(OrderLine).where(OrderLine.order_id.in_(list(lines))).order_by(OrderLine.id)
    for line in await session.scalars(statement.execution_options(populate_existing=True)):
        lines[line.order_id].append(line)
    return lines


async def orders_of_lines(session: AsyncSession, line_ids: Iterable[UUID], hub: str) -> dict[UUID, Order]:
    """Return the order of each line that is of an order at this hub."""
    statement = (
        select(OrderLine.id, Order).join(Order, Order.id == OrderLine.order_id).where(OrderLine.id.in_(list(line_ids)))
    )
    return {row.id: row.Order for row in await session.execute(statement.where(Order.hub == hub))}


async def locked_orders(session: AsyncSession, order_ids: Iterable[UUID]) -> list[Order]:
    """Return orders, locked in the order of their ids, as the database has them now."""
    statement = select(Order).where(Order.id.in_(list(order_ids))).order_by(Order.id).with_for_update()
    return list(await session.scalars(statement.execution_options(populate_existing=True)))


async def demands_of_matches(session: AsyncSession, match_ids: Sequence[UUID]) -> Sequence[UUID]:
    """Return the demands of matches."""
    return (await session.scalars(select(Match.demand_id).where(Match.id.in_(match_ids)).distinct())).all()


async def open_order(session: AsyncSession, match: Match) -> Order | None:
    """Return the order that a confirmed match joins, locked: of its demand, departure and day, with nothing loaded."""
    statement = select(Order).where(
        Order.demand_id == match.demand_id,
        Order.departure_id.is_not_distinct_from(match.departure_id),
        Order.departs_on == match.departs_on,
        Order.status == "confirmed",
        Order.source == "clearing",
    )
    return (await session.scalars(statement.with_for_update().execution_options(populate_existing=True))).one_or_none()


async def buyers_facts(session: AsyncSession, demand_id: UUID) -> tuple[Demand, str, str]:
    """Return a demand, its buyer's payment terms, and its hub's time zone."""
    statement = (
        select(Demand, Organization.payment_terms, Region.timezone)
        .join(Organization, Organization.id == Demand.organization_id)
        .join(Region, Region.code == Demand.hub)
        .where(Demand.id == demand_id)
    )
    row = (await session.execute(statement)).one()
    return row.Demand, row.payment_terms, row.timezone


async def best_before(session: AsyncSession, match_ids: Sequence[UUID]) -> Mapping[UUID, date]:
    """Return the last day of shelf life of each match's goods, as they travel."""
    statement = (
        select(Match.id, Listing.best_before, Listing.best_before_chilled, Lane.temperature)
        .join(Listing, Listing.id == Match.listing_id)
        .outerjoin(Departure, Departure.id == Match.departure_id)
        .outerjoin(Lane, Lane.id == Departure.lane_id)
        .where(Match.id.in_(match_ids))
    )
    return {
        row.id: pairs.best_before(row, chilled=row.temperature == "chilled") for row in await session.execute(statement)
    }


async def next_number(session: AsyncSession) -> int:
    """Return the next number of the orders of all years."""
    return await session.scalar(select(NUMBERS.next_value())) or 0


async def history(session: AsyncSession, order_id: UUID, principal: Principal) -> Sequence[OutboxEvent]:
    """Return what happened to an order, its matches and its shipments, as far as the caller may see it, in order."""
    subjects = union_all(
        select(OrderLine.match_id).where(OrderLine.order_id == order_id, OrderLine.match_id.is_not(None)),
        select(_CARRIED.c.shipment_id)
        .join(OrderLine, OrderLine.id == _CARRIED.c.order_line_id)
        .where(OrderLine.order_id == order_id),
    )
    # read first: the events of a list of ids are found by their index, of a subquery maybe not
    told_of = [order_id, *await session.scalars(subjects)]
    statement = select(OutboxEvent).where(OutboxEvent.subject_id.in_(told_of)).order_by(OutboxEvent.id)
    if not principal.is_hub:
        statement = statement.where(OutboxEvent.organizations.contains([principal.organization_id]))
    return (await session.scalars(statement)).all()
