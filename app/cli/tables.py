"""What commands print: tables on a terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.lanes.models import Departure, Lane
from app.matching.models import ClearingRun, Match
from app.parties.models import Organization

console = Console()


async def matches_of_run(session: AsyncSession, run: ClearingRun) -> None:
    """Print the matches of a run."""
    seller, buyer = aliased(Organization), aliased(Organization)
    statement = (
        select(Match, seller.name, buyer.name, Lane.code)
        .join(seller, seller.id == Match.listing_organization_id)
        .join(buyer, buyer.id == Match.demand_organization_id)
        .outerjoin(Departure, Departure.id == Match.departure_id)
        .outerjoin(Lane, Lane.id == Departure.lane_id)
        .where(Match.run_id == run.id)
        .order_by(Match.commodity, buyer.name, Match.departs_on, Match.id)
    )
    table = Table(title=f"{run.matches} usulan; {run.certificate['status']}, selisih Rp {run.certificate['gap_idr']}")
    for heading in ("komoditas", "dari", "untuk", "kirim", "rute"):
        table.add_column(heading, overflow="fold")
    for heading in ("jumlah", "harga produsen", "harga sampai"):
        table.add_column(heading, justify="right")
    for match, seller_name, buyer_name, lane in await session.execute(statement):
        table.add_row(
            match.commodity,
            seller_name,
            buyer_name,
            f"{match.departs_on:%d/%m}",
            lane or "loco",
            grouped(match.quantity),
            grouped(match.producer_price_idr),
            grouped(match.delivered_price_idr),
        )
    console.print(table)


def grouped(number: int) -> str:
    """Write a whole number as Indonesians do: 26.500."""
    return f"{number:,}".replace(",", ".")


def urls(base: str, keys: Path | None) -> None:
    """Print where everything is."""
    console.print(f"  API        {base}/docs")
    console.print(f"  dashboard  {base}/v1/dashboard/summary")
    console.print(f"  health     {base}/readyz")
    if keys is not None:
        console.print(f"  keys       {keys}", soft_wrap=True)
