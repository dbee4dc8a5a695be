"""`hub clear` and `hub replay`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.rules import Reference
from app.cli.context import Acting, as_hub
from app.cli.output import OUTPUT, Column, cell, console, print_json, table
from app.kit.principal import Principal
from app.kit.text import Text
from app.matching import answers, queries
from app.matching import clearing as runs
from app.matching.models import ClearingRun, Match, Unmatched
from app.matching.replay import Replayed
from app.matching.replay import replay as replay_run
from app.matching.schemas import MatchAnswer, RunAnswer, UnmatchedAnswer
from app.outbox.events import actor_of

MATCH_COLUMNS = (
    Column(Text("dari", "from"), "seller", wide=True),
    Column(Text("untuk", "for"), "buyer", wide=True),
    Column(Text("kirim", "leaves"), "leaves"),
    Column(Text("jumlah", "quantity"), "quantity", number=True),
    Column(Text("produsen", "producer"), "producer_price_idr", number=True),
    Column(Text("sampai", "delivered"), "delivered_price_idr", number=True),
)
PRICE_COLUMNS = (
    *MATCH_COLUMNS[1:4],
    Column(Text("produsen", "producer"), "producer_price_idr", number=True),
    Column(Text("kumpul", "collection"), "collection_idr", number=True),
    Column(Text("ongkos", "freight"), "freight_idr", number=True),
    Column(Text("langka", "scarcity"), "scarcity_idr", number=True),
    Column(Text("sampai", "delivered"), "delivered_price_idr", number=True),
)
LEFT_COLUMNS = (
    Column(Text("komoditas", "commodity"), "commodity"),
    Column(Text("pihak", "side"), "side"),
    Column(Text("sisa", "left"), "quantity", number=True),
    Column(Text("alasan", "why"), "message", wraps=True),
)


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

    result = as_hub(work)
    if OUTPUT.as_json:
        print_json(result.document(explain=explain))
    else:
        result.print(explain=explain)


class Result:
    """A run with its matches and what it left, ready to be shown."""

    def __init__(self, run: RunAnswer, matches: Sequence[MatchAnswer], left: Sequence[UnmatchedAnswer]) -> None:
        """Keep what is to be shown."""
        self.run, self.matches, self.left = run, matches, left

    def document(self, *, explain: bool) -> dict[str, object]:
        """Return the result for another program."""
        document: dict[str, object] = {
            "run": self.run.model_dump(mode="json"),
            "matches": [match.model_dump(mode="json") for match in self.matches],
        }
        if explain:
            document["unmatched"] = [row.model_dump(mode="json") for row in self.left]
        return document

    def print(self, *, explain: bool) -> None:
        """Print the result: matches by commodity, then the proof; with `explain` prices step by step and reasons."""
        columns = PRICE_COLUMNS if explain else MATCH_COLUMNS
        console.print(table([_row(match) for match in self.matches], columns, by="commodity"))
        if explain and self.left:
            rows = [row.model_dump() for row in self.left]
            console.print(table(rows, LEFT_COLUMNS, title=Text("belum cocok", "not matched").read(OUTPUT.language)))
        proof = self.run.certificate
        told = Text(
            f"{self.run.matches} usulan, {self.run.unmatched} belum habis; {proof.status}, selisih Rp "
            f"{cell(proof.gap_idr)}, surplus Rp {cell(proof.surplus_idr)}; run {self.run.id}",
            f"{self.run.matches} proposals, {self.run.unmatched} not all matched; {proof.status}, gap Rp "
            f"{cell(proof.gap_idr)}, surplus Rp {cell(proof.surplus_idr)}; run {self.run.id}",
        )
        console.print(told.read(OUTPUT.language), soft_wrap=True)


def _row(match: MatchAnswer) -> dict[str, object]:
    seller = match.producer.name if match.producer else None
    buyer = match.buyer.name if match.buyer else None
    leaves = f"{match.departs_on:%d/%m} {match.lane_code or 'loco'}"
    return {**match.model_dump(), "seller": seller, "buyer": buyer, "leaves": leaves}


async def result_of(session: AsyncSession, run: ClearingRun, principal: Principal, reference: Reference) -> Result:
    """Return a run with its matches and what it left, as the hub sees them."""
    matches = queries.matches(principal, run_id=run.id).order_by(Match.commodity, Match.departs_on, Match.id)
    left = queries.unmatched(principal, run.id).order_by(Unmatched.commodity, Unmatched.side, Unmatched.id)
    (shown,) = await answers.runs(session, [run], principal)
    found = await answers.matches(session, (await session.scalars(matches)).all(), principal, reference)
    reasons = [answers.unmatched(row, principal, OUTPUT.language) for row in await session.scalars(left)]
    return Result(shown, found, reasons)


def replay(run: Annotated[str, typer.Argument(help="id of a run, or `latest`")] = "latest") -> None:
    """Solve a stored run again: the same engine gives the same bytes."""

    async def work(acting: Acting) -> Replayed:
        async with acting.database.reader() as session:
            if run != "latest":
                return await replay_run(session, run_id=UUID(run))
            return await replay_run(session, run_id=await queries.latest_run(session))

    replayed = as_hub(work)
    facts = {name: str(value) for name, value in asdict(replayed).items()} | {"same": replayed.same}
    if OUTPUT.as_json:
        print_json(facts)
    else:
        for name, value in facts.items():
            console.print(f"{name:<20} {value}", soft_wrap=True)
    if not replayed.same:
        raise typer.Exit(1)
