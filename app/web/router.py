"""HTTP of the pages. They are no part of the contract: programs ask /v1."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from app.kit import cookies
from app.kit.cookies import CrossSite
from app.kit.problems import NotFound, Problem
from app.parties import service as parties
from app.web import sheets
from app.web.built import Built
from app.web.forms import fields_of
from app.web.frame import LANGUAGE_COOKIE, Viewer, render, viewer_of
from app.web.posting import choose_or_fill, post
from app.web.rules import BUY, HOME, LANGUAGES, PAGES, SELL, SHEETS, SIGN_IN, Page

api = APIRouter(include_in_schema=False)

ByWhom = Annotated[Viewer | None, Depends(viewer_of)]
A_YEAR = 365 * 24 * 3600


@api.get("/assets/{name}")
async def get_asset(request: Request, name: str) -> Response:
    """Serve a built file. Raises NotFound (404)."""
    built: Built = request.app.state.hub.built
    answer = built.answer(name, request.headers.get("accept-encoding", ""))
    if answer is None:
        raise NotFound
    return answer


def _page(page: Page) -> Any:
    """Return the endpoint of a page whose content its script brings."""

    async def get_page(request: Request, viewer: ByWhom) -> Response:
        chosen = request.query_params.get("lang")
        if chosen in LANGUAGES:
            return _choose_language(request, page, str(chosen))
        return render(request, "page.html", page, viewer, allowed=_allowed(page, viewer))

    return get_page


def _allowed(page: Page, viewer: Viewer | None) -> bool:
    return not page.roles or (viewer is not None and viewer.principal.role in page.roles)


def _choose_language(request: Request, page: Page, language: str) -> Response:
    kept = urlencode([(name, value) for name, value in request.query_params.items() if name != "lang"])
    response = RedirectResponse(f"{page.path}?{kept}" if kept else page.path, 303)
    response.set_cookie(LANGUAGE_COOKIE, language, A_YEAR, samesite="lax", secure=request.url.scheme == "https")
    return response


def _form(page: Page) -> tuple[Any, Any]:
    """Return the endpoints of a page that is a form."""
    show = _page(page)

    async def get_form(request: Request, viewer: ByWhom) -> Response:
        if "lang" in request.query_params or viewer is None or not _allowed(page, viewer):
            answer: Response = await show(request, viewer)
            return answer
        return await choose_or_fill(request, page, viewer)

    async def post_form(request: Request, viewer: ByWhom) -> Response:
        return await post(request, page, viewer)

    return get_form, post_form


for _one in PAGES:
    if _one in (SELL, BUY):
        _get, _post = _form(_one)
        api.add_api_route(_one.path, _get, name=f"form{_one.path}")
        api.add_api_route(_one.path, _post, methods=["POST"], name=f"post{_one.path}")
    else:
        api.add_api_route(_one.path, _page(_one), name=f"page{_one.path}")


@api.get(SHEETS.path)
async def get_sheets(request: Request, viewer: ByWhom) -> Response:
    """Show the form for a spreadsheet, and what came of the last one."""
    if "lang" in request.query_params or viewer is None or not _allowed(SHEETS, viewer):
        answer: Response = await _page(SHEETS)(request, viewer)
        return answer
    return await sheets.show(request, viewer)


@api.post(SHEETS.path)
async def post_sheets(request: Request, viewer: ByWhom) -> Response:
    """Take a spreadsheet. Raises CrossSite (403), TooLarge (413)."""
    return await sheets.send(request, viewer)


@api.get("/masuk")
async def get_sign_in(request: Request, viewer: ByWhom) -> Response:
    """Ask for the one tap that uses a link up: who only looks at the address, as messengers do, uses up nothing."""
    if "lang" in request.query_params:
        return _choose_language(request, SIGN_IN, request.query_params["lang"])
    link = request.query_params.get("t", "")
    return render(request, "sign_in.html", SIGN_IN, viewer, link=link, refused=None)


@api.post("/masuk")
async def post_sign_in(request: Request, viewer: ByWhom) -> Response:
    """Sign in with a link or a key, from our own page only: nobody is signed in as somebody else unasked."""
    values = await fields_of(request)
    hub = request.app.state.hub
    now = hub.clock.now()
    link = values.get("link", "")[:200]
    try:
        _require_same_site(request)
        async with hub.database.transaction() as session:
            key = values.get("key", "").strip()[:200]
            begun, token = await parties.begin_session(session, link_token=link or None, api_key=key, now=now)
            principal = await parties.recognise(session, token, now=now)
    except Problem as problem:
        return render(request, "sign_in.html", SIGN_IN, viewer, link=link, refused=problem, status=problem.status)
    response = RedirectResponse(HOME[principal.role].path, 303)
    cookies.hand_over(request, response, token, until=begun.expires_at, now=now)
    return response


def _require_same_site(request: Request) -> None:
    """Refuse a form that another site's page sent. Raises CrossSite (403)."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise CrossSite


@api.post("/keluar")
async def post_sign_out(request: Request, viewer: ByWhom) -> Response:
    """Sign out. Raises CrossSite (403)."""
    response = RedirectResponse("/", 303)
    if viewer is not None:
        cookies.require_proof(viewer.token, (await fields_of(request)).get("csrf"))
        async with request.app.state.hub.database.transaction() as session:
            await parties.end_session(session, principal=viewer.principal)
    cookies.take_back(response)
    return response
