"""HTTP of clearing runs and matches."""

import json
import zlib
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from app.catalog.router import ReferenceData
from app.catalog.rules import LARGEST_QUANTITY, check_window, require_grade
from app.demands.rules import DEFAULT_WINDOW_DAYS, known_region
from app.demands.service import visible as visible_demand
from app.jobs import service as jobs
from app.jobs.router import accepted
from app.jobs.schemas import JobAnswer
from app.kit.auth import Caller, HubOnly, Purchaser, Seller, Trader
from app.kit.clock import local_day
from app.kit.http import CREATES, KEYED, documented, router
from app.kit.paging import Listed, Page, SortKey, day, fetch_page, instant, slice_page, sort_key
from app.kit.problems import NotFound, invalid
from app.kit.sessions import Now, Session, manages_transactions
from app.kit.text import Text, preferred_language
from app.kit.validation import Day
from app.listings.service import visible as visible_listing
from app.matching import answers, clearing, counter_offers, queries, service, windows
from app.matching.errors import (
    BelowSmallestFill,
    ClearingRunning,
    ClearingStale,
    CounterOfferExists,
    MatchNotProposed,
    NoCounterOffer,
)
from app.matching.models import ClearingPrice, ClearingRun, Match, Unmatched
from app.matching.schemas import (
    CertificateAnswer,
    CounterOfferDraft,
    CounterOfferReply,
    MatchAnswer,
    MatchStatus,
    OptionAnswer,
    OutlookAnswer,
    PriceAnswer,
    QuoteAnswer,
    Refusal,
    RunAnswer,
    RunDraft,
    RungAnswer,
    UnmatchedAnswer,
)
from app.outbox.events import actor_of

api = router("matching")

RUN_SORT = {"created_at": SortKey(ClearingRun.created_at, instant)}
MATCH_SORT = {"created_at": SortKey(Match.created_at, instant), "departs_on": SortKey(Match.departs_on, day)}
UNMATCHED_SORT = {"quantity": SortKey(Unmatched.quantity, int)}
PRICE_SORT = {"day": SortKey(ClearingPrice.day, day)}


@api.post(
    "/clearing-runs",
    status_code=201,
    responses={
        **documented(*CREATES, ClearingRunning, ClearingStale),
        202: {"model": JobAnswer, "description": "a large run became a job"},
    },
)
@manages_transactions
async def start_clearing_run(
    request: Request,
    session: Session,
    principal: HubOnly,
    draft: RunDraft,
    reference: ReferenceData,
    response: Response,
    now: Now,
) -> RunAnswer:
    """Clear pools: binding, or dry to see what would come of it."""
    hub = request.app.state.hub
    commodities = clearing.pools_to_clear(reference, draft.commodities)
    if draft.as_of is not None and not draft.dry_run:
        raise invalid("/as_of", "dry_run_only", Text("Hanya bersama dry_run.", "With dry_run only."))
    if await queries.open_orders(session, commodities) > hub.settings.clearing_job_threshold:
        as_of = draft.as_of.isoformat() if draft.as_of else None
        params = {"commodities": commodities, "dry_run": draft.dry_run, "as_of": as_of}
        async with hub.database.transaction() as own:
            job = await jobs.enqueue(own, kind="clearing_run", params=params, principal=principal, now=now)
        return accepted(job)  # type: ignore[return-value]  # 202 instead of 201
    run = await clearing.run(
        hub.database,
        commodities=commodities,
        dry_run=draft.dry_run,
        now=now,
        as_of=draft.as_of,
        timezone=reference.regions[principal.region].timezone,
        actor=actor_of(principal),
    )
    hub.metrics.clearings.labels("dry" if run.dry_run else "binding").inc()
    hub.metrics.clearing_seconds.observe(run.duration_ms / 1000)
    response.headers["location"] = f"/v1/clearing-runs/{run.id}"
    return (await answers.runs(session, [run], principal))[0]


@api.get("/clearing-runs", responses=documented(*KEYED))
async def list_clearing_runs(
    session: Session, principal: Caller, page: Page, sort: str = "-created_at"
) -> Listed[RunAnswer]:
    """List runs; dry ones are for the hub."""
    key, descending = sort_key(sort, RUN_SORT)
    found, following = await fetch_page(
        session, queries.runs(principal), page, key=key, descending=descending, tie=ClearingRun.id
    )
    return Listed(items=await answers.runs(session, found, principal), next=following)


@api.get("/clearing-runs/{run_id}", responses=documented(*KEYED, NotFound))
async def get_clearing_run(session: Session, principal: Caller, run_id: UUID) -> RunAnswer:
    """Read one run."""
    run = await queries.run(session, run_id, dry_too=principal.is_hub)
    return (await answers.runs(session, [run], principal))[0]


