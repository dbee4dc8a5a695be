"""Signing in without typing a key: a link that works once and soon, a cookie that only our own page can use."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app.kit import cookies
from app.parties import service
from app.parties.models import SignInLink
from app.parties.rules import LINK_LIFETIME, SESSION_LIFETIME, hash_of

PONGGOK = "Koperasi peternak Ponggok (contoh)"
STOCK = {"commodity": "telur-ayam-ras", "grade": "II", "quantity": 100, "unit": "kg", "price_idr": 26500}


async def organization_of(api: Any, key: str) -> str:
    found: str = (await api.get("/v1/me", headers=api.as_(key))).json()["organization"]["id"]
    return found


async def new_link(api: Any) -> str:
    """Return the token of a link that the hub makes for Ponggok."""
    organization = await organization_of(api, api.keys.producers[PONGGOK])
    answer = await api.post(f"/v1/organizations/{organization}/sign-in-links", headers=api.as_(api.keys.hub))
    assert answer.status_code == 201, answer.text
    path: str = answer.json()["path"]
    return path.removeprefix("/masuk?t=")


async def sign_in(api: Any, **how: str) -> Any:
    return await api.post("/v1/sessions", json=how)


def with_proof(api: Any) -> dict[str, str]:
    return {"X-CSRF-Token": api.cookies["hub_csrf"]}


async def stocks(api: Any) -> int:
    return len(await api.walk("/v1/listings", api.keys.producers[PONGGOK]))


async def test_a_link_opens_one_session_and_no_second(scenario: Any) -> None:
    token = await new_link(scenario)
    first = await sign_in(scenario, link_token=token)
    assert first.status_code == 201, first.text
    assert first.json()["organization"]["name"] == PONGGOK
    assert first.json()["csrf_token"] == scenario.cookies["hub_csrf"]
    flags = {line.partition("=")[0]: line for line in first.headers.get_list("set-cookie")}
    assert "HttpOnly" in flags["hub_session"]
    assert "SameSite=lax" in flags["hub_session"]
    assert "Secure" not in flags["hub_session"], "over http a browser would drop it"
    assert "HttpOnly" not in flags["hub_csrf"]
    assert (await scenario.get("/v1/me")).json()["organization"]["name"] == PONGGOK
    again = await sign_in(scenario, link_token=token)
    assert (again.status_code, again.json()["code"]) == (401, "link_not_live")


async def test_over_tls_the_cookies_stay_on_tls(scenario: Any) -> None:
    answer = await scenario.post("https://hub/v1/sessions", json={"api_key": scenario.keys.hub})
    assert all("Secure" in line for line in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize("protected", [True, False])
async def test_of_two_who_use_a_link_at_once_one_gets_in(
    committed: Any, monkeypatch: pytest.MonkeyPatch, *, protected: bool
) -> None:
    """The control reads first and writes later, as one would without the conditional update: both get in."""
    both_have_read = asyncio.Barrier(2)

    async def read_then_write(session: Any, token: str, now: Any) -> UUID:
        link = (await session.scalars(select(SignInLink).where(SignInLink.hash == hash_of(token)))).one()
        if link.used_at is not None:
            raise service.LinkNotLive
        await both_have_read.wait()
        link.used_at = now
        organization: UUID = link.organization_id
        return organization

    if not protected:
        monkeypatch.setattr(service, "_use_link", read_then_write)
    token = await new_link(committed)
    answers = await asyncio.gather(*(sign_in(committed, link_token=token) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == ([201, 401] if protected else [201, 201])


@pytest.mark.parametrize(("late", "status"), [(timedelta(seconds=-1), 201), (timedelta(0), 401)])
async def test_a_link_works_until_its_time_is_over(scenario: Any, late: timedelta, status: int) -> None:
    token = await new_link(scenario)
    scenario.clock.at += LINK_LIFETIME + late
    assert (await sign_in(scenario, link_token=token)).status_code == status


@pytest.mark.parametrize(("late", "status"), [(timedelta(seconds=-1), 200), (timedelta(0), 401)])
async def test_a_session_works_until_its_time_is_over(scenario: Any, late: timedelta, status: int) -> None:
    assert (await sign_in(scenario, api_key=scenario.keys.hub)).status_code == 201
    scenario.clock.at += SESSION_LIFETIME + late
    assert (await scenario.get("/v1/me")).status_code == status


@pytest.mark.parametrize("protected", [True, False])
async def test_a_change_that_another_site_makes_the_browser_send_is_refused(
    scenario: Any, monkeypatch: pytest.MonkeyPatch, *, protected: bool
) -> None:
    """The control: without the check the browser's cookies alone would do."""
    await sign_in(scenario, api_key=scenario.keys.producers[PONGGOK])
    before = await stocks(scenario)
    if not protected:
        monkeypatch.setattr(cookies, "require_own_page", lambda *_: None)
    for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": cookies.proof_of("another session")}):
        answer = await scenario.post("/v1/listings", json=STOCK, headers=headers)
        assert answer.status_code == (403 if protected else 201)
        assert not protected or answer.json()["code"] == "cross_site"
    assert await stocks(scenario) - before == (0 if protected else 3)
    own = await scenario.post("/v1/listings", json=STOCK, headers=with_proof(scenario))
    assert own.status_code == 201, own.text


