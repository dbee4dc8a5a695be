"""What the server writes around every page: words, menu, who is signed in, and the files the page needs."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from app.kit import cookies
from app.kit.clock import local_day
from app.kit.principal import Principal
from app.kit.problems import Forbidden, Unauthenticated
from app.kit.text import Text
from app.parties import service as parties
from app.web.built import Built, Needs
from app.web.rules import HOME, LANGUAGES, Page, addresses, dotted, menu, unit_words

LANGUAGE_COOKIE = "lang"
#: in which the hub's week begins
HUB_TIMEZONE = "Asia/Jakarta"
#: nothing from outside, no inline script or style, no frame around it
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "private, no-cache",
    "vary": "Cookie",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
}

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose browser it is."""

    principal: Principal
    #: of the session, to prove changes with
    token: str


async def viewer_of(request: Request) -> Viewer | None:
    """Return who is signed in in this browser, or None."""
    token = request.cookies.get(cookies.SESSION)
    if not token:
        return None
    hub = request.app.state.hub
    try:
        async with hub.database.reader() as session:
            principal = await parties.recognise(session, token, now=hub.clock.now())
    except (Unauthenticated, Forbidden):
        return None
    return Viewer(principal, token)


def language_of(request: Request) -> str:
    """Return the language chosen in this browser; Indonesian until another is chosen."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else "id"


def render(request: Request, template: str, page: Page, viewer: Viewer | None, **content: Any) -> HTMLResponse:
    """Return a page in its frame; `content` is what its template asks for."""
    language = language_of(request)
    status = content.pop("status", 200)
    built: Built = request.app.state.hub.built
    own, everybodys = menu(viewer.principal.role if viewer else None)
    now: datetime = request.app.state.hub.clock.now()

    def t(indonesian: str | Text, english: str = "") -> str:
        text = indonesian if isinstance(indonesian, Text) else Text(indonesian, english)
        return text.read(language)

    html = _TEMPLATES.get_template(template).render(
        t=t,
        dotted=dotted,
        unit_words=unit_words,
        language=language,
        page=page,
        own=own,
        everybodys=everybodys,
        viewer=viewer,
        home=HOME[viewer.principal.role] if viewer else None,
        proof=cookies.proof_of(viewer.token) if viewer else "",
        now=now.isoformat(),
        addresses=addresses(page, local_day(now, HUB_TIMEZONE)),
        is_built=bool(built.pages),
        needs=built.pages.get(page.entry, built.pages.get("pasang", Needs(""))),
        **content,
    )
    return HTMLResponse(html, status, headers=HEADERS)
