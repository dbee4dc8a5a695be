"""The two kinds of posting that a row can become, as the HTTP API itself reads and posts them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.allocations.schemas import PostingDraft
from app.catalog.rules import Reference
from app.demands import queries as demand_queries
from app.demands import service as demands
from app.demands.router import draft_of as demand_draft
from app.demands.schemas import DemandDraft
from app.kit.principal import Role
from app.listings import queries as listing_queries
from app.listings import service as listings
from app.listings.router import draft_of as listing_draft
from app.listings.schemas import ListingDraft
from app.parties.service import Owner

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a row becomes a posting."""

    #: whose postings they are
    role: Role
    shape: type[PostingDraft]
    #: the row of the database that a draft makes; raises Invalid (422) naming the field
    prepare: Callable[[Any, Owner, Reference, datetime], Values]
    #: stores prepared rows and returns the ids stored, without those whose external reference is taken
    publish: Callable[..., Awaitable[set[UUID]]]
    #: which of these external references an organisation has used
    used: Callable[[AsyncSession, UUID, Sequence[str]], Awaitable[set[str]]]


KINDS: Mapping[str, Kind] = {
    "listings": Kind(
        Role.PRODUCER,
        ListingDraft,
        lambda draft, owner, reference, now: listings.prepare(
            listing_draft(draft, owner), owner=owner, reference=reference, now=now
        ),
        listings.publish_many,
        listing_queries.external_refs,
    ),
    "demands": Kind(
        Role.BUYER,
        DemandDraft,
        lambda draft, owner, reference, now: demands.prepare(
            demand_draft(draft, owner), owner=owner, reference=reference, now=now
        ),
        demands.publish_many,
        demand_queries.external_refs,
    ),
}
