"""What happens behind the two forms: choose a commodity, fill five fields, post, see what was posted."""

from typing import Any
from uuid import UUID

from fastapi import Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from app.catalog import queries as catalog
from app.catalog.rules import CommodityFacts, Reference
from app.demands import service as demands
from app.kit import cookies, http
from app.kit.clock import local_day
from app.kit.idempotency import begin_once, store_once
from app.kit.ids import new_id
from app.kit.problems import FieldError, Forbidden, Invalid, NotFound, Problem, Unauthenticated
from app.listings import service as listings
from app.parties import queries as parties
from app.web import forms
from app.web.forms import Filled
from app.web.frame import Viewer, render
from app.web.rules import SELL, Page


async def choose_or_fill(request: Request, page: Page, viewer: Viewer, filled: Filled | None = None) -> Response:
    """Return what was just posted, else the form of the commodity that was chosen, else the choice."""
    hub = request.app.state.hub
    async with hub.database.reader() as session:
        reference: Reference = await hub.reference.get(lambda: catalog.reference(session))
        posted = await _posted(request, page, viewer, session)
        parties_ = []
        if viewer.principal.is_hub:
            role = forms.side_of(page).role
            statement = parties.organizations(hub=viewer.principal.region, roles=[role], statuses=["active"])
            parties_ = sorted(await session.scalars(statement), key=lambda one: one.name)
    asked = filled.values.get("commodity") if filled else request.query_params.get("komoditas")
    commodity = reference.commodities.get(asked or "")
    zone_of = {code: region.price_zone for code, region in reference.regions.items()}
    content: dict[str, Any] = {
        "posted": posted,
        "commodities": sorted(reference.commodities.values(), key=lambda one: one.name),
        "commodity": commodity,
        "side": forms.side_of(page),
        "sells": page is SELL,
        "filled": filled or Filled({"unit": _usual_unit(page, commodity)} if commodity else {}),
        "key": (filled and filled.values.get("key")) or str(new_id()),
        "parties": parties_,
        "zone_of": zone_of,
        "references": [],
    }
    if commodity:
        today = local_day(hub.clock.now(), reference.regions[viewer.principal.region].timezone)
        zones = {zone_of[party.region] for party in parties_} or {zone_of[viewer.principal.region]}
        content["references"] = forms.references_of(reference, page, commodity, zones, today)
    return render(request, "post.html", page, viewer, status=422 if filled else 200, **content)


def _usual_unit(page: Page, commodity: CommodityFacts) -> str:
    """Return the unit that stands first: a city counts in tonnes where the goods are weighed."""
    return "ton" if page is not SELL and "ton" in commodity.units else commodity.base_unit


async def _posted(request: Request, page: Page, viewer: Viewer, session: Any) -> Any:
    try:
        wanted = UUID(request.query_params.get("terpasang", ""))
        if page is SELL:
            return await listings.visible(session, listing_id=wanted, principal=viewer.principal)
        return await demands.visible(session, demand_id=wanted, principal=viewer.principal)
    except (ValueError, NotFound):
        return None


async def post(request: Request, page: Page, viewer: Viewer | None) -> Response:
    """Post what a form describes; sent again with the same key it has one effect.

    A script asks for JSON and gets 201 with the address of the result, or a problem; a plain form is led there, or
    comes back with what is wrong beside the field.
    """
    values = await forms.fields_of(request)
    scripted = "application/json" in request.headers.get("accept", "")
    try:
        if viewer is None:
            raise Unauthenticated
        return await _publish(request, page, viewer, values, scripted=scripted)
    except Problem as problem:
        if scripted:
            return http.render(request, problem)
        if viewer is None:
            return RedirectResponse("/masuk", 303)
        if not isinstance(problem, Invalid):
            raise
        errors = {error.pointer.removeprefix("/"): error.detail for error in problem.errors}
        return await choose_or_fill(request, page, viewer, Filled(values, errors or {"": problem.title}))


async def _publish(request: Request, page: Page, viewer: Viewer, values: dict[str, str], *, scripted: bool) -> Response:
    hub = request.app.state.hub
    principal, now = viewer.principal, hub.clock.now()
    cookies.require_proof(viewer.token, request.headers.get(cookies.HEADER, values.get("csrf")))
    if principal.role not in page.roles:
        raise Forbidden
    await hub.limiter.count(str(principal.session_id))
    draft = forms.draft_of(page, values)
    if isinstance(draft, Filled):
        raise Invalid(errors=[FieldError(f"/{name}", "invalid", text) for name, text in draft.errors.items()])
    async with hub.database.transaction() as session:
        request.state.session = session
        await begin_once(request, session, principal.organization_id, key=values.get("key"))
        reference = await hub.reference.get(lambda: catalog.reference(session))
        made = await forms.publish(session, draft, principal=principal, reference=reference, now=now)
        location = f"{page.path}?terpasang={made}"
        answer = (
            JSONResponse({"location": location}, 201, headers={"location": location})
            if scripted
            else RedirectResponse(location, 303)
        )
        await store_once(request, answer, now)
    return answer
