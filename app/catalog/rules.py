"""Pure rules of the catalogue: units into base units, prices per base unit, prices against references."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from app.catalog.errors import unknown_choice, unknown_commodity
from app.kit.problems import Invalid, invalid
from app.kit.text import Text

LARGEST_QUANTITY = 10**9
HIGHEST_PRICE = 10**8
#: a listing or a need lies at most this many days ahead
HORIZON_DAYS = 35


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """A unit in base units."""

    base_quantity: Decimal
    fixed: bool


@dataclass(frozen=True, slots=True)
class CommodityFacts:
    """What posting and clearing need to know of a commodity."""

    code: str
    name: str
    name_en: str
    base_unit: str
    unit_weight_g: int
    grades_substitute: bool
    #: grade code -> rank, 1 is best
    grades: Mapping[str, int]
    units: Mapping[str, UnitFacts]
    ambient_days: int
    chilled_days: int

    def grade_code(self, rank: int) -> str:
        """Return the code of the grade with this rank."""
        return next(code for code, own in self.grades.items() if own == rank)


@dataclass(frozen=True, slots=True)
class RegionFacts:
    """What posting and clearing need to know of a region."""

    code: str
    name: str
    timezone: str
    price_zone: int
    hub: str | None
    #: the region under which it is matched
    trades_as: str
    #: from the gate to the hub
    collection_idr_per_kg: int
    collection_days: int


@dataclass(frozen=True, slots=True)
class RegulatedPrice:
    """A HET, HPP or HAP."""

    kind: str
    level: str
    grade: str | None
    price_zone: int | None
    min_idr: int
    max_idr: int
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference data that every post is read against."""

    commodities: Mapping[str, CommodityFacts]
    regions: Mapping[str, RegionFacts]
    regulated: Mapping[str, tuple[RegulatedPrice, ...]]

    def commodity(self, code: str) -> CommodityFacts:
        """Return a commodity. Raises Invalid (422) naming /commodity."""
        if code not in self.commodities:
            raise unknown_commodity("/commodity", code)
        return self.commodities[code]


@dataclass(frozen=True, slots=True)
class Typed:
    """Quantity and price as somebody typed them."""

    quantity: Decimal
    unit: str
    price_idr: int
    #: None: the unit for packages, else the base unit
    price_unit: str | None
    #: in `unit`; None is one base unit
    min_quantity: Decimal | None
    #: own weight of a package, base units
    unit_base_quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class Measured:
    """The same in whole base units and whole rupiah per base unit."""

    quantity: int
    price_idr: int
    min_quantity: int
    price_unit: str


def require_grade(commodity: CommodityFacts, grade: str, pointer: str) -> None:
    """Raise Invalid (422) unless the commodity has this grade."""
    if grade not in commodity.grades:
        raise unknown_choice(pointer, "unknown_grade", commodity.code, list(commodity.grades))


def measure(commodity: CommodityFacts, typed: Typed, *, rounds_up: bool, price_field: str) -> Measured:
    """Turn what was typed into whole base units and whole rupiah per base unit (rule 11 of the trade).

    1. Quantities round down to whole base units; in the base unit itself a fraction is refused.
    2. A price per package or ton is divided by its base units: an ask rounds up (`rounds_up`), a limit down, so that
       nobody gets a worse price than the one typed.
    3. Bounds: quantity 1 to 10^9 base units, price 1 to 10^8 rupiah per base unit.

    Raises Invalid (422) naming the field.
    """
    weight = base_quantity(commodity, typed.unit, typed.unit_base_quantity, "/unit")
    quantity = _whole_units(commodity, typed.unit, typed.quantity, weight, "/quantity")
    least = 1
    if typed.min_quantity is not None:
        least = _whole_units(commodity, typed.unit, typed.min_quantity, weight, "/min_quantity")
    if least > quantity:
        raise invalid(
            "/min_quantity",
            "above_quantity",
            Text("Tidak boleh melebihi jumlah (quantity).", "It must not be above the quantity."),
        )
    price_unit = typed.price_unit or default_price_unit(commodity, typed.unit)
    own_weight = typed.unit_base_quantity if price_unit == typed.unit else None
    price = price_per_base_unit(
        typed.price_idr, base_quantity(commodity, price_unit, own_weight, "/price_unit"), rounds_up=rounds_up
    )
    if not 1 <= price <= HIGHEST_PRICE:
        raise invalid(
            f"/{price_field}",
            "price_bounds",
            Text(
                f"Harga per {commodity.base_unit} harus Rp 1 sampai Rp 100.000.000.",
                f"The price per {commodity.base_unit} must be Rp 1 to Rp 100,000,000.",
            ),
        )
    return Measured(quantity, price, least, price_unit)