@api.get("/clearing-runs/{run_id}/matches", responses=documented(*KEYED, NotFound))
async def list_run_matches(
    session: Session, principal: Trader, run_id: UUID, page: Page, reference: ReferenceData, sort: str = "departs_on"
) -> Listed[MatchAnswer]:
    """List your matches of a run; the hub all."""
    await queries.run(session, run_id, dry_too=principal.is_hub)
    key, descending = sort_key(sort, MATCH_SORT)
    statement = queries.matches(principal, run_id=run_id)
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=Match.id)
    return Listed(items=await answers.matches(session, found, principal, reference), next=following)


@api.get("/clearing-runs/{run_id}/unmatched", responses=documented(*KEYED, NotFound))
async def list_unmatched(
    request: Request, session: Session, principal: Trader, run_id: UUID, page: Page, sort: str = "-quantity"
) -> Listed[UnmatchedAnswer]:
    """List what a run left of your orders, and why; the hub all."""
    await queries.run(session, run_id, dry_too=principal.is_hub)
    key, descending = sort_key(sort, UNMATCHED_SORT)
    found, following = await fetch_page(
        session, queries.unmatched(principal, run_id), page, key=key, descending=descending, tie=Unmatched.id
    )
    language = preferred_language(request.headers.get("accept-language"))
    return Listed(items=[answers.unmatched(row, principal, language) for row in found], next=following)


@api.get("/clearing-runs/{run_id}/prices", responses=documented(NotFound))
async def list_clearing_prices(session: Session, run_id: UUID, page: Page, sort: str = "day") -> Listed[PriceAnswer]:
    """List the prices of a run: one per commodity, grade, freshness step, place and day with trade."""
    await queries.run(session, run_id, dry_too=False)
    key, descending = sort_key(sort, PRICE_SORT)
    found, following = await fetch_page(
        session, queries.prices(run_id), page, key=key, descending=descending, tie=ClearingPrice.id
    )
    return Listed(items=[answers.price(row) for row in found], next=following)


@api.get("/clearing-runs/{run_id}/certificate", responses=documented(NotFound))
async def get_certificate(session: Session, run_id: UUID) -> CertificateAnswer:
    """Tell what the audit of a run proved."""
    run = await queries.run(session, run_id, dry_too=False)
    return answers.certificate(run, exact=False)


@api.get("/clearing-runs/{run_id}/book", responses=documented(*KEYED, NotFound))
async def get_book(session: Session, principal: HubOnly, run_id: UUID) -> dict[str, Any]:
    """Read the whole input of a run, as it was solved: what a replay needs."""
    await queries.run(session, run_id, dry_too=principal.is_hub)
    book: dict[str, Any] = json.loads(zlib.decompress((await queries.document(session, run_id)).input))
    return book


@api.get("/matches", responses=documented(*KEYED))
async def list_matches(
    session: Session,
    principal: Trader,
    page: Page,
    reference: ReferenceData,
    status: Annotated[list[MatchStatus] | None, Query(max_length=10)] = None,
    commodity: Annotated[list[str] | None, Query(max_length=50)] = None,
    sort: str = "-created_at",
) -> Listed[MatchAnswer]:
    """List your matches; the hub all."""
    key, descending = sort_key(sort, MATCH_SORT)
    statement = queries.matches(principal, statuses=status or (), commodities=commodity or ())
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=Match.id)
    return Listed(items=await answers.matches(session, found, principal, reference), next=following)


@api.post("/matches/{match_id}/decline", responses=documented(*CREATES, NotFound, MatchNotProposed))
async def decline_match(
    session: Session,
    principal: Trader,
    match_id: UUID,
    reference: ReferenceData,
    now: Now,
    refusal: Refusal | None = None,
) -> MatchAnswer:
    """Decline a match; its quantity returns to the pool, or is withdrawn."""
    asked = refusal or Refusal()
    found = await service.decline(
        session,
        match_id=match_id,
        principal=principal,
        side=asked.side,
        reason=asked.reason,
        withdraw=asked.withdraw,
        now=now,
    )
    return (await answers.matches(session, [found], principal, reference))[0]


