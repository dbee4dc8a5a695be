"""`hub listings`, `hub demands`, `hub matches`: what stands in the book, as the hub sees it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.allocations.rules import State as PostingState
from app.allocations.schemas import PostingAnswer
from app.catalog.rules import Reference
from app.cli.clearing import MATCH_COLUMNS, heading, match_rows
from app.cli.context import Acting, as_hub
from app.cli.output import OUTPUT, Column, print_json, print_table
from app.demands import queries as demand_queries
from app.demands.models import Demand
from app.demands.router import answer as demand_answer
from app.kit.text import Text
from app.listings import queries as listing_queries
from app.listings.models import Listing
from app.listings.router import answer as listing_answer
from app.matching import answers
from app.matching import queries as match_queries
from app.matching.models import Match
from app.matching.rules import State as MatchState
from app.parties import queries as parties

Commodity = Annotated[list[str] | None, typer.Option(help="only these commodities; may be repeated")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="rows at most, newest first")]
STATUS_HELP = "only these states; may be repeated"
Status = Annotated[list[PostingState] | None, typer.Option(help=STATUS_HELP)]
MatchStatus = Annotated[list[MatchState] | None, typer.Option(help=STATUS_HELP)]

STATUS = Column(Text("status", "status"), "status")
POSTING_COLUMNS = (
    Column(Text("pihak", "party"), "party", wide=True),
    Column(Text("wilayah", "region"), "region_name", wide=True),
    STATUS,
    Column(Text("jumlah", "quantity"), "quantity", number=True),
    Column(Text("sisa", "open"), "open_quantity", number=True),
)
LISTING_COLUMNS = (
    *POSTING_COLUMNS,
    Column(Text("harga", "price"), "price_idr", number=True),
    Column(Text("sampai", "until"), "available_until"),
)
DEMAND_COLUMNS = (
    *POSTING_COLUMNS,
    Column(Text("batas", "limit"), "max_price_idr", number=True),
    Column(Text("tiba", "by"), "deliver_by"),
)


def listings(status: Status = None, commodity: Commodity = None, limit: Limit = 50) -> None:
    """List stock."""

    async def work(acting: Acting) -> Found:
        statement = listing_queries.filtered(
            listing_queries.visible(acting.principal), statuses=status or (), commodities=commodity or ()
        ).order_by(Listing.created_at.desc(), Listing.id)
        async with acting.database.reader() as session:
            rows = await session.scalars(statement.limit(limit))
            return await _found(session, [listing_answer(row, acting.reference) for row in rows], acting.reference)

    _show(*as_hub(work), LISTING_COLUMNS)


def demands(status: Status = None, commodity: Commodity = None, limit: Limit = 50) -> None:
    """List needs."""

    async def work(acting: Acting) -> Found:
        statement = demand_queries.filtered(
            demand_queries.visible(acting.principal), statuses=status or (), commodities=commodity or ()
        ).order_by(Demand.created_at.desc(), Demand.id)
        async with acting.database.reader() as session:
            rows = await session.scalars(statement.limit(limit))
            return await _found(session, [demand_answer(row, acting.reference) for row in rows], acting.reference)

    _show(*as_hub(work), DEMAND_COLUMNS)


def matches(status: MatchStatus = None, commodity: Commodity = None, limit: Limit = 50) -> None:
    """List proposals and agreements."""

    async def work(acting: Acting) -> Found:
        statement = match_queries.matches(
            acting.principal, statuses=status or (), commodities=commodity or ()
        ).order_by(Match.created_at.desc(), Match.id)
        async with acting.database.reader() as session:
            rows = (await session.scalars(statement.limit(limit))).all()
            found = await answers.matches(session, rows, acting.principal, acting.reference)
            return found, match_rows(found, acting.reference)

    _show(*as_hub(work), (*MATCH_COLUMNS, STATUS))


#: answers of the HTTP API, and the same as rows of a table
Found = tuple[Sequence[Any], Sequence[Mapping[str, Any]]]


async def _found(session: AsyncSession, items: Sequence[PostingAnswer], reference: Reference) -> Found:
    owners: Mapping[UUID, Any] = await parties.by_ids(session, {item.organization for item in items})
    rows = [
        item.model_dump()
        | {
            "group": heading(reference.commodities[item.commodity]),
            "party": owners[item.organization].name,
            "region_name": reference.regions[item.region].name,
        }
        for item in sorted(items, key=lambda item: item.commodity)
    ]
    return items, rows


def _show(items: Sequence[Any], rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> None:
    """Print a list in the shape of the HTTP API, or on a terminal as a table by commodity."""
    if OUTPUT.as_json:
        print_json({"items": [item.model_dump(mode="json") for item in items]})
    else:
        print_table(rows, columns, by="group")
