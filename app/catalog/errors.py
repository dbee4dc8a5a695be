"""What can go wrong with commodities, grades, units, quantities and prices."""

from app.kit.db import means
from app.kit.problems import Invalid, invalid
from app.kit.text import Text


def unknown_commodity(pointer: str, code: str) -> Invalid:
    """Return a 422: there is no such commodity."""
    return invalid(
        pointer,
        "unknown_commodity",
        Text(
            f"Komoditas {code} tidak dikenal. Lihat GET /v1/commodities.",
            f"There is no commodity {code}. See GET /v1/commodities.",
        ),
    )


def unknown_choice(pointer: str, code: str, commodity: str, choices: list[str]) -> Invalid:
    """Return a 422: the commodity has no such grade or unit; name those it has."""
    names = ", ".join(choices)
    return invalid(
        pointer,
        code,
        Text(f"Tidak ada pada {commodity}. Pilih salah satu: {names}.", f"{commodity} has: {names}."),
    )


class PriceRange(Invalid):
    """422: min_idr above max_idr."""

    code = "price_range"
    pointer = "/max_idr"
    title = Text("min_idr tidak boleh di atas max_idr.", "min_idr must not be above max_idr.")


class ReferenceDays(Invalid):
    """422: a reference that ends before it begins."""

    code = "reference_days"
    pointer = "/valid_until"
    title = Text("valid_until tidak boleh sebelum valid_from.", "valid_until must not be before valid_from.")


means("ck_price_references_range", PriceRange)
means("ck_price_references_days", ReferenceDays)
