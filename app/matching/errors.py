"""What can go wrong when markets clear and matches are answered."""

from app.kit.db import means
from app.kit.problems import Conflict, Invalid
from app.kit.text import Text


class ClearingRunning(Conflict):
    """409: one of these pools is being cleared."""

    code = "clearing_running"
    title = Text(
        "Pencocokan lain sedang berjalan untuk komoditas ini. Coba lagi sebentar.",
        "Another run is clearing one of these commodities. Try again in a moment.",
    )

    def __init__(self) -> None:
        """Ask the client to come back in two seconds."""
        super().__init__(headers={"Retry-After": "2"})


class ClearingStale(Conflict):
    """409: the book kept moving while it was cleared; nothing was recorded."""

    code = "clearing_stale"
    title = Text(
        "Stok atau kebutuhan terus berubah selama pencocokan. Tidak ada yang dicatat; coba lagi.",
        "Stock or needs kept changing during the run. Nothing was recorded; try again.",
    )

    def __init__(self) -> None:
        """Ask the client to come back in two seconds."""
        super().__init__(headers={"Retry-After": "2"})


class MatchNotProposed(Conflict):
    """409: the match was answered or has lapsed."""

    code = "match_not_proposed"
    title = Text(
        "Usulan ini sudah dijawab atau sudah lewat batas waktunya.", "This proposal was answered or has lapsed."
    )


class BelowSmallestFill(Invalid):
    """422: confirming so little would leave an order below its smallest fill."""

    code = "below_smallest_fill"
    pointer = "/quantity"
    title = Text(
        "Jumlah ini di bawah pengambilan terkecil salah satu pihak.",
        "This quantity is below the smallest fill of one side.",
    )


class CounterOfferExists(Conflict):
    """409: there is one counter-offer per match."""

    code = "counter_offer_exists"
    title = Text("Usulan ini sudah pernah ditawar.", "A counter-offer was made for this proposal already.")


class NoCounterOffer(Conflict):
    """409: nobody made a counter-offer, it was answered, or it is your own."""

    code = "no_counter_offer"
    title = Text(
        "Tidak ada tawaran yang menunggu jawaban Anda.", "There is no counter-offer that waits for your answer."
    )


class MatchedThere(Conflict):
    """409: the same two posts have a match on that departure."""

    code = "matched_there"
    title = Text("Sudah ada usulan yang sama di jadwal itu.", "The same two have a proposal on that departure already.")


means("uq_matches_once", MatchedThere)
means("uq_counter_offers_match_id", CounterOfferExists)
