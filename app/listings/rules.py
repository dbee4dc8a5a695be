"""Pure rules of listings: what is accepted, with which defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.catalog.rules import (
    CommodityFacts,
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

DEFAULT_WINDOW_DAYS = 7
#: the longest shelf life the hub keeps, days
LONGEST_LIFE_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Draft:
    """A listing as posted; None takes the default."""

    commodity: str
    grade: str
    region: str
    typed: Typed
    available_from: date | None
    available_until: date | None
    best_before: date | None
    best_before_chilled: date | None
    price_valid_until: date | None
    papers: Mapping[str, Any]
    external_ref: str | None
    note: str | None


def accept(draft: Draft, *, reference: Reference, today: date) -> dict[str, Any]:
    """Return the values of the listing that a draft makes.

    1. Commodity and grade exist; the region is gathered by a hub.
    2. Quantities become whole base units, the ask whole rupiah per base unit, rounded up (rule 11).
    3. It is available from today for seven days, unless said otherwise; best before follows from the shelf life.

    Raises Invalid (422) naming the field.
    """
    commodity = reference.commodity(draft.commodity)
    require_grade(commodity, draft.grade, "/grade")
    region = gathered_region(reference, draft.region)
    measured = measure(commodity, draft.typed, rounds_up=True, price_field="price_idr")
    first = draft.available_from or today
    last = draft.available_until or max(first, today) + timedelta(days=DEFAULT_WINDOW_DAYS)
    check_window(first, last, today, first_field="available_from", last_field="available_until")
    check_price_validity(draft.price_valid_until, today)
    best_before, best_before_chilled = _shelf_life(draft, commodity, first)
    return {
        "commodity": commodity.code,
        "grade": draft.grade,
        "region": region.code,
        "hub": region.hub,
        "quantity": measured.quantity,
        "min_quantity": measured.min_quantity,
        "price_idr": measured.price_idr,
        "entered_quantity": shown(draft.typed.quantity),
        "entered_unit": draft.typed.unit,
        "entered_price_idr": draft.typed.price_idr,
        "entered_price_unit": measured.price_unit,
        "unit_base_quantity": draft.typed.unit_base_quantity,
        "available_from": first,
        "available_until": last,
        "best_before": best_before,
        "best_before_chilled": best_before_chilled,
        "price_valid_until": draft.price_valid_until,
        "papers": dict(draft.papers),
        "external_ref": draft.external_ref,
        "note": draft.note,
    }


def gathered_region(reference: Reference, code: str) -> RegionFacts:
    """Return a region whose supply a hub gathers. Raises Invalid (422) naming /region."""
    region = reference.regions.get(code)
    if region is None or region.hub is None:
        raise invalid(
            "/region",
            "no_hub",
            Text(f"Tidak ada hub yang mengumpulkan dari {code}.", f"No hub gathers supply from {code}."),
        )
    return region


def _shelf_life(draft: Draft, commodity: CommodityFacts, first: date) -> tuple[date, date]:
    ambient = draft.best_before or first + timedelta(days=commodity.ambient_days)
    chilled = draft.best_before_chilled or max(ambient, first + timedelta(days=commodity.chilled_days))
    for field, day in (("best_before", ambient), ("best_before_chilled", chilled)):
        if not 0 <= (day - first).days <= LONGEST_LIFE_DAYS:
            raise invalid(
                f"/{field}",
                "shelf_life",
                Text(
                    "Tidak boleh sebelum available_from, dan paling lama 10 tahun sesudahnya.",
                    "It must not be before available_from, and at most 10 years after it.",
                ),
            )
    return ambient, chilled
