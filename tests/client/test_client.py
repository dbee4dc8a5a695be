"""The client against a running hub: what it reads, what it posts, how it asks again."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import polars as pl
import pyarrow as pa
import pytest

from app.client import Hub, HubProblem, HubUnreachable, fields, sending
from app.client.fields import ListingFields
from tests.client.conftest import Live
from tests.test_openapi import document

EGGS: ListingFields = {
    "commodity": "telur-ayam-ras",
    "grade": "I",
    "quantity": 20,
    "unit": "peti-15",
    "price_idr": 405000,
}


def test_a_list_pages_by_itself(live: Live, desk: Hub) -> None:
    asked: list[str] = []

    class Listening(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            return super().handle_request(request)

    with live.client(live.keys.hub, transport=Listening()) as client:
        rows = client.list_listings(limit=3)
        assert asked == []
        found = [row.id for row in rows]
    assert len(found) == len(set(found)) == live.count("listings")
    assert len(asked) == -(-len(found) // 3)
    assert desk.list_listings().first() is not None
    assert desk.list_listings(commodity=["emas"]).first() is None


def test_filters_are_those_of_the_contract(desk: Hub) -> None:
    both = list(desk.list_demands(commodity=["beras", "telur-ayam-ras"], status="open"))
    assert {row.commodity for row in both} == {"beras", "telur-ayam-ras"}
    lane = desk.list_lanes().first()
    assert lane is not None
    days = [row.departs_on for row in desk.list_departures(lane.id, from_=date(2026, 12, 1), until="2026-12-03")]
    assert days
    assert all(date(2026, 12, 1) <= day <= date(2026, 12, 3) for day in days)
    with pytest.raises(HubProblem) as refused:
        list(desk.list_demands(colour="red"))
    assert (refused.value.status, refused.value.code) == (400, "bad_request")


def test_a_listing_from_post_to_withdrawal(seller: Hub) -> None:
    listing = seller.publish_listing(**EGGS, available_until=date(2026, 12, 1))
    assert (listing.quantity, listing.price_idr) == (300, 27000)
    changed = seller.change_listing(listing, price_idr=420000)
    assert changed.price_idr == 28000
    with pytest.raises(HubProblem, match="412 stale_version"):
        seller.change_listing(listing, price_idr=1)
    assert seller.renew_listing(listing.id).price_valid_until == date(2026, 12, 1)
    assert list(seller.list_outlook(listing.id))
    assert seller.withdraw_listing(listing.id).status == "withdrawn"
    assert seller.get_listing(listing.id).withdrawn_quantity == 300


def test_a_demand_and_its_options(live: Live) -> None:
    with live.client(next(iter(live.keys.buyers.values()))) as buyer:
        demand = buyer.publish_demand(
            commodity="telur-ayam-ras", min_grade="II", quantity="1.5", unit="ton", max_price_idr=31000
        )
        assert demand.quantity == 1500
        assert buyer.change_demand(demand, max_price_idr=31500).max_price_idr == 31500
        assert buyer.renew_demand(demand.id).status == "open"
        assert buyer.list_options(demand.id).first() is not None
        assert buyer.get_quote(commodity="telur-ayam-ras", min_grade="III", quantity=500).quantity == 500
        assert buyer.withdraw_demand(demand.id).status == "withdrawn"
        assert buyer.get_demand(demand.id).open_quantity == 0


def test_the_desk_clears_and_answers_matches(desk: Hub) -> None:
    dry = desk.start_clearing_run(["beras"], dry_run=True)
    assert dry.dry_run
    assert desk.get_clearing_run(dry.id) == dry
    assert list(desk.list_run_matches(dry.id)) is not None
    assert list(desk.list_unmatched(dry.id))
    proposed = list(desk.list_matches(status="proposed"))
    assert desk.confirm_match(proposed[0].id, side="listing").confirmed_by == ["listing"]
    assert len(desk.confirm_matches([proposed[1].id], side="demand")) == 1
    assert desk.decline_match(proposed[2].id, reason="mahal", side="listing").status == "declined"
    binding = [run for run in desk.list_clearing_runs() if not run.dry_run]
    assert list(desk.list_clearing_prices(binding[0].id))


def test_reference_data_needs_no_key(live: Live, seller: Hub) -> None:
    with live.client() as anybody:
        assert {row.code for row in anybody.list_commodities()} > {"beras", "telur-ayam-ras"}
        assert anybody.list_regions(role="producer").first() is not None
        assert anybody.list_price_references(commodity="beras", on="2026-11-24").first() is not None
        assert anybody.rows("/v1/agreements", region="32.76").first()["region"] == "32.76"  # type: ignore[index]
        with pytest.raises(HubProblem) as refused:
            anybody.get_me()
    assert (refused.value.status, refused.value.code) == (401, "unauthenticated")
    assert seller.get_me().organization.role == "producer"


def test_a_problem_names_the_fields_in_the_language_asked_for(live: Live) -> None:
    key = next(iter(live.keys.producers.values()))
    told = []
    for language in ("id", "en"):
        with live.client(key, language=language) as client, pytest.raises(HubProblem) as refused:
            client.publish_listing(**{**EGGS, "quantity": 0, "grade": "x" * 99})
        assert refused.value.code == "invalid"
        assert [error.pointer for error in refused.value.errors] == ["/quantity", "/grade"]
        assert refused.value.request_id
        told.append(str(refused.value))
    assert told[0] != told[1]
    assert "/quantity" in told[0]


def test_a_batch_tells_each_item(seller: Hub) -> None:
    good: ListingFields = {**EGGS, "external_ref": "klien-1"}
    results = seller.publish_listings([good, {**EGGS, "quantity": 0}])
    assert [result["status"] for result in results] == [201, 422]
    with pytest.raises(HubProblem) as refused:
        seller.publish_listings([{**EGGS, "quantity": 0}], atomic=True)
    assert refused.value.errors[0].pointer == "/items/0/quantity"


class Faulty(httpx.HTTPTransport):
    """A real connection on which some tries come to nothing: `faults` says how, one for each try."""

    def __init__(self, faults: Iterator[str]) -> None:
        super().__init__()
        self.faults, self.sent = faults, list[httpx.Request]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        fault = next(self.faults, "")
        if fault == "never sent":
            raise httpx.ConnectError("the cable is out")
        if fault == "lost request":
            raise httpx.WriteError("the cable is out")
        if fault.isdecimal():
            return httpx.Response(int(fault), headers={"Retry-After": "7"})
        if fault == "running":
            problem = {"code": "idempotency_key_in_use", "detail": "…", "errors": []}
            return httpx.Response(409, json=problem, headers={"content-type": "application/problem+json"})
        answer = super().handle_request(request)
        if fault == "lost answer":
            answer.read()
            raise httpx.ReadError("the cable is out")
        return answer


def faulty(live: Live, *faults: str, **options: Any) -> tuple[Hub, Faulty, list[float]]:
    transport, slept = Faulty(iter(faults)), list[float]()
    key = next(iter(live.keys.producers.values()))
    return live.client(key, transport=transport, sleep=slept.append, **options), transport, slept


@pytest.mark.parametrize(
    "faults", [("lost answer",) * 4, ("never sent", "lost request", "503", "lost answer"), ("502", "504", "running")]
)
def test_a_post_whose_answers_are_lost_counts_once(live: Live, faults: tuple[str, ...]) -> None:
    client, transport, slept = faulty(live, *faults)
    before = live.count("listings")
    listing = client.publish_listing(**EGGS)
    assert live.count("listings") == before + 1
    assert client.get_listing(listing.id) == listing
    assert len({request.headers["idempotency-key"] for request in transport.sent if request.method == "POST"}) == 1
    assert len(slept) == len(faults)


def test_without_the_key_it_would_count_twice(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a new key for each try is no protection."""
    client, transport, _ = faulty(live, "lost answer", "lost answer")
    real = transport.handle_request

    def keyless(request: httpx.Request) -> httpx.Response:
        request.headers.pop("idempotency-key", None)
        return real(request)

    monkeypatch.setattr(transport, "handle_request", keyless)
    before = live.count("listings")
    client.publish_listing(**EGGS)
    assert live.count("listings") == before + 3


