"""Jual and Beli as plain forms: five fields, units as people say them, the price reference beside the field."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.rules import ASK_LEVELS, LIMIT_LEVELS, CommodityFacts, Reference, RegulatedPrice
from app.demands.router import publish_demand
from app.demands.schemas import DemandDraft
from app.kit.principal import Principal, Role
from app.kit.problems import Invalid, TooLarge
from app.kit.text import Text
from app.kit.validation import field_errors
from app.listings.router import publish_listing
from app.listings.schemas import ListingDraft
from app.web.rules import SELL, Page, number_of

#: fields that a form of ours may send
MOST_FIELDS = 20
#: bytes of a form, far above what five fields hold
LARGEST_FORM = 20_000
NOT_A_NUMBER = Text("Tulis angka, misalnya 400 atau 2,5.", "Write a number, such as 400 or 2,5.")
NOT_RUPIAH = Text("Tulis rupiah bulat, misalnya 26.500.", "Write whole rupiah, such as 26.500.")


@dataclass(frozen=True, slots=True)
class Side:
    """What differs between selling and buying."""

    grade: str
    price: str
    role: Role
    levels: tuple[str, ...]


SELLING = Side("grade", "price_idr", Role.PRODUCER, ASK_LEVELS)
BUYING = Side("min_grade", "max_price_idr", Role.BUYER, LIMIT_LEVELS)


def side_of(page: Page) -> Side:
    """Return which side posts on a page."""
    return SELLING if page is SELL else BUYING


async def fields_of(request: Request) -> dict[str, str]:
    """Return the fields of a form (application/x-www-form-urlencoded). Raises TooLarge (413), Invalid (422)."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise TooLarge
    # Starlette's Request.body() answers from here, so that a repeated form is recognised
    request._body = body  # noqa: SLF001 - the one place where a form is read
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise Invalid from error


@dataclass(slots=True)
class Filled:
    """What somebody has filled in, and what is wrong with it by field."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, Text] = field(default_factory=dict)


def draft_of(page: Page, values: Mapping[str, str]) -> BaseModel | Filled:
    """Return the post that a form describes, or the form with what is wrong."""
    side = side_of(page)
    filled = Filled(values)
    quantity, price = number_of(values.get("quantity", "")), number_of(values.get(side.price, ""))
    if not quantity:
        filled.errors["quantity"] = NOT_A_NUMBER
    if not price or price != int(price):
        filled.errors[side.price] = NOT_RUPIAH
    if filled.errors:
        return filled
    content: dict[str, Any] = {name: values[name] for name in ("commodity", side.grade, "unit") if values.get(name)}
    if values.get("organization"):
        content["organization"] = values["organization"]
    try:
        shape = ListingDraft if page is SELL else DemandDraft
        return shape.model_validate({**content, "quantity": str(quantity), side.price: int(price or 0)})
    except ValidationError as error:
        told = field_errors([{**one, "loc": ("body", *one["loc"])} for one in error.errors()])
        filled.errors |= {one.pointer.removeprefix("/"): one.detail for one in told}
        return filled


async def publish(
    session: AsyncSession, draft: BaseModel, *, principal: Principal, reference: Reference, now: datetime
) -> UUID:
    """Publish a post through the same door as the API; returns its id. Raises what that door raises."""
    if isinstance(draft, ListingDraft):
        return (await publish_listing(session, principal, draft, reference, Response(), now)).id
    assert isinstance(draft, DemandDraft)  # noqa: S101 - there are two shapes
    return (await publish_demand(session, principal, draft, reference, Response(), now)).id


def references_of(
    reference: Reference, page: Page, commodity: CommodityFacts, zones: Collection[int], today: date
) -> list[RegulatedPrice]:
    """Return the HET, HPP and HAP that speak about a price typed here, today and in these price zones."""
    return [
        price
        for price in reference.regulated.get(commodity.code, ())
        if price.level in side_of(page).levels
        and (price.price_zone is None or price.price_zone in zones)
        and price.valid_from <= today
        and (price.valid_until is None or today <= price.valid_until)
    ]
