"""Pure rules of webhooks: addresses as typed, secrets and signatures, when to try again and when to give up."""

import base64
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import httpx
from standardwebhooks import Webhook

from app.kit.problems import Invalid, invalid
from app.kit.text import Text


class Status(StrEnum):
    """State of an endpoint."""

    ENABLED = "enabled"
    #: by its owner: deliveries wait
    PAUSED = "paused"
    #: by the hub, after lasting failure: nothing is queued any more
    DISABLED = "disabled"


class Progress(StrEnum):
    """State of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


#: waiting before each attempt: ten within 75 hours and 36 minutes, as Standard Webhooks recommends
SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
#: an endpoint that took nothing for this long is disabled
LASTING = timedelta(hours=75)
#: a receiver may ask for at most this much patience
MOST_PATIENCE = timedelta(hours=1)
#: "I am gone for good"
GONE = 410
MOST_ENDPOINTS = 10
#: time for which a finished delivery is listed; the event itself stays, and can be sent again
KEPT = timedelta(days=30)
#: attempts that a delivery remembers
REMEMBERED = 20


def next_attempt(
    made: int, now: datetime, *, retry_after: timedelta = timedelta(0), schedule: tuple[timedelta, ...] = SCHEDULE
) -> datetime | None:
    """Return when to try again after `made` failed attempts, or None to give up."""
    if made >= len(schedule):
        return None
    return now + max(schedule[made], min(retry_after, MOST_PATIENCE))


def is_lasting(failing_since: datetime, now: datetime) -> bool:
    """Tell whether an endpoint has failed for so long that it is disabled."""
    return now - failing_since >= LASTING


def accepts(status: int | None) -> bool:
    """Tell whether an answer means that the event was taken; a redirect does not."""
    return status is not None and 200 <= status < 300  # noqa: PLR2004 - the class of success


def write_secret(random: str) -> str:
    """Return a signing secret, whsec_<base64>, made of URL-safe random characters."""
    raw = base64.urlsafe_b64decode(random + "=" * (-len(random) % 4))
    return f"whsec_{base64.b64encode(raw).decode()}"


def headers(position: int, body: str, *, secrets: Iterable[str], now: datetime) -> dict[str, str]:
    """Return the headers of Standard Webhooks: one signature for each secret, the same id at each attempt."""
    at = now.astimezone(UTC)
    message = f"evt_{position}"
    return {
        "content-type": "application/json",
        "user-agent": "blitar-hub",
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message, at, body) for secret in secrets),
    }


def parse_url(text: str, *, inside_allowed: bool) -> httpx.URL:
    """Return the address of an endpoint. Raises Invalid (422) for what is no https address of a server.

    Plain http is for receivers at home, where `inside_allowed`.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise _invalid_url() from None
    schemes = ("https", "http") if inside_allowed else ("https",)
    if url.scheme not in schemes or not url.host or url.userinfo or url.fragment or url.port == 0:
        raise _invalid_url()
    return url


def _invalid_url() -> Invalid:
    return invalid(
        "/url",
        "webhook_url",
        Text(
            "Tulis alamat https lengkap, tanpa nama pengguna dan tanpa #.",
            "Write a whole https address, without a user name and without #.",
        ),
    )