@api.post(
    "/matches/{match_id}/counter-offer",
    status_code=201,
    responses=documented(*CREATES, NotFound, MatchNotProposed, CounterOfferExists, BelowSmallestFill),
)
async def make_counter_offer(
    session: Session,
    principal: Trader,
    match_id: UUID,
    draft: CounterOfferDraft,
    reference: ReferenceData,
    now: Now,
) -> MatchAnswer:
    """Propose another price, quantity or departure, once; the other side answers before the proposal lapses."""
    asked = counter_offers.Asked(draft.producer_price_idr, draft.quantity, draft.departure_id)
    found = await counter_offers.offer(
        session, match_id=match_id, principal=principal, side=draft.side, asked=asked, reference=reference, now=now
    )
    return (await answers.matches(session, [found], principal, reference))[0]


@api.post(
    "/matches/{match_id}/counter-offer/decline",
    responses=documented(*CREATES, NotFound, MatchNotProposed, NoCounterOffer),
)
async def decline_counter_offer(
    session: Session,
    principal: Trader,
    match_id: UUID,
    reference: ReferenceData,
    now: Now,
    reply: CounterOfferReply | None = None,
) -> MatchAnswer:
    """Leave the other side's terms; the match stands as it was proposed."""
    side = (reply or CounterOfferReply()).side
    found = await counter_offers.decline(session, match_id=match_id, principal=principal, side=side, now=now)
    return (await answers.matches(session, [found], principal, reference))[0]


@api.get("/demands/{demand_id}/options", responses=documented(*KEYED, NotFound))
async def list_options(
    session: Session, principal: Purchaser, demand_id: UUID, page: Page, reference: ReferenceData, now: Now
) -> Listed[OptionAnswer]:
    """Rank the supply that could serve a demand, its price built up step by step, with what forbids it."""
    demand = await visible_demand(session, demand_id=demand_id, principal=principal)
    timezone = reference.regions[demand.hub].timezone
    found, following = slice_page(await windows.options(session, demand=demand, now=now, timezone=timezone), page)
    commodity = reference.commodities[demand.commodity]
    items = [answers.option(one, commodity.grade_code(one.listing.grade), exact=principal.is_hub) for one in found]
    return Listed(items=items, next=following)


@api.get("/listings/{listing_id}/outlook", responses=documented(*KEYED, NotFound))
async def list_outlook(
    session: Session, principal: Seller, listing_id: UUID, page: Page, reference: ReferenceData, now: Now
) -> Listed[OutlookAnswer]:
    """Rank the needs that a listing could serve, best paid at the gate first, with what forbids it."""
    listing = await visible_listing(session, listing_id=listing_id, principal=principal)
    timezone = reference.regions[listing.hub].timezone
    found = await windows.outlook(session, listing=listing, now=now, timezone=timezone)
    commodity = reference.commodities[listing.commodity]
    told = [answers.outlook(one, commodity.grade_code(one.demand.min_grade), exact=principal.is_hub) for one in found]
    items, following = slice_page(sorted(told, key=lambda item: not item.fits), page)
    return Listed(items=list(items), next=following)


@api.get("/quotes", responses=documented(*KEYED))
async def get_quote(
    session: Session,
    principal: Purchaser,
    reference: ReferenceData,
    now: Now,
    commodity: str,
    min_grade: str,
    region: Annotated[str | None, Query(description="default: yours")] = None,
    quantity: Annotated[int, Query(ge=1, le=LARGEST_QUANTITY, description="base units")] = 1000,
    deliver_by: Annotated[Day | None, Query(description="default: 14 days from today")] = None,
    min_remaining_shelf_life_days: Annotated[int, Query(ge=0, le=3650)] = 0,
) -> QuoteAnswer:
    """Tell at which landed prices a quantity could be had now; no listing is named, a clearing decides."""
    facts = reference.commodity(commodity)
    require_grade(facts, min_grade, "/min_grade")
    place = known_region(reference, region or principal.region)
    today = local_day(now, place.timezone)
    last = deliver_by or today + timedelta(days=DEFAULT_WINDOW_DAYS)
    check_window(today, last, today, first_field="deliver_from", last_field="deliver_by")
    question = windows.question_of(
        commodity=facts,
        min_grade=min_grade,
        region=place.trades_as,
        quantity=quantity,
        now=now,
        days=(today.toordinal() + 1, last.toordinal()),
        min_life_days=min_remaining_shelf_life_days,
    )
    hub = reference.regions[principal.hub]
    rungs = await windows.ladder(session, question=question, commodity=commodity, now=now, timezone=hub.timezone)
    return QuoteAnswer(
        commodity=commodity,
        min_grade=min_grade,
        region=place.code,
        unit=facts.base_unit,
        quantity=quantity,
        available_quantity=rungs[-1].cumulative_quantity if rungs else 0,
        items=[RungAnswer.model_validate(rung) for rung in rungs],
    )
