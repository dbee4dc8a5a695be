"""What can go wrong with orders."""

from app.kit.problems import Conflict
from app.kit.text import Text


class OrderNotUnderWay(Conflict):
    """409: the order is delivered, settled or cancelled."""

    code = "order_not_under_way"
    title = Text(
        "Pesanan ini sudah sampai, lunas, atau dibatalkan.", "This order was delivered, settled or cancelled already."
    )


class OrderLoaded(Conflict):
    """409: a part is loaded; what is not may be cancelled by the hub only."""

    code = "order_loaded"
    title = Text(
        "Sebagian pesanan sudah dimuat. Sisanya hanya dapat dibatalkan oleh hub.",
        "A part of this order is loaded. Only the hub may cancel the rest.",
    )


class NothingToCancel(Conflict):
    """409: all that you could cancel is loaded, or was cancelled before."""

    code = "nothing_to_cancel"
    title = Text(
        "Tidak ada sisa yang dapat dibatalkan: semua sudah dimuat atau dibatalkan.",
        "Nothing is left to cancel: all of it is loaded or was cancelled.",
    )


class AboveOrdered(Conflict):
    """409: more than what of the line is not loaded yet."""

    code = "above_ordered"
    title = Text(
        "Muatan melebihi sisa pesanan yang belum dimuat.", "This is more than what of the order is not loaded yet."
    )
