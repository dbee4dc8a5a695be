"""Rows of organisations and API keys."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Instant
from app.kit.db import Base


class Organization(Base):
    """A party of the trade, or the hub itself."""

    __tablename__ = "organizations"
    __table_args__ = (
        UniqueConstraint("hub", "role", "name"),
        CheckConstraint("role IN ('producer', 'buyer', 'hub', 'observer')", name="role"),
        CheckConstraint("status IN ('active', 'suspended')", name="status"),
        CheckConstraint("payment_terms IN ('cash', 'down_payment', 'net_7', 'net_14', 'net_30')", name="payment_terms"),
        CheckConstraint(
            "record_on_time BETWEEN 0 AND record_orders AND record_refused BETWEEN 0 AND record_orders", name="record"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    #: peternak, koperasi, pedagang, penggilingan, UMKM, BUMD, ritel, ...
    kind: Mapped[str]
    region: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    #: the hub that registered it
    hub: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    #: village, market or street
    place: Mapped[str | None]
    contact: Mapped[str | None]
    telephone: Mapped[str | None]
    status: Mapped[str]
    #: how a buyer pays unless an order says otherwise
    payment_terms: Mapped[str] = mapped_column(default="cash")
    #: how it has kept its word: orders delivered (a buyer's: paid), those of them on time, those with goods refused
    record_orders: Mapped[int] = mapped_column(default=0)
    record_on_time: Mapped[int] = mapped_column(default=0)
    record_refused: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Instant]


class ApiKey(Base):
    """A key of an organisation: its prefix finds it, its hash proves it."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), index=True)
    label: Mapped[str | None]
    #: first characters of the key, shown in lists
    prefix: Mapped[str] = mapped_column(unique=True)
    #: SHA-256 of the whole key: it has 256 random bits, so a slow hash would add nothing
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Instant]
    #: end of the overlap after a rotation
    expires_at: Mapped[Instant | None]
    revoked_at: Mapped[Instant | None]
    last_used_at: Mapped[Instant | None]


class SignInLink(Base):
    """A link that the hub sends to a party without a key: it opens one session, once, soon."""

    __tablename__ = "sign_in_links"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), index=True)
    #: SHA-256 of the token: it has 256 random bits
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    used_at: Mapped[Instant | None]


class BrowserSession(Base):
    """A browser that signed in by a link or a key; it ends by itself, on signing out, or with its key."""

    __tablename__ = "browser_sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), index=True)
    #: the key it was begun with; None where a link was
    key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"))
    #: SHA-256 of the token in the cookie
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]
