"""One intent, one effect: a POST sent again with its Idempotency-Key gets the first answer, byte for byte.

The answer is stored in the transaction of the change itself, so both exist or neither does. Kept 72 hours, per
organisation. After the IETF draft "The Idempotency-Key HTTP Header Field".
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import JSON, LargeBinary, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Instant
from app.kit.db import Base, means
from app.kit.problems import Conflict, Invalid, invalid
from app.kit.text import Text

F = TypeVar("F", bound=Callable[..., Any])

KEPT = timedelta(hours=72)
LONGEST_KEY = 200
#: headers of the first answer that a replay repeats
REPEATED_HEADERS = ("content-type", "location", "etag")


class StoredAnswer(Base):
    """The answer to a POST that carried an Idempotency-Key."""

    __tablename__ = "idempotency_keys"

    organization_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    #: SHA-256 of method, address and body
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Instant] = mapped_column(index=True)


class KeyInUse(Conflict):
    """409: the first request with this key is still running."""

    code = "idempotency_key_in_use"
    title = Text(
        "Permintaan pertama dengan Idempotency-Key ini masih berjalan. Coba lagi sebentar.",
        "The first request with this Idempotency-Key is still running. Try again in a moment.",
    )

    def __init__(self) -> None:
        """Ask the client to come back in a second."""
        super().__init__(headers={"Retry-After": "1"})


class KeyReused(Invalid):
    """422: the key was used with another request."""

    code = "idempotency_key_reused"
    title = Text(
        "Idempotency-Key ini sudah dipakai untuk permintaan lain.",
        "This Idempotency-Key was used with another request.",
    )


means("pk_idempotency_keys", KeyInUse)


class Replay(Exception):
    """Not an error: the request was answered before, here is that answer."""

    def __init__(self, stored: StoredAnswer) -> None:
        """Carry the stored answer to the edge."""
        super().__init__(stored.key)
        self.response = Response(stored.body, stored.status, headers={**stored.headers, "Idempotency-Replayed": "true"})


@dataclass(frozen=True, slots=True)
class Pending:
    """A first request with a key, to be stored once it is answered."""

    organization_id: UUID
    key: str
    fingerprint: bytes


def replays_without(field: str) -> Callable[[F], F]:
    """Mark an endpoint whose stored answer leaves out one field of the body: a secret is shown once."""

    def marked(endpoint: F) -> F:
        endpoint.replays_without = field  # type: ignore[attr-defined]  # a mark on a function
        return endpoint

    return marked


async def begin_once(request: Request, session: AsyncSession, organization_id: UUID, *, key: str | None = None) -> None:
    """Answer a repeated POST from the store, or note the key so that `store_once` keeps the answer.

    The key is the header's, or `key` where a plain form, which has no headers, brings it in a field.
    Raises Replay with the first answer, KeyReused (422) for another body, KeyInUse (409) while the first runs.
    """
    key = request.headers.get("idempotency-key", key)
    if request.method != "POST" or key is None:
        return
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise invalid(
            "Idempotency-Key", "length", Text("Harus 1 sampai 200 karakter.", "It must have 1 to 200 characters.")
        )
    parts = (request.method, request.url.path, request.url.query)
    fingerprint = hashlib.sha256("\n".join(parts).encode() + b"\n" + await request.body()).digest()
    # The lock ends with the transaction; the unique key below it decides where an endpoint manages its own.
    lock = func.pg_try_advisory_xact_lock(func.hashtextextended(f"{organization_id}:{key}", 0))
    if not await session.scalar(select(lock)):
        raise KeyInUse
    stored = await session.get(StoredAnswer, (organization_id, key))
    if stored is not None:
        if stored.fingerprint != fingerprint:
            raise KeyReused
        raise Replay(stored)
    request.state.idempotency = Pending(organization_id, key, fingerprint)


async def store_once(request: Request, response: Response, now: datetime) -> None:
    """Keep the answer of a first request with a key, in the transaction of its change.

    Nothing is kept of refusals: they changed nothing, and the same request may fare better later.
    """
    pending: Pending | None = getattr(request.state, "idempotency", None)
    if pending is None or response.status_code >= 400:  # noqa: PLR2004 - the first status of an error
        return
    body = bytes(response.body)
    hidden = getattr(request.scope["route"].endpoint, "replays_without", None)
    if hidden is not None:
        body = json.dumps({name: value for name, value in json.loads(body).items() if name != hidden}).encode()
    request.state.session.add(
        StoredAnswer(
            organization_id=pending.organization_id,
            key=pending.key,
            fingerprint=pending.fingerprint,
            status=response.status_code,
            headers={name: response.headers[name] for name in REPEATED_HEADERS if name in response.headers},
            body=body,
            created_at=now,
        )
    )
    await request.state.session.flush()


async def forget_old_answers(session: AsyncSession, now: datetime) -> None:
    """Delete answers that were kept for 72 hours."""
    await session.execute(delete(StoredAnswer).where(StoredAnswer.created_at < now - KEPT))
