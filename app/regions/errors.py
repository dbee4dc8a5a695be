"""What can go wrong with regions and agreements."""

from app.kit.db import means
from app.kit.problems import Invalid, invalid
from app.kit.text import Text


def unknown_region(pointer: str, code: str) -> Invalid:
    """Return a 422: there is no region with this code."""
    return invalid(
        pointer,
        "unknown_region",
        Text(f"Wilayah {code} tidak dikenal. Lihat GET /v1/regions.", f"There is no region {code}. See /v1/regions."),
    )


def unknown_commodity(pointer: str, code: str) -> Invalid:
    """Return a 422: there is no commodity with this code."""
    return invalid(
        pointer,
        "unknown_commodity",
        Text(f"Komoditas {code} tidak dikenal. Lihat GET /v1/commodities.", f"There is no commodity {code}."),
    )


class AgreementDays(Invalid):
    """422: an agreement that ends before it begins."""

    code = "agreement_days"
    pointer = "/valid_until"
    title = Text("valid_until tidak boleh sebelum signed_on.", "valid_until must not be before signed_on.")


means("ck_agreements_days", AgreementDays)