def default_price_unit(commodity: CommodityFacts, unit: str) -> str:
    """Return the unit in which a price is read when none is named: packages by package, the rest by base unit."""
    return commodity.base_unit if commodity.units[unit].fixed else unit


def base_quantity(commodity: CommodityFacts, unit: str, own: Decimal | None, pointer: str) -> Decimal:
    """Return how many base units a unit holds, its own package weight where one is stated.

    Raises Invalid (422) for a unit of another commodity, or an own weight where the unit is fixed by law.
    """
    facts = commodity.units.get(unit)
    if facts is None:
        raise unknown_choice(pointer, "unknown_unit", commodity.code, list(commodity.units))
    if own is None:
        return facts.base_quantity
    if facts.fixed:
        raise invalid(
            "/unit_base_quantity",
            "fixed_unit",
            Text(f"Isi {unit} sudah baku; hapus isian ini.", f"A {unit} is fixed by law; remove this field."),
        )
    return own


def _whole_units(commodity: CommodityFacts, unit: str, quantity: Decimal, weight: Decimal, pointer: str) -> int:
    if unit == commodity.base_unit and quantity != quantity.to_integral_value():
        raise invalid(
            pointer,
            "not_whole",
            Text(f"Harus {unit} bulat.", f"It must be a whole number of {unit}."),
        )
    whole = int((quantity * weight).to_integral_value(ROUND_FLOOR))
    if not 1 <= whole <= LARGEST_QUANTITY:
        raise invalid(
            pointer,
            "quantity_bounds",
            Text(
                f"Harus 1 sampai 1.000.000.000 {commodity.base_unit}; yang diisi menjadi {whole}.",
                f"It must be 1 to 1,000,000,000 {commodity.base_unit}; this comes to {whole}.",
            ),
        )
    return whole


def price_per_base_unit(price_idr: int, base_units: Decimal, *, rounds_up: bool) -> int:
    """Return whole rupiah per base unit: up for an ask, down for a limit."""
    exact = Decimal(price_idr) / base_units
    return int(exact.to_integral_value(ROUND_CEILING if rounds_up else ROUND_FLOOR))


def check_window(first: date, last: date, today: date, *, first_field: str, last_field: str) -> None:
    """Refuse windows that are reversed, over, or end beyond the horizon. Raises Invalid (422) naming the field."""
    problem: Invalid | None = None
    if last < first:
        problem = invalid(
            f"/{last_field}",
            "reversed_window",
            Text(f"Tidak boleh sebelum {first_field}.", f"It must not be before {first_field}."),
        )
    elif last < today:
        problem = invalid(f"/{last_field}", "in_the_past", Text("Sudah lewat.", "It is in the past."))
    elif (last - today).days > HORIZON_DAYS:
        problem = invalid(
            f"/{last_field}",
            "beyond_horizon",
            Text(f"Paling lama {HORIZON_DAYS} hari dari hari ini.", f"At most {HORIZON_DAYS} days from today."),
        )
    elif (today - first).days > HORIZON_DAYS:
        problem = invalid(f"/{first_field}", "in_the_past", Text("Terlalu lama lewat.", "It is too long ago."))
    if problem is not None:
        raise problem


def check_price_validity(valid_until: date | None, today: date) -> None:
    """Refuse a price that no longer holds when it is posted. Raises Invalid (422)."""
    if valid_until is not None and valid_until < today:
        raise invalid("/price_valid_until", "in_the_past", Text("Sudah lewat.", "It is in the past."))


#: which regulated levels speak about an ask at the gate, and which about a delivered limit
ASK_LEVELS = ("farm_gate", "producer", "mill")
LIMIT_LEVELS = ("consumer",)


def price_notes(
    regulated: tuple[RegulatedPrice, ...],
    *,
    price_idr: int,
    grade: str,
    price_zone: int,
    levels: tuple[str, ...],
    on: date,
) -> list[dict[str, int | str]]:
    """Mark a price against the HET, HPP and HAP of that day, grade and price zone."""
    return [
        {
            "kind": price.kind,
            "level": price.level,
            "min_idr": price.min_idr,
            "max_idr": price.max_idr,
            "position": _position(price_idr, price),
        }
        for price in regulated
        if price.level in levels
        and price.grade in (None, grade)
        and price.price_zone in (None, price_zone)
        and price.valid_from <= on
        and (price.valid_until is None or on <= price.valid_until)
    ]


def _position(price_idr: int, price: RegulatedPrice) -> str:
    if price_idr < price.min_idr:
        return "below"
    if price_idr > price.max_idr:
        return "above"
    return "at" if price.min_idr == price.max_idr else "within"


def shown(quantity: Decimal) -> str:
    """Return a quantity as people write it: no exponent, no trailing zeros."""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
