"""Rule 13: an ask or a limit, and any figure from which it follows, is for its owner and the hub only.

Two ways of looking. Two worlds: others' asks and limits differ by a few rupiah, and whatever a party can read is byte
for byte the same in both. One trade: unusual figures are followed through their whole life, and the other side never
gets to see them. In both the hub is the control: it does see the difference.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.worker import close_due
from tests.test_openapi import document

READS = sorted(path for path, methods in document()["paths"].items() if "get" in methods)
#: read as files too, where an address has no query of its own
FILES = {
    path
    for path in READS
    for parameter in document()["paths"][path]["get"].get("parameters", ())
    if parameter["name"] == "format"
}
NO_FIGURES = {
    *("/v1/jobs/{job_id}", "/v1/jobs/{job_id}/events", "/metrics"),
    *("/v1/imports/{import_id}", "/v1/imports/{import_id}/workbook", "/v1/imports/templates/{kind}.xlsx"),
}
#: from the first event on; a list would do with its default
QUERIES = {
    "/v1/quotes": "?commodity=telur-ayam-ras&min_grade=III",
    "/v1/events": "?limit=200",
    "/v1/events/stream": "?after=0",
}
PONGGOK, DEPOK = "Koperasi peternak Ponggok (contoh)", "Pedagang telur Depok (contoh)"
#: the clearing left something of theirs, with a gap
SUKOREJO, JAKARTA = "Koperasi Merah Putih Sukorejo (contoh)", "BUMD pangan Jakarta (contoh)"

#: others' figures move by less than what is told in steps of Rp 100; what only follows from them may move at will
ANOTHER_WORLD = (
    "UPDATE listings SET price_idr = price_idr - 4 WHERE organization_id <> :me",
    "UPDATE demands SET max_price_idr = max_price_idr + 4 WHERE organization_id <> :me",
    "UPDATE matches SET ask_idr = ask_idr - 4 WHERE listing_organization_id <> :me",
    "UPDATE matches SET limit_idr = limit_idr + 4 WHERE demand_organization_id <> :me",
    "UPDATE cleared_pools SET surplus_idr = surplus_idr + 4",
    "UPDATE clearing_runs SET certificate = jsonb_set(certificate, '{surplus_idr}', '4')",
    "UPDATE clearing_runs SET input_sha256 = reverse(input_sha256), output_sha256 = reverse(output_sha256)",
    (
        "UPDATE unmatched SET detail = jsonb_set(detail, '{gap_idr}', to_jsonb((detail ->> 'gap_idr')::int - 4))"
        " WHERE organization_id = :me AND detail ? 'gap_idr' AND detail ->> 'gap_idr' <> '0'"
    ),
)


def reader_of(api: Any, who: str) -> dict[str, str]:
    """Return the headers of a party by its name, or of the hub, an observer or nobody."""
    if who == "anonymous":
        return {}
    one = {"hub": api.keys.hub, "observer": api.keys.observer}
    headers: dict[str, str] = api.as_({**one, **api.keys.producers, **api.keys.buyers}[who])
    return headers


async def known_ids(api: Any, headers: dict[str, str]) -> dict[str, list[str]]:
    """Return what may stand in an address, by the name of its place."""

    async def ids(path: str) -> list[str]:
        answer = await api.get(path, headers=headers)
        return [item["id"] for item in answer.json()["items"]] if answer.status_code == 200 else ["none"]

    me = (await api.get("/v1/me", headers=headers)).json()
    return {
        "run_id": await ids("/v1/clearing-runs"),
        "listing_id": await ids("/v1/listings"),
        "demand_id": await ids("/v1/demands"),
        "order_id": await ids("/v1/orders"),
        "shipment_id": await ids("/v1/shipments"),
        "statement_id": await ids("/v1/bank-statements"),
        "endpoint_id": await ids("/v1/webhook-endpoints"),
        "lane_id": (await ids("/v1/lanes"))[:1],
        "organization_id": [me["organization"]["id"] if "organization" in me else "none"],
        "code": ["32.76"],
    }


async def everything(api: Any, headers: dict[str, str]) -> dict[str, bytes]:
    """Read every address of the contract; a place that is unknown here fails."""
    known = await known_ids(api, headers)
    answers = {}
    for path in READS:
        if path in NO_FIGURES:
            continue
        (place,) = re.findall(r"{(\w+)}", path) or [None]
        for value in known[place] if place else [""]:
            address = re.sub(r"{\w+}", value, path) + QUERIES.get(path, "")
            for asked in [address, f"{address}?format=csv"] if path in FILES else [address]:
                answer = await api.get(asked, headers=headers | {"X-Request-Id": "same"})
                # a stream says now and then that it lives
                answers[asked] = answer.content.replace(b": \n\n", b"")
    return answers


async def whose(api: Any, headers: dict[str, str]) -> str:
    me = (await api.get("/v1/me", headers=headers)).json()
    return str(me["organization"]["id"]) if "organization" in me else "00000000-0000-0000-0000-000000000000"


async def move_to_another_world(api: Any, me: str) -> None:
    async with api.database.transaction() as session:
        for statement in ANOTHER_WORLD:
            await session.execute(text(statement), {"me": me} if ":me" in statement else {})


@pytest.mark.parametrize("who", ["anonymous", "observer", PONGGOK, SUKOREJO, DEPOK, JAKARTA, "hub"])
async def test_whatever_a_party_reads_is_the_same_whatever_others_ask(agreed: Any, who: str) -> None:
    headers = reader_of(agreed, who)
    before = await everything(agreed, headers)
    await move_to_another_world(agreed, await whose(agreed, headers))
    after = await everything(agreed, headers)
    changed = {address for address in before if before[address] != after[address]}
    if who != "hub":
        assert changed == set()
        return
    seen = {re.sub(r"[0-9a-f-]{36}", "*", address).partition("?")[0] for address in changed}
    assert {"/v1/listings", "/v1/demands", "/v1/matches", "/v1/clearing-runs", "/v1/demands/*/options"} <= seen


ORANGES = {"commodity": "jeruk", "quantity": 1000, "unit": "kg"}
STOCK, NEED = {**ORANGES, "grade": "A", "price_idr": 9000}, {**ORANGES, "min_grade": "A", "max_price_idr": 9900}


OWNER = {"listings": PONGGOK, "demands": DEPOK}


async def post(api: Any, kind: str, body: dict[str, Any]) -> str:
    answer = await api.post(f"/v1/{kind}", json=body, headers=reader_of(api, OWNER[kind]))
    assert answer.status_code == 201, answer.text
    return f"/v1/{kind}/{answer.json()['id']}"


async def tried(api: Any, address: str, what: str, reader: dict[str, str], bodies: list[dict[str, Any]]) -> list[bytes]:
    """Change a post step by step, and read each time what it would bring."""
    hub, read = api.as_(api.keys.hub), []
    for body in bodies:
        version = (await api.get(address, headers=hub)).headers["etag"]
        changed = await api.patch(address, json=body, headers={**hub, "If-Match": version})
        assert changed.status_code == 200, changed.text
        read.append((await api.get(f"{address}/{what}?limit=200", headers=reader)).content)
    return read


@pytest.mark.parametrize("who", ["owner", "hub"])
@pytest.mark.parametrize(
    ("kind", "what", "field", "figures"),
    [
        # asked 9,000, and 60 for collection, and 620 for freight: told as 9,700
        ("demands", "options", "max_price_idr", [*range(9674, 9684), 9699, 9700]),
        # paid 9,900 at most, less 620 and 60: told as 9,200
        ("listings", "outlook", "price_idr", [9200, 9201, *range(9216, 9228)]),
    ],
)
async def test_trying_figures_of_ones_own_does_not_find_the_others(
    scenario: Any, who: str, kind: str, what: str, field: str, figures: list[int]
) -> None:
    addresses = {"listings": await post(scenario, "listings", STOCK), "demands": await post(scenario, "demands", NEED)}
    # better paid, but no departure arrives in time: where it stands in the list must not tell either
    await post(scenario, "demands", {**NEED, "max_price_idr": 12000, "deliver_by": "2026-11-25"})
    owner = reader_of(scenario, OWNER[kind])
    reader = owner if who == "owner" else reader_of(scenario, "hub")
    bodies = [{field: figure} for figure in figures]
    before = await tried(scenario, addresses[kind], what, reader, bodies)
    assert b'"fits":true' in b"".join(before)
    assert b'"why_not":"price_gap"' in b"".join(before)
    await move_to_another_world(scenario, await whose(scenario, owner))
    after = await tried(scenario, addresses[kind], what, reader, bodies)
    assert (before == after) == (who == "owner")


#: unusual figures, which stand in a text only where they are told
ASK, LIMIT, QUANTITY = 9012, 9917, 1009


def figures_in(content: str, side: str) -> set[int]:
    """Return which figures of a side stand in a text: its price, and the same for the whole quantity."""
    price = ASK if side == "listings" else LIMIT
    return {int(number) for number in re.findall(r"\d+", content)} & {price, price * QUANTITY}


async def test_a_trade_from_post_to_agreement_tells_neither_side_the_others_figure(scenario: Any) -> None:
    seller, buyer, hub = (reader_of(scenario, who) for who in (PONGGOK, DEPOK, "hub"))
    heard: dict[str, list[str]] = {"listings": [], "demands": []}

    async def ask(kind: str, address: str, body: dict[str, Any], **more: str) -> None:
        headers = {**(seller if kind == "listings" else buyer), **more}
        method = "PATCH" if "If-Match" in more else "POST"
        heard[kind].append((await scenario.request(method, address, json=body, headers=headers)).text)

    listing = await post(scenario, "listings", {**STOCK, "quantity": QUANTITY, "price_idr": ASK})
    demand = await post(scenario, "demands", {**NEED, "quantity": QUANTITY, "max_price_idr": LIMIT, "min_quantity": 99})
    cleared = await scenario.post("/v1/clearing-runs", json={"commodities": ["jeruk"]}, headers=hub)
    assert cleared.json()["matches"] == 1, cleared.text
    (match,) = (await scenario.get("/v1/matches?commodity=jeruk", headers=hub)).json()["items"]
    assert match["producer_gain_idr"] == QUANTITY * (match["producer_price_idr"] - ASK)
    assert match["buyer_saving_idr"] == QUANTITY * (LIMIT - match["delivered_price_idr"])
    proposal = f"/v1/matches/{match['id']}"
    for kind, foreign in (("listings", demand), ("demands", listing)):
        await ask(kind, foreign, {"quantity": 1}, **{"If-Match": '"2"'})
        await ask(kind, f"{foreign}/renew", {})
        await ask(kind, f"{proposal}/confirm", {"quantity": 1})
        await ask(kind, f"{proposal}/confirm", {"quantity": QUANTITY + 1})
        await ask(kind, f"{proposal}/confirm", {})
    for kind, reader in (("listings", seller), ("demands", buyer)):
        await ask(kind, f"{proposal}/decline", {})
        heard[kind] += [content.decode() for content in (await everything(scenario, reader)).values()]
        assert '"status":"confirmed"' in "".join(heard[kind])
    for kind, other in (("listings", "demands"), ("demands", "listings")):
        assert figures_in("".join(heard[kind]), other) == set()
        assert figures_in("".join(heard[kind]), kind), "the control: everybody sees their own"
    gains = {match["producer_gain_idr"]: "listings", match["buyer_saving_idr"]: "demands"}
    for figure, side in gains.items():
        other = "demands" if side == "listings" else "listings"
        assert str(figure) in "".join(heard[side])
        assert str(figure) not in "".join(heard[other])


async def test_events_carry_no_ask_and_no_limit(scenario: Any) -> None:
    """Both sides and, later, webhooks read them. The control: the clearing price of the same trade is there."""
    hub = reader_of(scenario, "hub")
    listing = await post(scenario, "listings", {**STOCK, "quantity": QUANTITY, "price_idr": ASK - 1})
    demand = await post(scenario, "demands", {**NEED, "quantity": QUANTITY, "max_price_idr": LIMIT + 1})
    for address, field, figure in ((listing, "price_idr", ASK), (demand, "max_price_idr", LIMIT)):
        headers = {**hub, "If-Match": '"1"'}
        assert (await scenario.patch(address, json={field: figure}, headers=headers)).status_code == 200
        assert (await scenario.post(f"{address}/renew", json={field: figure}, headers=hub)).status_code == 200
    for _again in range(2):
        await scenario.post("/v1/clearing-runs", json={"commodities": ["jeruk"]}, headers=hub)
        (match, *_) = (await scenario.get("/v1/matches?commodity=jeruk", headers=hub)).json()["items"]
        answer = await scenario.post(
            f"/v1/matches/{match['id']}/decline", json={"side": "listing", "reason": "mahal"}, headers=hub
        )
        assert answer.status_code == 200, answer.text
    await close_due(scenario.database, scenario.clock.at + timedelta(days=40))
    async with scenario.database.reader() as session:
        told = (await session.scalars(text("SELECT payload::text FROM outbox"))).all()
    numbers = {int(number) for payload in told for number in re.findall(r"\d+", payload)}
    assert match["producer_price_idr"] in numbers
    assert not numbers & {ASK - 1, ASK, LIMIT, LIMIT + 1, match["producer_gain_idr"], match["buyer_saving_idr"]}