def test_a_change_whose_answer_is_lost_is_not_sent_again(live: Live) -> None:
    client, transport, _ = faulty(live, "", "503", "lost answer")
    listing = client.publish_listing(**EGGS)
    with pytest.raises(HubUnreachable, match="cable"):
        client.change_listing(listing, price_idr=420000)
    assert [request.method for request in transport.sent] == ["POST", "PATCH", "PATCH"]
    assert client.get_listing(listing.id).price_idr == 28000


def test_a_server_that_asks_for_time_gets_it(live: Live) -> None:
    client, _, slept = faulty(live, "429", "503")
    client.get_me()
    assert slept == [7, 7]


def test_pauses_grow_and_are_not_all_alike(live: Live) -> None:
    client, transport, slept = faulty(live, *["never sent"] * 9, attempts=10)
    client.get_me()
    assert len(slept) == 9
    assert len(set(slept)) > 5
    assert max(slept) <= 10
    assert len(transport.sent) == 10


def test_after_the_last_try_the_last_word_is_told(live: Live) -> None:
    client, transport, _ = faulty(live, *["never sent"] * 9, attempts=3)
    with pytest.raises(HubUnreachable, match="cable"):
        client.get_me()
    assert len(transport.sent) == 3
    client, _, _ = faulty(live, *["503"] * 9, attempts=3)
    with pytest.raises(HubProblem) as refused:
        client.get_me()
    assert (refused.value.status, refused.value.code) == (503, "http_503")


