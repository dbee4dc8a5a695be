"""Who is asking."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What an organisation is to the hub."""

    PRODUCER = "producer"
    BUYER = "buyer"
    HUB = "hub"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True)
class Principal:
    """The organisation behind a request and the key it used."""

    organization_id: UUID
    role: Role
    #: region code of the organisation
    region: str
    #: region code of its hub
    hub: str
    #: the key that acted; None for a command at the server and a session begun by a link
    key_id: UUID | None = None
    #: the browser's session that acted, if one did
    session_id: UUID | None = None

    @property
    def is_hub(self) -> bool:
        """Whether the hub itself is asking."""
        return self.role is Role.HUB
