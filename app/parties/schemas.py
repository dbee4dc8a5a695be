"""Shapes of organisations and keys."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.kit.principal import Role
from app.kit.validation import Answer, Code, Line, Patch, Shape, Whole, may_change

Status = Literal["active", "suspended"]
#: a token or a key; longer ones are refused unread
Secret = Annotated[Line, Field(max_length=200)]
Terms = Literal["cash", "down_payment", "net_7", "net_14", "net_30"]
Telephone = Annotated[str, Field(pattern=r"^\+?[0-9][0-9 -]{5,19}$", examples=["+6281234567890"])]


class OrganizationAnswer(Answer):
    """A party of the trade."""

    id: UUID
    name: str
    role: Role
    kind: str
    region: str
    hub: str
    place: str | None
    contact: str | None
    telephone: str | None
    status: Status
    payment_terms: Terms = Field(description="how a buyer pays, unless an order says otherwise")
    created_at: datetime
    version: int


class OrganizationDraft(Shape):
    """A new organisation; who both sells and buys registers twice."""

    name: Line = Field(examples=["Koperasi peternak Ponggok"])
    role: Role = Field(examples=["producer"])
    kind: Line = Field(examples=["koperasi"])
    region: Code = Field(examples=["35.05"])
    place: Line | None = None
    contact: Line | None = None
    telephone: Telephone | None = None
    payment_terms: Terms = "cash"


class OrganizationPatch(Patch):
    """What the hub may change of an organisation."""

    name: Line = may_change()
    kind: Line = may_change()
    place: Line | None = may_change()
    contact: Line | None = may_change()
    telephone: Telephone | None = may_change()
    status: Status = may_change()
    payment_terms: Terms = may_change()


class Me(Answer):
    """Who the key belongs to."""

    organization: OrganizationAnswer
    key_id: UUID | None


class ApiKeyAnswer(Answer):
    """A key, without its secret."""

    id: UUID
    label: str | None
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewApiKey(ApiKeyAnswer):
    """A new key: the secret is shown this once."""

    secret: str | None = Field(None, description="the whole key; absent when the answer is replayed")


class ApiKeyDraft(Shape):
    """A new key."""

    label: Line | None = Field(None, examples=["telepon Bu Sri"])


class Rotation(Shape):
    """How long the old key still works."""

    overlap_hours: Annotated[Whole, Field(ge=0, le=168)] = 24


class NewSignInLink(Answer):
    """A link to send to a party: it opens one session."""

    id: UUID
    organization: UUID
    path: str | None = Field(
        None, description="address under this server, with the token; absent when the answer is replayed"
    )
    created_at: datetime
    expires_at: datetime


class SessionDraft(Shape):
    """How a browser signs in: with the token of a link, or with a key."""

    link_token: Secret | None = None
    api_key: Secret | None = Field(None, examples=["btc_demo_…"])

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        """Refuse none and both."""
        if (self.link_token is None) == (self.api_key is None):
            raise PydanticCustomError("one_of", "give either link_token or api_key")
        return self


class SessionAnswer(Answer):
    """A session; its token is in a cookie that no script reads."""

    organization: OrganizationAnswer
    csrf_token: str = Field(description="to be sent back as X-CSRF-Token with every change; also in a cookie")
    expires_at: datetime
