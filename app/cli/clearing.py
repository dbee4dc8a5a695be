"""`hub clear`, and how a run is shown: the matches, how their prices are built, what is left and why, the proof."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.rules import CommodityFacts, Reference
from app.cli.context import Acting, as_hub
from app.cli.output import OUTPUT, Column, console, grouped, print_json, print_table, read
from app.kit.principal import Principal
from app.kit.text import Text
from app.matching import answers, queries
from app.matching import clearing as runs
from app.matching.models import ClearingRun, Match, Unmatched
from app.matching.rules import Side
from app.matching.schemas import MatchAnswer, RunAnswer, UnmatchedAnswer
from app.outbox.events import actor_of
from app.parties import queries as parties

#: a terminal at least as wide shows both names beside the steps of a price
ROOMY = 120

FROM = Column(Text("dari", "from"), "seller", wide=True)
FOR = Column(Text("untuk", "for"), "buyer", wide=True)
LEAVES = Column(Text("kirim", "leaves"), "leaves")
QUANTITY = Column(Text("jumlah", "quantity"), "quantity", number=True)
PRODUCER = Column(Text("produsen", "producer"), "producer_price_idr", number=True)
DELIVERED = Column(Text("sampai", "delivered"), "delivered_price_idr", number=True)
MATCH_COLUMNS = (FROM, FOR, LEAVES, QUANTITY, PRODUCER, DELIVERED)
PRICE_COLUMNS = (
    FOR,
    LEAVES,
    QUANTITY,
    PRODUCER,
    Column(Text("kumpul", "collect"), "collection_idr", number=True),
    Column(Text("ongkos", "freight"), "freight_idr", number=True),
    Column(Text("langka", "scarce"), "scarcity_idr", number=True),
    DELIVERED,
)
LEFT_COLUMNS = (
    Column(Text("siapa", "who"), "who", wide=True),
    Column(Text("pihak", "side"), "side"),
    Column(Text("sisa", "left"), "quantity", number=True),
    Column(Text("alasan", "why"), "message", wraps=True),
)
SIDES = {Side.LISTING: Text("stok", "listing"), Side.DEMAND: Text("kebutuhan", "demand")}


def clear(
    *,
    commodity: Annotated[list[str] | None, typer.Option(help="only these pools; may be repeated")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would come of it, bind nothing")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="how prices are built, and why the rest is left")] = False,
) -> None:
    """Clear pools as the hub."""

    async def work(acting: Acting) -> Result:
        run = await runs.run(
            acting.database,
            commodities=runs.pools_to_clear(acting.reference, commodity),
            dry_run=dry_run,
            now=acting.now,
            timezone=acting.timezone,
            actor=actor_of(acting.principal),
        )
        async with acting.database.reader() as session:
            return await result_of(session, run, acting.principal, acting.reference)

    as_hub(work).show(explain=explain, as_json=OUTPUT.as_json)


@dataclass(frozen=True)
class Result:
    """A run with its matches and what it left, ready to be shown."""

    run: RunAnswer
    matches: Sequence[MatchAnswer]
    left: Sequence[UnmatchedAnswer]
    #: organisation behind each order that was left, by the order's id
    names: Mapping[UUID, str]
    reference: Reference

    def show(self, *, explain: bool, as_json: bool) -> None:
        """Print the result; with `explain` also the steps of each price, and the reasons."""
        if as_json:
            print_json(self._document(explain=explain))
            return
        steps = (FROM, *PRICE_COLUMNS) if console.width >= ROOMY else PRICE_COLUMNS
        print_table(match_rows(self.matches, self.reference), steps if explain else MATCH_COLUMNS, by="group")
        if explain:
            console.print(read(Text("[bold]Belum cocok[/bold]", "[bold]Not matched[/bold]")))
            print_table([self._left_row(row) for row in self.left], LEFT_COLUMNS, by="group")
        console.print(self._proof(), soft_wrap=True)

    def _document(self, *, explain: bool) -> dict[str, Any]:
        return {
            "run": self.run.model_dump(mode="json"),
            "matches": [match.model_dump(mode="json") for match in self.matches],
            **({"unmatched": [row.model_dump(mode="json") for row in self.left]} if explain else {}),
        }

    def _left_row(self, row: UnmatchedAnswer) -> dict[str, Any]:
        group = heading(self.reference.commodities[row.commodity])
        return row.model_dump() | {"who": self.names[row.id], "side": read(SIDES[row.side]), "group": group}

    def _proof(self) -> str:
        proof = self.run.certificate
        gap, surplus = grouped(proof.gap_idr), grouped(proof.surplus_idr or 0)
        proved = Text("terbukti optimal", "proved optimal")
        bounded = Text(f"selisih ke optimum paling banyak Rp {gap}", f"at most Rp {gap} from the optimum")
        told = read(proved if proof.status == "optimal" else bounded)
        return read(
            Text(
                f"{self.run.matches} usulan, {self.run.unmatched} belum habis; {told}, surplus Rp {surplus}.\n"
                f"run {self.run.id}, {len(proof.checked)} hal diperiksa, {self.run.duration_ms} ms",
                f"{self.run.matches} proposals, {self.run.unmatched} not all matched; {told}, surplus Rp {surplus}.\n"
                f"run {self.run.id}, {len(proof.checked)} things checked, {self.run.duration_ms} ms",
            )
        )


def match_rows(matches: Sequence[MatchAnswer], reference: Reference) -> list[dict[str, Any]]:
    """Return matches as rows of a table, by commodity."""
    return [
        match.model_dump()
        | {
            "group": heading(reference.commodities[match.commodity]),
            "seller": match.producer.name if match.producer else None,
            "buyer": match.buyer.name if match.buyer else None,
            "leaves": f"{match.departs_on:%d/%m} {match.lane_code or 'loco'}",
        }
        for match in sorted(matches, key=lambda match: match.commodity)
    ]


def heading(commodity: CommodityFacts) -> str:
    """Return what a group of rows is about, and the unit of its figures."""
    return f"{read(Text(commodity.name, commodity.name_en))} · {commodity.base_unit}, Rp/{commodity.base_unit}"


async def result_of(session: AsyncSession, run: ClearingRun, principal: Principal, reference: Reference) -> Result:
    """Return a run with its matches and what it left, as the hub sees them."""
    matches = queries.matches(principal, run_id=run.id).order_by(Match.commodity, Match.departs_on, Match.id)
    unmatched = queries.unmatched(principal, run.id).order_by(Unmatched.commodity, Unmatched.side, Unmatched.id)
    left = (await session.scalars(unmatched)).all()
    owners = await parties.by_ids(session, {row.organization_id for row in left})
    return Result(
        run=(await answers.runs(session, [run], principal))[0],
        matches=await answers.matches(session, (await session.scalars(matches)).all(), principal, reference),
        left=[answers.unmatched(row, principal, OUTPUT.language) for row in left],
        names={row.order_id: owners[row.organization_id].name for row in left},
        reference=reference,
    )