def test_a_refusal_is_not_asked_again(live: Live) -> None:
    client, transport, _ = faulty(live)
    with pytest.raises(HubProblem):
        client.publish_listing(**{**EGGS, "quantity": 0})
    assert len(transport.sent) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("", None),
        ("soon", None),
        ("-1", None),
    ],
)
def test_retry_after_is_a_number(header: str, seconds: float | None) -> None:
    assert sending._retry_after(httpx.Response(503, headers={"Retry-After": header})) == seconds


@pytest.mark.parametrize(("ahead", "seconds"), [(100, 100), (-100, 0)])
def test_retry_after_is_an_instant(ahead: int, seconds: int) -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    read = sending._retry_after(httpx.Response(503, headers={"Retry-After": header}))
    assert read == pytest.approx(seconds, abs=90)


def test_a_server_that_asks_for_hours_is_not_waited_for() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(429, headers={"Retry-After": "3600"}))
    with Hub(transport=transport, sleep=lambda _: pytest.fail("waited")) as client, pytest.raises(HubProblem):
        client.get_me()


def test_a_list_becomes_a_data_frame(desk: Hub) -> None:
    frame = desk.list_listings(commodity="telur-ayam-ras").to_polars()
    assert frame.height == len(list(desk.list_listings(commodity="telur-ayam-ras")))
    assert frame.schema["quantity"] == pl.Int64
    assert frame.schema["available_until"] == pl.Date
    assert frame.schema["price_valid_until"] == pl.Date
    assert frame.schema["created_at"] == pl.Datetime("us", "UTC")
    assert frame.schema["status"] == frame.schema["id"] == pl.String
    assert frame["entered"].struct.field("unit").len() == frame.height
    table = desk.list_listings(commodity="telur-ayam-ras").to_arrow()
    assert table.num_rows == frame.height
    assert table.schema.field("available_until").type == pa.date32()
    assert table.column("quantity").to_pylist() == frame["quantity"].to_list()
    flows = desk.dashboard("flows", commodity="telur-ayam-ras").to_polars()
    assert flows["quantity_kg"].sum() > 0


def test_an_empty_list_keeps_its_columns(desk: Hub) -> None:
    assert desk.list_matches(commodity="emas").to_polars().schema["departs_on"] == pl.Date
    assert desk.list_matches(commodity="emas").to_arrow().schema.field("quantity").type == pa.int64()


def test_without_the_library_it_says_what_to_install(desk: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(ImportError, match="pip install polars"):
        desk.list_lanes().to_polars()


CONTRACT = document()
OPERATIONS = {
    operation["operationId"]: (path, operation)
    for path, methods in CONTRACT["paths"].items()
    for operation in methods.values()
}
#: methods that are no operation of the contract
OWN = {"close", "dashboard", "export", "import_file", "request", "rows", "wait_for_job"}


def test_methods_are_named_as_in_the_contract() -> None:
    methods = {name for name, value in vars(Hub).items() if not name.startswith("_") and callable(value)}
    assert methods - OWN <= set(OPERATIONS)


@pytest.mark.parametrize(
    ("shape", "fields_"),
    [
        ("ListingDraft", fields.ListingFields),
        ("DemandDraft", fields.DemandFields),
        ("ListingPatch", fields.ListingChanges),
        ("DemandPatch", fields.DemandChanges),
    ],
)
def test_fields_are_those_of_the_contract(shape: str, fields_: Any) -> None:
    described = CONTRACT["components"]["schemas"][shape]
    assert set(fields_.__annotations__) == set(described["properties"])
    assert fields_.__required_keys__ == set(described.get("required", ()))
