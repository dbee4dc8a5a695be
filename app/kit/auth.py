"""The dependencies that demand a principal.

`main` plugs in how a key or a browser's session becomes a principal; routers say which roles may pass.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import cookies
from app.kit.idempotency import begin_once
from app.kit.principal import Principal, Role
from app.kit.problems import Forbidden, Unauthenticated
from app.kit.sessions import Session

#: characters; longer ones are refused unread
LONGEST_KEY = 200

_bearer = HTTPBearer(auto_error=False, description="Kunci API: btc_<lingkungan>_<acak>")
_cookie = APIKeyCookie(
    name=cookies.SESSION,
    auto_error=False,
    description="Sesi peramban dari POST /v1/sessions; setiap perubahan juga membawa header X-CSRF-Token",
)


#: what a caller may show: a key in the header, a browser's session in a cookie
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
SessionToken = Annotated[str | None, Security(_cookie)]


async def caller(request: Request, session: Session, credentials: Credentials, token: SessionToken) -> Principal:
    """Return who is asking, counted against its minute and, for a repeated POST, answered from memory.

    A key in the header goes before a cookie: nobody sends it unasked. Raises Unauthenticated (401), CrossSite (403),
    TooManyRequests (429) and, as replays, what `kit.idempotency` raises.
    """
    hub = request.app.state.hub
    given = credentials.credentials if credentials else token
    if given is None or len(given) > LONGEST_KEY:
        raise Unauthenticated
    request.state.credentials = (hub.authenticate if credentials else hub.recognise, given)
    principal = await known_again(request, session)
    if not credentials:
        cookies.require_own_page(request, given)
    await hub.limiter.count(str(principal.key_id or principal.session_id))
    request.state.principal = principal
    await begin_once(request, session, principal.organization_id)
    return principal


async def known_again(request: Request, session: AsyncSession) -> Principal:
    """Return who is asking, looked up now: an answer that lasts asks again whether key and session still hold."""
    know, given = request.state.credentials
    principal: Principal = await know(session, given)
    return principal


Caller = Annotated[Principal, Depends(caller, scope="function")]


def only(*roles: Role) -> Callable[[Principal], Awaitable[Principal]]:
    """Return a dependency that lets these roles pass. Raises Forbidden (403) for the others."""

    async def permitted(principal: Caller) -> Principal:
        if principal.role not in roles:
            raise Forbidden
        return principal

    return permitted


HubOnly = Annotated[Principal, Depends(only(Role.HUB), scope="function")]
HubOrObserver = Annotated[Principal, Depends(only(Role.HUB, Role.OBSERVER), scope="function")]
Seller = Annotated[Principal, Depends(only(Role.PRODUCER, Role.HUB), scope="function")]
Purchaser = Annotated[Principal, Depends(only(Role.BUYER, Role.HUB), scope="function")]
Trader = Annotated[Principal, Depends(only(Role.PRODUCER, Role.BUYER, Role.HUB), scope="function")]
