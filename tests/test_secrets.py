"""Rule 13: an ask or a limit, and any figure from which it follows, is for its owner and the hub only.

Two ways of looking. Two worlds: others' asks and limits differ by a few rupiah, and whatever a party can read is byte
for byte the same in both. One trade: unusual figures are followed through their whole life, and the other side never
gets to see them. In both the hub is the control: it does see the difference.
"""

import re
from typing import Any

import pytest
from sqlalchemy import text

from tests.test_openapi import document

READS = sorted(path for path, methods in document()["paths"].items() if "get" in methods)
NO_FIGURES = {"/v1/jobs/{job_id}", "/v1/jobs/{job_id}/events", "/metrics"}
PONGGOK, DEPOK = "Koperasi peternak Ponggok (contoh)", "Pedagang telur Depok (contoh)"

#: others' figures move by less than what is told in steps of Rp 100; what only follows from them may move at will
ANOTHER_WORLD = (
    "UPDATE listings SET price_idr = price_idr - 4 WHERE organization_id <> :me",
    "UPDATE demands SET max_price_idr = max_price_idr + 4 WHERE organization_id <> :me",
    "UPDATE matches SET ask_idr = ask_idr - 4 WHERE listing_organization_id <> :me",
    "UPDATE matches SET limit_idr = limit_idr + 4 WHERE demand_organization_id <> :me",
    "UPDATE cleared_pools SET surplus_idr = surplus_idr + 4",
    "UPDATE clearing_runs SET certificate = jsonb_set(certificate, '{surplus_idr}', '4')",
    (
        "UPDATE unmatched SET detail = jsonb_set(detail, '{gap_idr}', to_jsonb((detail ->> 'gap_idr')::int - 4))"
        " WHERE organization_id = :me AND (detail ->> 'gap_idr')::int % 100 = 0 AND (detail ->> 'gap_idr')::int > 0"
    ),
)


def reader_of(api: Any, who: str) -> dict[str, str]:
    keys = {
        "anonymous": None,
        "producer": api.keys.producers[PONGGOK],
        "buyer": api.keys.buyers[DEPOK],
        "observer": api.keys.observer,
        "hub": api.keys.hub,
    }
    return api.as_(keys[who]) if keys[who] else {}


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
            query = "?commodity=telur-ayam-ras&min_grade=III" if path == "/v1/quotes" else ""
            address = re.sub(r"{\w+}", value, path) + query
            answers[address] = (await api.get(address, headers=headers | {"X-Request-Id": "same"})).content
    return answers


async def whose(api: Any, headers: dict[str, str]) -> str:
    me = (await api.get("/v1/me", headers=headers)).json()
    return str(me["organization"]["id"]) if "organization" in me else "00000000-0000-0000-0000-000000000000"


async def move_to_another_world(api: Any, me: str) -> None:
    async with api.database.transaction() as session:
        for statement in ANOTHER_WORLD:
            await session.execute(text(statement), {"me": me} if ":me" in statement else {})


@pytest.mark.parametrize("who", ["anonymous", "producer", "buyer", "observer", "hub"])
async def test_whatever_a_party_reads_is_the_same_whatever_others_ask(scenario: Any, who: str) -> None:
    headers = reader_of(scenario, who)
    before = await everything(scenario, headers)
    await move_to_another_world(scenario, await whose(scenario, headers))
    after = await everything(scenario, headers)
    changed = {address for address in before if before[address] != after[address]}
    if who != "hub":
        assert changed == set()
        return
    seen = {re.sub(r"[0-9a-f-]{36}", "*", address).partition("?")[0] for address in changed}
    assert {"/v1/listings", "/v1/demands", "/v1/matches", "/v1/clearing-runs", "/v1/demands/*/options"} <= seen


ORANGES = {"commodity": "jeruk", "quantity": 1000, "unit": "kg"}
STOCK, NEED = {**ORANGES, "grade": "A", "price_idr": 9000}, {**ORANGES, "min_grade": "A", "max_price_idr": 9900}


async def post(api: Any, kind: str, body: dict[str, Any]) -> str:
    key = api.keys.producers[PONGGOK] if kind == "listings" else api.keys.buyers[DEPOK]
    answer = await api.post(f"/v1/{kind}", json=body, headers=api.as_(key))
    assert answer.status_code == 201, answer.text
    return f"/v1/{kind}/{answer.json()['id']}"


async def tried(api: Any, address: str, what: str, reader: dict[str, str], bodies: list[dict[str, Any]]) -> list[bytes]:
    """Change a post step by step, and read each time what it would bring."""
    hub, read = api.as_(api.keys.hub), []
    for body in bodies:
        version = (await api.get(address, headers=hub)).headers["etag"]
        changed = await api.patch(address, json=body, headers={**hub, "If-Match": version})
        assert changed.status_code == 200, changed.text
        read.append((await api.get(f"{address}/{what}", headers=reader)).content)
    return read


@pytest.mark.parametrize("who", ["owner", "hub"])
@pytest.mark.parametrize(
    ("kind", "what", "field", "figures"),
    [
        # asked 9,000, and 60 for collection, and 620 for freight
        ("demands", "options", "max_price_idr", (9674, 9678, 9682, 9699, 9700)),
        # paid 9,900 at most, less 620 and 60
        ("listings", "outlook", "price_idr", (9199, 9200, 9201, 9218, 9222, 9226)),
    ],
)
async def test_trying_figures_of_ones_own_does_not_find_the_others(
    scenario: Any, who: str, kind: str, what: str, field: str, figures: tuple[int, ...]
) -> None:
    addresses = {"listings": await post(scenario, "listings", STOCK), "demands": await post(scenario, "demands", NEED)}
    owner = reader_of(scenario, "producer" if kind == "listings" else "buyer")
    reader = owner if who == "owner" else reader_of(scenario, "hub")
    bodies = [{field: figure} for figure in figures]
    before = await tried(scenario, addresses[kind], what, reader, bodies)
    assert b'"fits":true' in b"".join(before)
    assert b'"why_not":"price_gap"' in b"".join(before)
    await move_to_another_world(scenario, await whose(scenario, owner))
    after = await tried(scenario, addresses[kind], what, reader, bodies)
    assert (before == after) == (who == "owner")
