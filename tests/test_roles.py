"""Who may do what: every operation of the contract x every kind of caller."""

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.test_openapi import document

PUBLIC = frozenset({"anonymous", "producer", "buyer", "observer", "hub"})
KEYED = PUBLIC - {"anonymous"}
HUB, SELLERS, BUYERS, TRADERS = {"hub"}, {"hub", "producer"}, {"hub", "buyer"}, {"hub", "producer", "buyer"}

#: operation -> who may; an operation that is missing here fails
MAY = {
    **dict.fromkeys(
        "list_regions get_region list_agreements list_commodities get_commodity list_price_references list_lanes "
        "list_departures list_clearing_prices get_certificate get_summary get_balance get_prices get_prices_history "
        "create_session get_flows get_freshness get_lanes get_data_quality get_service_level get_benefit get_health "
        "get_readiness".split(),
        PUBLIC,
    ),
    **dict.fromkeys(
        "change_region sign_agreement change_agreement open_lane change_lane close_lane add_departure change_departure "
        "list_organizations register_organization get_organization change_organization start_clearing_run get_book "
        "record_deal load_shipment dispatch_shipment arrive_shipment resolve_dispute "
        "create_sign_in_link get_metrics post_payment post_bank_statement list_bank_statements "
        "list_unmatched_bookings".split(),
        HUB,
    ),
    **dict.fromkeys("record_receipt acknowledge_receipt".split(), BUYERS),
    "post_price_reference": {"hub", "observer"},
    "change_price_reference": {"hub", "observer"},
    **dict.fromkeys(
        "publish_listing publish_listings list_listings get_listing change_listing withdraw_listing renew_listing "
        "list_outlook".split(),
        SELLERS,
    ),
    **dict.fromkeys(
        "publish_demand publish_demands list_demands get_demand change_demand withdraw_demand renew_demand "
        "list_options get_quote".split(),
        BUYERS,
    ),
    **dict.fromkeys(
        "list_matches list_run_matches list_unmatched confirm_match confirm_matches decline_match "
        "make_counter_offer accept_counter_offer decline_counter_offer "
        "list_orders get_order cancel_order list_shipments get_shipment get_papers list_receipts open_dispute "
        "get_settlement list_statements list_payments start_import get_import get_import_workbook "
        "get_import_template".split(),
        TRADERS,
    ),
    **dict.fromkeys(
        "close_session get_me list_api_keys create_api_key rotate_api_key revoke_api_key list_clearing_runs "
        "get_clearing_run get_job stream_job list_events stream_events list_webhook_endpoints create_webhook_endpoint "
        "get_webhook_endpoint change_webhook_endpoint delete_webhook_endpoint rotate_webhook_secret list_deliveries "
        "redeliver_events".split(),
        KEYED,
    ),
}
#: bodies that pass the shape, so that what answers is the role and the row
BODIES: dict[str, dict[str, Any]] = {
    "publish_listing": {"commodity": "beras", "grade": "medium", "quantity": 1, "unit": "ton", "price_idr": 12000},
    "publish_demand": {
        "commodity": "beras",
        "min_grade": "medium",
        "quantity": 1,
        "unit": "ton",
        "max_price_idr": 12000,
    },
    "publish_listings": {"items": [{}]},
    "publish_demands": {"items": [{}]},
    "sign_agreement": {"region": "35.71", "instrument": "PKS", "signed_on": "2026-11-01"},
    "open_lane": {
        "code": "LN-99",
        "destination": "35.71",
        "mode": "truck",
        "freight_idr_per_kg": 100,
        "lead_time_days": 1,
        "departure_weekdays": [1],
        "capacity_kg": 1000,
    },
    "close_lane": {"from": "2026-12-24", "until": "2026-12-26", "reason": "libur"},
    "add_departure": {"departs_on": "2026-12-01"},
    "register_organization": {"name": "Baru", "role": "producer", "kind": "koperasi", "region": "35.05"},
    "post_price_reference": {"commodity": "beras", "min_idr": 13000, "source": "survei"},
    "confirm_matches": {"ids": [str(uuid4())]},
    "start_clearing_run": {"dry_run": True},
    "redeliver_events": {"after": 0},
    "cancel_order": {"reason": "batal"},
    "record_deal": {"lines": [{"quantity": 1, "producer_price_idr": 1}]},
    "load_shipment": {"lines": [{"order_line_id": str(uuid4()), "quantity": 1}]},
    "dispatch_shipment": {"weights": [{"order_line_id": str(uuid4()), "net_weight_g": 1}]},
    "record_receipt": {"order_id": str(uuid4()), "net_weight_g": 1},
    "open_dispute": {"note": "kurang"},
    "resolve_dispute": {"outcome": "upheld"},
    "post_payment": {"amount_idr": 1},
}
#: forms that pass the shape
FILES = {"start_import": {"file": ("stok.csv", b"Komoditas,Jumlah")}}
FORMS = {"start_import": {"kind": "listings"}}
QUERIES = {"get_quote": "?commodity=beras&min_grade=medium"}
OPERATIONS = [
    pytest.param(method, path, operation["operationId"], id=operation["operationId"])
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
]


def address(path: str, operation: str) -> str:
    steps = [
        "35.05" if "{code}" in step and "regions" in path else "beras" if "{code}" in step else step
        for step in path.replace("{kind}", "listings").split("/")
    ]
    filled = [str(uuid4()) if step.startswith("{") else step for step in steps]
    return "/".join(filled) + QUERIES.get(operation, "")


def sent(method: str, operation: str, **more: str) -> dict[str, Any]:
    """Return what an operation is sent."""
    if operation in FORMS:
        return {"data": FORMS[operation], "files": FILES[operation]}
    return {"json": BODIES.get(operation, {}) | more} if method in ("post", "patch") else {}


