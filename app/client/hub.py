"""The hub as an object: one method for each use, named as in the contract."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack
from urllib.parse import urlencode
from uuid import UUID

import httpx
from pydantic import TypeAdapter
from tenacity import RetryCallState, Retrying, nap, retry_if_result, wait_exponential

from app.catalog.schemas import CommodityAnswer, PriceReferenceAnswer
from app.client.errors import HubProblem
from app.client.fields import DemandChanges, DemandFields, ListingChanges, ListingFields
from app.client.rows import Rows
from app.client.sending import Sender
from app.demands.schemas import DemandAnswer
from app.imports.schemas import ImportAnswer, Kind
from app.jobs.schemas import JobAnswer
from app.lanes.schemas import DepartureAnswer, LaneAnswer
from app.listings.schemas import ListingAnswer
from app.matching.schemas import (
    MatchAnswer,
    MatchesAnswer,
    OptionAnswer,
    OutlookAnswer,
    PriceAnswer,
    QuoteAnswer,
    RunAnswer,
    UnmatchedAnswer,
)
from app.parties.schemas import Me
from app.regions.schemas import RegionAnswer

Shape = TypeVar("Shape")
#: a filter of a list; several values mean any of them
Filter = str | int | date | UUID | Iterable[str | UUID] | None
Side = Literal["listing", "demand"]
Progress = Callable[[JobAnswer], None]


class Hub:
    """A hub at an address, asked with a key. Safe to share between threads; use it as a context manager, or close it.

    Every method may raise HubProblem, where the hub refuses, and HubUnreachable, where no answer comes.
    """

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        language: Literal["id", "en"] = "id",
        timeout: float = 30,
        attempts: int = 5,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = nap.sleep,
    ) -> None:
        """Prepare to ask; nothing connects yet. `timeout` is seconds a try, `language` that of sentences."""
        headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout, transport=transport)
        self._sender = Sender(self._http, attempts=attempts, sleep=sleep)
        self._sleep = sleep

    def __enter__(self) -> Self:
        """Return the hub itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # -- anything in the contract --------------------------------------------------------------------------------------

    def request(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """Ask for anything, such as `request("GET", "/v1/agreements")`; `parts` are params, json, files, headers."""
        return self._sender.send(method, path, **parts)

    def rows(self, path: str, shape: type[Shape] = dict, **filters: Filter) -> Rows[Shape]:  # type: ignore[assignment]  # rows without a shape are dicts
        """Return a list of the contract, such as `rows("/v1/agreements", region="32.76")`."""
        pairs = _pairs(filters)
        return Rows(self._fetch, f"{path}?{urlencode(pairs)}" if pairs else path, shape)

    def _fetch(self, address: str) -> Mapping[str, Any]:
        page: Mapping[str, Any] = self.request("GET", address).json()
        return page

    def _ask(self, shape: type[Shape], method: str, path: str, **parts: Any) -> Shape:
        return TypeAdapter(shape).validate_json(self.request(method, path, **parts).content)

    # -- reference -----------------------------------------------------------------------------------------------------

    def get_me(self) -> Me:
        """Tell whose key this is."""
        return self._ask(Me, "GET", "/v1/me")

    def list_regions(self, **filters: Filter) -> Rows[RegionAnswer]:
        """List regions, by role or hub."""
        return self.rows("/v1/regions", RegionAnswer, **filters)

    def list_commodities(self, **filters: Filter) -> Rows[CommodityAnswer]:
        """List what is traded, with grades and units, by category."""
        return self.rows("/v1/commodities", CommodityAnswer, **filters)

    def list_price_references(self, **filters: Filter) -> Rows[PriceReferenceAnswer]:
        """List ceilings, floors, references and observed prices, by commodity, region, kind or day (`on`)."""
        return self.rows("/v1/price-references", PriceReferenceAnswer, **filters)

    def list_lanes(self, **filters: Filter) -> Rows[LaneAnswer]:
        """List lanes, by origin, destination or status."""
        return self.rows("/v1/lanes", LaneAnswer, **filters)

    def list_departures(self, lane_id: UUID | str, **filters: Filter) -> Rows[DepartureAnswer]:
        """List the departures of a lane, in the days `from_` and `until`."""
        return self.rows(f"/v1/lanes/{lane_id}/departures", DepartureAnswer, **filters)

    # -- listings ------------------------------------------------------------------------------------------------------

    def publish_listing(self, **fields: Unpack[ListingFields]) -> ListingAnswer:
        """Post stock."""
        return self._ask(ListingAnswer, "POST", "/v1/listings", json=fields)

    def publish_listings(self, items: Iterable[ListingFields], *, atomic: bool = False) -> list[dict[str, Any]]:
        """Post up to 1,000 listings; returns one result per item, or with `atomic` raises when one is wrong."""
        return self._publish_many("/v1/listings/batch", items, atomic=atomic)

    def list_listings(self, **filters: Filter) -> Rows[ListingAnswer]:
        """List your stock; the hub all at its hub."""
        return self.rows("/v1/listings", ListingAnswer, **filters)

    def get_listing(self, listing_id: UUID | str) -> ListingAnswer:
        """Read one listing."""
        return self._ask(ListingAnswer, "GET", f"/v1/listings/{listing_id}")

    def change_listing(self, listing: ListingAnswer, **changes: Unpack[ListingChanges]) -> ListingAnswer:
        """Change the open part of a listing that you read; refused when it changed since."""
        return self._ask(ListingAnswer, "PATCH", f"/v1/listings/{listing.id}", json=changes, headers=_if_match(listing))

    def withdraw_listing(self, listing_id: UUID | str) -> ListingAnswer:
        """Withdraw what is open; what is matched stays."""
        return self._ask(ListingAnswer, "POST", f"/v1/listings/{listing_id}/withdraw")

    def renew_listing(self, listing_id: UUID | str, **changes: Any) -> ListingAnswer:
        """Let the price hold on, changed (`price_idr`, `price_valid_until`) or not."""
        return self._ask(ListingAnswer, "POST", f"/v1/listings/{listing_id}/renew", json=changes)

    def list_outlook(self, listing_id: UUID | str) -> Rows[OutlookAnswer]:
        """Rank the needs that a listing could serve, best paid at the gate first."""
        return self.rows(f"/v1/listings/{listing_id}/outlook", OutlookAnswer)

    # -- demands -------------------------------------------------------------------------------------------------------

    def publish_demand(self, **fields: Unpack[DemandFields]) -> DemandAnswer:
        """Post a need."""
        return self._ask(DemandAnswer, "POST", "/v1/demands", json=fields)

    def publish_demands(self, items: Iterable[DemandFields], *, atomic: bool = False) -> list[dict[str, Any]]:
        """Post up to 1,000 demands; returns one result per item, or with `atomic` raises when one is wrong."""
        return self._publish_many("/v1/demands/batch", items, atomic=atomic)

    def list_demands(self, **filters: Filter) -> Rows[DemandAnswer]:
        """List your needs; the hub all at its hub."""
        return self.rows("/v1/demands", DemandAnswer, **filters)

    def get_demand(self, demand_id: UUID | str) -> DemandAnswer:
        """Read one demand."""
        return self._ask(DemandAnswer, "GET", f"/v1/demands/{demand_id}")

    def change_demand(self, demand: DemandAnswer, **changes: Unpack[DemandChanges]) -> DemandAnswer:
        """Change the open part of a demand that you read; refused when it changed since."""
        return self._ask(DemandAnswer, "PATCH", f"/v1/demands/{demand.id}", json=changes, headers=_if_match(demand))

    def withdraw_demand(self, demand_id: UUID | str) -> DemandAnswer:
        """Withdraw what is open; what is matched stays."""
        return self._ask(DemandAnswer, "POST", f"/v1/demands/{demand_id}/withdraw")

    def renew_demand(self, demand_id: UUID | str, **changes: Any) -> DemandAnswer:
        """Let the price hold on, changed (`max_price_idr`, `price_valid_until`) or not."""
        return self._ask(DemandAnswer, "POST", f"/v1/demands/{demand_id}/renew", json=changes)

    def list_options(self, demand_id: UUID | str) -> Rows[OptionAnswer]:
        """Rank the supply that could serve a demand, cheapest first, its price built up step by step."""
        return self.rows(f"/v1/demands/{demand_id}/options", OptionAnswer)

    def get_quote(self, *, commodity: str, min_grade: str, **more: Filter) -> QuoteAnswer:
        """Tell at which landed prices a quantity could be had now."""
        params = {"commodity": commodity, "min_grade": min_grade, **more}
        return self._ask(QuoteAnswer, "GET", "/v1/quotes", params=params)

    # -- clearing and matches ------------------------------------------------------------------------------------------

    def start_clearing_run(self, commodities: Iterable[str] | None = None, *, dry_run: bool = False) -> RunAnswer:
        """Clear pools as the hub, all without `commodities`; a large run is waited for."""
        body = {"commodities": None if commodities is None else list(commodities), "dry_run": dry_run}
        answer = self.request("POST", "/v1/clearing-runs", json=body)
        if answer.status_code == httpx.codes.ACCEPTED:
            job = self.wait_for_job(JobAnswer.model_validate_json(answer.content))
            return self.get_clearing_run(job.id)
        return RunAnswer.model_validate_json(answer.content)

    def list_clearing_runs(self, **filters: Filter) -> Rows[RunAnswer]:
        """List runs, newest first."""
        return self.rows("/v1/clearing-runs", RunAnswer, **filters)

    def get_clearing_run(self, run_id: UUID | str) -> RunAnswer:
        """Read one run."""
        return self._ask(RunAnswer, "GET", f"/v1/clearing-runs/{run_id}")

    def list_run_matches(self, run_id: UUID | str) -> Rows[MatchAnswer]:
        """List your matches of a run; the hub all."""
        return self.rows(f"/v1/clearing-runs/{run_id}/matches", MatchAnswer)

    def list_unmatched(self, run_id: UUID | str) -> Rows[UnmatchedAnswer]:
        """List what a run left of your orders, and why; the hub all."""
        return self.rows(f"/v1/clearing-runs/{run_id}/unmatched", UnmatchedAnswer)

    def list_clearing_prices(self, run_id: UUID | str) -> Rows[PriceAnswer]:
        """List the prices of a run."""
        return self.rows(f"/v1/clearing-runs/{run_id}/prices", PriceAnswer)

    def list_matches(self, **filters: Filter) -> Rows[MatchAnswer]:
        """List your matches, by status or commodity; the hub all."""
        return self.rows("/v1/matches", MatchAnswer, **filters)

    def confirm_match(
        self, match_id: UUID | str, *, quantity: int | None = None, side: Side | None = None
    ) -> MatchAnswer:
        """Confirm a match, or a part of it in base units; the hub names the side that it acts for."""
        body = {"quantity": quantity, "side": side}
        return self._ask(MatchAnswer, "POST", f"/v1/matches/{match_id}/confirm", json=body)

    def confirm_matches(self, ids: Iterable[UUID | str], *, side: Side | None = None) -> list[MatchAnswer]:
        """Confirm many matches: all or none."""
        body = {"ids": [str(match_id) for match_id in ids], "side": side}
        return self._ask(MatchesAnswer, "POST", "/v1/matches/confirm", json=body).items

    def decline_match(
        self, match_id: UUID | str, *, reason: str | None = None, withdraw: bool = False, side: Side | None = None
    ) -> MatchAnswer:
        """Decline a match; its quantity returns to the pool, or with `withdraw` leaves it."""
        body = {"reason": reason, "withdraw": withdraw, "side": side}
        return self._ask(MatchAnswer, "POST", f"/v1/matches/{match_id}/decline", json=body)

    # -- dashboards and jobs -------------------------------------------------------------------------------------------

    def dashboard(self, name: str, **filters: Filter) -> Rows[dict[str, Any]]:
        """Return the tidy rows of a dashboard, such as `dashboard("flows", commodity="beras", granularity="week")`."""
        return self.rows(f"/v1/dashboard/{name}", dict[str, Any], **filters)

    def get_job(self, job_id: UUID | str) -> JobAnswer:
        """Tell how a job is doing."""
        return self._ask(JobAnswer, "GET", f"/v1/jobs/{job_id}")

    def wait_for_job(self, job: JobAnswer, on_progress: Progress | None = None) -> JobAnswer:
        """Return a job once it is done; `on_progress` hears how far it is. Raises HubProblem when it failed."""

        def tell(state: RetryCallState) -> None:
            if on_progress is not None and state.outcome is not None:
                on_progress(state.outcome.result())

        look = Retrying(
            retry=retry_if_result(lambda seen: seen.status in ("queued", "running")),
            wait=wait_exponential(multiplier=0.1, max=2),
            before_sleep=tell,
            sleep=self._sleep,
        )
        ended: JobAnswer = look(self.get_job, job.id)
        if on_progress is not None:
            on_progress(ended)
        if ended.problem is not None and ended.status == "failed":
            raise HubProblem(ended.problem["status"], ended.problem)
        return ended

    # -- spreadsheets --------------------------------------------------------------------------------------------------

    def import_file(
        self,
        kind: Kind,
        content: bytes,
        *,
        filename: str = "stok.xlsx",
        dry_run: bool = False,
        organization: UUID | str | None = None,
        on_progress: Progress | None = None,
    ) -> ImportAnswer:
        """Post the rows of a spreadsheet (.xlsx or .csv) and return what came of them, refused ones by their cell.

        `organization` is whom the hub acts for in rows that name nobody. Raises HubProblem for a file that is no table.
        """
        form = {"kind": kind, "dry_run": dry_run} | ({"organization": str(organization)} if organization else {})
        answer = self.request("POST", "/v1/imports", data=form, files={"file": (filename, content)})
        job = self.wait_for_job(JobAnswer.model_validate_json(answer.content), on_progress)
        return self._ask(ImportAnswer, "GET", f"/v1/imports/{job.id}")

    def export(self, name: str, **filters: Filter) -> bytes:
        """Return a list as a file with all its rows, such as `export("orders", format="xlsx", status="delivered")`."""
        return self.request("GET", f"/v1/{name}", params=_pairs(filters)).content

    def _publish_many(self, path: str, items: Iterable[Any], *, atomic: bool) -> list[dict[str, Any]]:
        params = {"atomic": "true"} if atomic else None
        results: list[dict[str, Any]] = self.request("POST", path, json={"items": list(items)}, params=params).json()[
            "items"
        ]
        return results


def _if_match(row: ListingAnswer | DemandAnswer) -> dict[str, str]:
    return {"If-Match": f'"{row.version}"'}


def _pairs(filters: Mapping[str, Filter]) -> list[tuple[str, Any]]:
    return [(name.rstrip("_"), item) for name, value in filters.items() for item in _several(value)]


def _several(value: Filter) -> Iterable[Any]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str | int | date | UUID) else value
