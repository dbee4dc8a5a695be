"""The cookies of a browser's session, and the proof that a change comes from our own page.

The session's token is HttpOnly: no script reads it. A second cookie, which scripts read, holds a proof that is derived
from the token; a change must repeat it in a header or a hidden field. Another site's page makes the browser send the
cookies, but can neither read the proof nor set the header.
"""

import base64
import hashlib
import hmac
from datetime import datetime

from fastapi import Request, Response

from app.kit.problems import Forbidden
from app.kit.text import Text

SESSION = "hub_session"
PROOF = "hub_csrf"
HEADER = "X-CSRF-Token"
#: methods that change nothing
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class CrossSite(Forbidden):
    """403: the change does not come from a page of ours."""

    code = "cross_site"
    title = Text(
        "Permintaan ini tidak datang dari halaman kami. Muat ulang halaman, lalu coba lagi.",
        "This request does not come from our own page. Reload the page and try again.",
    )


def proof_of(token: str) -> str:
    """Return what a page must repeat to change something in the session of this token."""
    digest = hmac.digest(token.encode(), b"change", hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def require_proof(token: str, proof: str | None) -> None:
    """Refuse a change without the session's proof. Raises CrossSite (403)."""
    if not hmac.compare_digest(proof_of(token).encode(), (proof or "").encode()):
        raise CrossSite


def require_own_page(request: Request, token: str) -> None:
    """Refuse a change in a session that is not sent by our own page. Raises CrossSite (403)."""
    if request.method not in SAFE_METHODS:
        require_proof(token, request.headers.get(HEADER))


def hand_over(request: Request, response: Response, token: str, *, until: datetime, now: datetime) -> None:
    """Set both cookies of a session; they end with it, and travel over TLS only where the page did."""
    seconds = int((until - now).total_seconds())
    secure = request.url.scheme == "https"
    response.set_cookie(SESSION, token, seconds, httponly=True, samesite="lax", secure=secure)
    response.set_cookie(PROOF, proof_of(token), seconds, samesite="lax", secure=secure)


def take_back(response: Response) -> None:
    """Remove both cookies."""
    response.delete_cookie(SESSION, httponly=True, samesite="lax")
    response.delete_cookie(PROOF, samesite="lax")
