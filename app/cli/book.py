"""`hub listings`, `hub demands`, `hub matches`: what stands in the book, as the hub sees it."""

from typing import Annotated

import typer

from app.cli.context import Acting, as_hub
from app.cli.output import Column, show
from app.demands import queries as demand_queries
from app.demands.models import Demand
from app.demands.router import answer as demand_answer
from app.demands.schemas import DemandAnswer
from app.kit.text import Text
from app.listings import queries as listing_queries
from app.listings.models import Listing
from app.listings.router import answer as listing_answer
from app.listings.schemas import ListingAnswer
from app.matching import answers
from app.matching import queries as match_queries
from app.matching.models import Match
from app.matching.schemas import MatchAnswer

Status = Annotated[list[str] | None, typer.Option(help="only these states; may be repeated")]
Commodity = Annotated[list[str] | None, typer.Option(help="only these commodities; may be repeated")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="rows at most, newest first")]

POSTING_COLUMNS = (
    Column(Text("komoditas", "commodity"), "commodity"),
    Column(Text("wilayah", "region"), "region"),
    Column(Text("status", "status"), "status"),
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
    Column(Text("batas harga", "limit"), "max_price_idr", number=True),
    Column(Text("paling lambat", "deliver by"), "deliver_by"),
)
MATCH_COLUMNS = (
    Column(Text("komoditas", "commodity"), "commodity"),
    Column(Text("jumlah", "quantity"), "quantity", number=True),
    Column(Text("berangkat", "departs"), "departs_on"),
    Column(Text("produsen", "producer"), "producer_price_idr", number=True),
    Column(Text("sampai", "delivered"), "delivered_price_idr", number=True),
    Column(Text("status", "status"), "status"),
)


def listings(status: Status = None, commodity: Commodity = None, limit: Limit = 50) -> None:
    """List stock."""

    async def work(acting: Acting) -> list[ListingAnswer]:
        statement = listing_queries.filtered(
            listing_queries.visible(acting.principal), statuses=status or (), commodities=commodity or ()
        )
        async with acting.database.reader() as session:
            found = await session.scalars(statement.order_by(Listing.created_at.desc()).limit(limit))
            return [listing_answer(row, acting.reference) for row in found]

    show(as_hub(work), LISTING_COLUMNS)


def demands(status: Status = None, commodity: Commodity = None, limit: Limit = 50) -> None:
    """List needs."""

    async def work(acting: Acting) -> list[DemandAnswer]:
        statement = demand_queries.filtered(
            demand_queries.visible(acting.principal), statuses=status or (), commodities=commodity or ()
        )
        async with acting.database.reader() as session:
            found = await session.scalars(statement.order_by(Demand.created_at.desc()).limit(limit))
            return [demand_answer(row, acting.reference) for row in found]

    show(as_hub(work), DEMAND_COLUMNS)


def matches(status: Status = None, commodity: Commodity = None, limit: Limit = 50) -> None:
    """List proposals and agreements."""

    async def work(acting: Acting) -> list[MatchAnswer]:
        statement = match_queries.matches(acting.principal, statuses=status or (), commodities=commodity or ())
        async with acting.database.reader() as session:
            found = await session.scalars(statement.order_by(Match.created_at.desc(), Match.id).limit(limit))
            return await answers.matches(session, found.all(), acting.principal, acting.reference)

    show(as_hub(work), MATCH_COLUMNS)
