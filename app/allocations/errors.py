"""What can go wrong when quantity moves."""

from app.kit.db import means
from app.kit.problems import Conflict
from app.kit.text import Text


class QuantityGone(Conflict):
    """409: somebody else's claim came first."""

    code = "quantity_gone"
    title = Text(
        "Jumlah itu sudah tidak tersedia; data berubah bersamaan. Baca lagi, lalu ulangi.",
        "That quantity is no longer there; it changed at the same time. Read again and retry.",
    )


class NotLive(Conflict):
    """409: the posting is closed."""

    code = "not_live"
    title = Text(
        "Sudah ditarik atau kedaluwarsa. Pasang yang baru.", "It was withdrawn or has expired. Post a new one."
    )


class BelowMatched(Conflict):
    """409: a quantity below what is proposed, ordered or withdrawn."""

    code = "below_matched"
    pointer = "/quantity"
    title = Text(
        "Jumlah tidak boleh di bawah yang sudah diusulkan, dipesan atau ditarik.",
        "The quantity must not go below what is proposed, ordered or withdrawn.",
    )


class ExternalRefTaken(Conflict):
    """409: the organisation used this external_ref before."""

    code = "external_ref_taken"
    pointer = "/external_ref"
    title = Text(
        "external_ref ini sudah dipakai untuk pemasangan lain.", "This external_ref was used for another post."
    )


means("uq_listings_organization_id_external_ref", ExternalRefTaken)
means("uq_demands_organization_id_external_ref", ExternalRefTaken)