async def ask(api: Any, method: str, url: str, operation: str, key: str | None) -> Any:
    headers = {"If-Match": '"1"'} | (api.as_(key) if key else {})
    return await api.request(method, url, headers=headers, **sent(method, operation))


def keys_of(api: Any) -> dict[str, str]:
    keys = api.keys
    return {
        "producer": next(iter(keys.producers.values())),
        "buyer": next(iter(keys.buyers.values())),
        "observer": keys.observer,
        "hub": keys.hub,
    }


def test_every_operation_is_in_the_matrix() -> None:
    assert {operation.id for operation in OPERATIONS} == set(MAY)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
async def test_each_role_may_do_just_what_is_its_own(scenario: Any, method: str, path: str, operation: str) -> None:
    anonymous = await ask(scenario, method, address(path, operation), operation, None)
    assert (anonymous.status_code == 401) == ("anonymous" not in MAY[operation]), anonymous.text
    for role, key in keys_of(scenario).items():
        answer = await ask(scenario, method, address(path, operation), operation, key)
        code = answer.json().get("code") if answer.status_code == 403 else None
        assert (code == "forbidden") == (role not in MAY[operation]), (role, answer.status_code, answer.text)
        assert answer.status_code < 500


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
async def test_keys_that_no_longer_hold_open_nothing(scenario: Any, method: str, path: str, operation: str) -> None:
    if "anonymous" in MAY[operation]:
        return
    role = "producer" if "producer" in MAY[operation] else "buyer" if "buyer" in MAY[operation] else "observer"
    key, hub = keys_of(scenario)[role], scenario.as_(scenario.keys.hub)
    me = (await scenario.get("/v1/me", headers=scenario.as_(key))).json()
    organization = f"/v1/organizations/{me['organization']['id']}"
    suspend = {"status": "suspended"}
    changed = await scenario.patch(organization, json=suspend, headers={**hub, "If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    suspended = await ask(scenario, method, address(path, operation), operation, key)
    assert (suspended.status_code, suspended.json()["code"]) == (403, "suspended")
    assert (await scenario.delete(f"{organization}/api-keys/{me['key_id']}", headers=hub)).status_code == 204
    assert (await ask(scenario, method, address(path, operation), operation, key)).status_code == 401
    assert (await ask(scenario, method, address(path, operation), operation, key[:-1] + "x")).status_code == 401


#: places in addresses that name a row of one party; the other places name what everybody may ask for
OWNED = {
    *("listing_id", "demand_id", "match_id", "order_id", "shipment_id", "receipt_id", "dispute_id"),
    *("organization_id", "key_id", "job_id", "statement_id", "endpoint_id", "import_id"),
}
SHARED = {"run_id", "lane_id", "departure_id", "agreement_id", "price_id", "code", "kind"}
OF_A_PARTY = [
    operation for operation in OPERATIONS if any(f"{{{place}}}" in str(operation.values[1]) for place in OWNED)
]


def test_every_place_in_an_address_is_owned_or_shared() -> None:
    places = {place for operation in OPERATIONS for place in re.findall(r"{(\w+)}", str(operation.values[1]))}
    assert places == OWNED | SHARED


async def of_the_order(api: Any, order_id: str) -> tuple[str, str]:
    """Return the keys of an order's buyer and of another one."""
    order = (await api.get(f"/v1/orders/{order_id}", headers=api.as_(api.keys.hub))).json()
    buyers = dict(api.keys.buyers)
    return buyers.pop(order["buyer"]["name"]), next(iter(buyers.values()))


@pytest.mark.parametrize(("method", "path", "operation"), OF_A_PARTY)
async def test_another_partys_rows_are_not_found(agreed: Any, method: str, path: str, operation: str) -> None:
    """For their owner and the hub they are: that is the control."""
    seller, other_seller = list(agreed.keys.producers.values())[:2]
    buyer, other_buyer = list(agreed.keys.buyers.values())[:2]
    rows = {place: ids[0] for place, ids in agreed.known.items()}
    url = path.format(**rows)
    owner, stranger = (buyer, other_buyer) if "demand" in path else (seller, other_seller)
    if "shipment" in path or "receipt_id" in path:
        owner, stranger = await of_the_order(agreed, rows["order_id"])
    # what its owner deleted is not there for the hub either
    first = owner if operation != "delete_webhook_endpoint" else stranger
    for key in (stranger, first, agreed.keys.hub):
        hub = key == agreed.keys.hub
        side = {"side": "listing"} if hub and "match_id" in path else {}
        headers = agreed.as_(key, **{"If-Match": '"2"'})
        answer = await agreed.request(method, url, headers=headers, **sent(method, operation, **side))
        if not hub and MAY[operation] == HUB:
            assert answer.status_code == 403
        elif key == stranger:
            assert answer.status_code == 404, answer.text
        else:
            assert answer.status_code not in (401, 403, 404), (answer.status_code, answer.text)


async def test_nobody_but_the_hub_acts_for_another_party(agreed: Any) -> None:
    seller, other = list(agreed.keys.producers.values())[:2]
    stock = {**BODIES["publish_listing"], "organization": agreed.known["organization_id"][0]}
    for key, posted, confirmed in ((other, 404, 404), (seller, 201, 200), (agreed.keys.hub, 201, 200)):
        headers = agreed.as_(key)
        assert (await agreed.post("/v1/listings", json=stock, headers=headers)).status_code == posted
        many = {"ids": [agreed.known["match_id"][0]]} | ({"side": "listing"} if key == agreed.keys.hub else {})
        answer = await agreed.post("/v1/matches/confirm", json=many, headers=headers)
        assert answer.status_code == confirmed, answer.text
