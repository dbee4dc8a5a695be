"""Pure rules of demands: what is accepted, with which defaults."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.catalog.rules import (
    Reference,
    RegionFacts,
    Typed,
    check_price_validity,
    check_window,
    measure,
    require_grade,
    shown,
)
from app.kit.problems import invalid
from app.kit.text import Text

DEFAULT_WINDOW_DAYS = 14


@dataclass(frozen=True, slots=True)
class Draft:
    """A demand as posted; None takes the default."""

    commodity: str
    min_grade: str
    region: str
    delivery: str
    typed: Typed
    deliver_from: date | None
    deliver_by: date | None
    min_remaining_shelf_life_days: int
    price_valid_until: date | None
    external_ref: str | None
    note: str | None


def accept(draft: Draft, *, reference: Reference, today: date) -> dict[str, Any]:
    """Return the values of the demand that a draft makes.

    1. Commodity, lowest grade and region exist.
    2. Quantities become whole base units, the limit whole rupiah per base unit, rounded down (rule 11).
    3. It may arrive from tomorrow, for 14 days after today, unless said otherwise.

    Raises Invalid (422) naming the field.
    """
    commodity = reference.commodity(draft.commodity)
    require_grade(commodity, draft.min_grade, "/min_grade")
    region = known_region(reference, draft.region)
    measured = measure(commodity, draft.typed, rounds_up=False, price_field="max_price_idr")
    first = draft.deliver_from or today + timedelta(days=1)
    last = draft.deliver_by or max(first, today + timedelta(days=DEFAULT_WINDOW_DAYS))
    check_window(first, last, today, first_field="deliver_from", last_field="deliver_by")
    check_price_validity(draft.price_valid_until, today)
    return {
        "commodity": commodity.code,
        "min_grade": draft.min_grade,
        "region": region.code,
        "delivery": draft.delivery,
        "quantity": measured.quantity,
        "min_quantity": measured.min_quantity,
        "max_price_idr": measured.price_idr,
        "entered_quantity": shown(draft.typed.quantity),
        "entered_unit": draft.typed.unit,
        "entered_price_idr": draft.typed.price_idr,
        "entered_price_unit": measured.price_unit,
        "unit_base_quantity": draft.typed.unit_base_quantity,
        "deliver_from": first,
        "deliver_by": last,
        "min_remaining_shelf_life_days": draft.min_remaining_shelf_life_days,
        "price_valid_until": draft.price_valid_until,
        "external_ref": draft.external_ref,
        "note": draft.note,
    }


def known_region(reference: Reference, code: str) -> RegionFacts:
    """Return a region. Raises Invalid (422) naming /region."""
    if code not in reference.regions:
        raise invalid(
            "/region",
            "unknown_region",
            Text(f"Wilayah {code} tidak dikenal. Lihat GET /v1/regions.", f"There is no region {code}."),
        )
    return reference.regions[code]