async def test_a_session_repeats_safely_and_is_never_cached_for_others(scenario: Any) -> None:
    await sign_in(scenario, api_key=scenario.keys.producers[PONGGOK])
    headers = {**with_proof(scenario), "Idempotency-Key": "a-lost-signal"}
    first, second = [await scenario.post("/v1/listings", json=STOCK, headers=headers) for _ in range(2)]
    assert second.content == first.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (await scenario.get("/v1/listings")).headers["cache-control"] == "private, no-cache"


async def test_a_key_in_the_header_goes_before_a_cookie(scenario: Any) -> None:
    await sign_in(scenario, api_key=scenario.keys.producers[PONGGOK])
    answer = await scenario.get("/v1/me", headers=scenario.as_(scenario.keys.hub))
    assert answer.json()["organization"]["role"] == "hub"


async def test_signing_out_ends_the_session_and_takes_the_cookies_back(scenario: Any) -> None:
    await sign_in(scenario, api_key=scenario.keys.hub)
    token = scenario.cookies["hub_session"]
    assert (await scenario.delete("/v1/sessions/current")).status_code == 403
    ended = await scenario.delete("/v1/sessions/current", headers=with_proof(scenario))
    assert (ended.status_code, dict(scenario.cookies)) == (204, {})
    assert (await scenario.get("/v1/me", headers={"Cookie": f"hub_session={token}"})).status_code == 401
    keyed = await scenario.delete("/v1/sessions/current", headers=scenario.as_(scenario.keys.hub))
    assert keyed.status_code == 404


async def test_a_session_ends_with_its_key_and_with_its_organisation(scenario: Any) -> None:
    key, hub = scenario.keys.producers[PONGGOK], scenario.as_(scenario.keys.hub)
    organization = await organization_of(scenario, key)
    token = await new_link(scenario)
    await sign_in(scenario, api_key=key)
    key_id = (await scenario.get("/v1/me")).json()["key_id"]
    await scenario.delete(f"/v1/organizations/{organization}/api-keys/{key_id}", headers=hub)
    assert (await scenario.get("/v1/me")).status_code == 401
    assert (await sign_in(scenario, link_token=token)).status_code == 201
    suspend = {"status": "suspended"}
    address = f"/v1/organizations/{organization}"
    await scenario.patch(address, json=suspend, headers={**hub, "If-Match": '"1"'})
    assert (await scenario.get("/v1/me")).json()["code"] == "suspended"
    refused = await scenario.post(f"{address}/sign-in-links", headers=hub)
    assert (refused.status_code, refused.json()["code"]) == (403, "suspended")


@pytest.mark.parametrize("how", [{}, {"link_token": "a", "api_key": "b"}])
async def test_one_way_of_signing_in_is_given(scenario: Any, how: dict[str, str]) -> None:
    assert (await sign_in(scenario, **how)).status_code == 422


@pytest.mark.parametrize("how", [{"link_token": "a"}, {"api_key": "b"}])
async def test_what_opens_nothing_is_401(scenario: Any, how: dict[str, str]) -> None:
    assert (await sign_in(scenario, **how)).status_code == 401
    scenario.cookies.set("hub_session", "c")
    assert (await scenario.get("/v1/me")).status_code == 401


async def test_no_token_is_stored_and_a_replayed_link_is_without_it(scenario: Any) -> None:
    organization = await organization_of(scenario, scenario.keys.producers[PONGGOK])
    headers = scenario.as_(scenario.keys.hub, **{"Idempotency-Key": "one-link"})
    address = f"/v1/organizations/{organization}/sign-in-links"
    first, second = [await scenario.post(address, headers=headers) for _ in range(2)]
    assert "path" not in second.json()
    token = first.json()["path"].removeprefix("/masuk?t=")
    await sign_in(scenario, link_token=token)
    secret = scenario.cookies["hub_session"]
    async with scenario.database.reader() as session:
        stored = str((await session.execute(text("SELECT * FROM sign_in_links, browser_sessions"))).all())
        kept = str((await session.execute(text("SELECT body FROM idempotency_keys"))).all())
    assert "b'" in stored, "the control: hashes are there"
    assert token not in stored + kept
    assert secret not in stored


async def test_links_and_sessions_that_are_over_are_forgotten(scenario: Any) -> None:
    token = await new_link(scenario)
    await sign_in(scenario, link_token=token)
    for later, left in ((timedelta(0), [1, 1]), (LINK_LIFETIME, [0, 1]), (SESSION_LIFETIME, [0, 0])):
        now = scenario.clock.at + later + timedelta(seconds=1)
        await scenario.database.retried(lambda session, now=now: service.forget_old_sign_ins(session, now))
        async with scenario.database.reader() as session:
            counts = [
                await session.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - two names of ours
                for table in ("sign_in_links", "browser_sessions")
            ]
        assert counts == left
