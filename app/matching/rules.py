"""Pure rules of matches: transitions, time to answer, who sees which figure, and what refusals say."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from app.kit.text import Text

#: time to answer a proposal, unless its departure closes earlier
ANSWER_WITHIN = timedelta(hours=24)
#: figures that come from another party's ask or limit are told in steps of this
ROUNDED_TO_IDR = 100


class State(StrEnum):
    """Where a match stands."""

    DRY_RUN = "dry_run"
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    LAPSED = "lapsed"


class Side(StrEnum):
    """The two sides of a match."""

    LISTING = "listing"
    DEMAND = "demand"


#: (from, to) -> the event it is told by
TRANSITIONS: dict[tuple[State, State], str] = {
    (State.PROPOSED, State.CONFIRMED): "match.confirmed",
    (State.PROPOSED, State.DECLINED): "match.declined",
    (State.PROPOSED, State.LAPSED): "match.lapsed",
}


def expires_at(now: datetime, *, last_day: date, timezone: str) -> datetime:
    """Return when a proposal lapses: after 24 hours, or at the end of the last day (hub time), whichever is earlier.

    The last day is the departure's closing day; where the buyer fetches at the hub, the day before.
    """
    closes = datetime.combine(last_day + timedelta(days=1), time(), tzinfo=ZoneInfo(timezone))
    return min(now + ANSWER_WITHIN, closes)


def may_be_answered(status: str, expires: datetime, now: datetime) -> bool:
    """Tell whether a match still waits for an answer."""
    return status == State.PROPOSED and now < expires


def rounded_up(figure_idr: int) -> int:
    """Round a figure up to Rp 100, so that no exact ask can be read from it."""
    return -(-figure_idr // ROUNDED_TO_IDR) * ROUNDED_TO_IDR


def rounded_down(figure_idr: int) -> int:
    """Round a figure down to Rp 100, so that no exact limit can be read from it."""
    return figure_idr // ROUNDED_TO_IDR * ROUNDED_TO_IDR


def shown_detail(detail: Mapping[str, Any], *, quantity: int, exact: bool) -> dict[str, Any]:
    """Return the figures behind a reason; they come from others' asks and limits: only the hub sees them exactly.

    `quantity` base units were left: what was missed rounds up by the unit, or the total would tell the price of one.
    """
    if exact:
        return dict(detail)
    shown = dict(detail)
    for name in ("gap_idr", "scarcity_idr"):
        if name in shown:
            shown[name] = rounded_up(shown[name])
    if "missed_idr" in shown:
        shown["missed_idr"] = quantity * rounded_up(-(-shown["missed_idr"] // quantity))
    return shown


#: reason -> (told to a demand, told to a listing); {gap} is rupiah
SENTENCES: Mapping[str, tuple[Text, Text]] = {
    "no_counterparty": (
        Text("Belum ada stok komoditas ini.", "Nobody offers this commodity yet."),
        Text("Belum ada kebutuhan komoditas ini.", "Nobody needs this commodity yet."),
    ),
    "no_agreement": (
        Text("Wilayah ini belum punya perjanjian yang berlaku dengan hub.", "The region has no agreement in force."),
        Text("Kota peminat belum punya perjanjian yang berlaku.", "The cities that ask have no agreement in force."),
    ),
    "no_lane": (
        Text("Belum ada rute ke wilayah ini.", "There is no lane to this region."),
        Text("Belum ada rute ke kota peminat.", "There is no lane to the cities that ask."),
    ),
    "grade": (
        Text("Tidak ada stok dengan kualitas yang diminta.", "No stock has the grade you ask for."),
        Text("Kualitas ini di bawah yang diminta pembeli.", "The grade is below what buyers ask for."),
    ),
    "window": (
        Text("Tidak ada jadwal kirim yang cocok dengan tanggal Anda.", "No departure fits your days."),
        Text(
            "Tidak ada jadwal kirim yang cocok dengan tanggal stok Anda.", "No departure fits the days of your stock."
        ),
    ),
    "freshness": (
        Text(
            "Saat tiba, sisa umur stok kurang dari yang Anda minta.", "On arrival too little shelf life would be left."
        ),
        Text("Saat tiba, sisa umur stok Anda kurang dari yang diminta.", "On arrival too little shelf life is left."),
    ),
    "price_expired": (
        Text("Masa berlaku harga sudah lewat. Perpanjang dengan satu ketukan.", "The price no longer holds. Renew it."),
        Text("Masa berlaku harga sudah lewat. Perpanjang dengan satu ketukan.", "The price no longer holds. Renew it."),
    ),
    "min_quantity": (
        Text("Jumlah terkecil yang diminta tidak dapat dipenuhi.", "The smallest fill could not be met."),
        Text("Jumlah terkecil yang diminta tidak dapat dipenuhi.", "The smallest fill could not be met."),
    ),
    "price_gap": (
        Text(
            "Penawaran termurah masih Rp {gap} per satuan di atas batas harga Anda.",
            "The cheapest offer is still Rp {gap} a unit above your limit.",
        ),
        Text(
            "Batas harga tertinggi masih Rp {gap} per satuan di bawah harga Anda.",
            "The highest limit is still Rp {gap} a unit below your ask.",
        ),
    ),
    "lane_full": (
        Text("Jadwal kirim yang cocok sudah penuh.", "The departures that would fit are full."),
        Text("Jadwal kirim yang cocok sudah penuh.", "The departures that would fit are full."),
    ),
    "outbid": (
        Text(
            "Stok yang cocok terjual ke pembeli lain; kurang Rp {gap} per satuan.",
            "The stock that fits went to another buyer; you were Rp {gap} a unit short.",
        ),
        Text(
            "Kebutuhan yang cocok diisi penjual lain; lebih Rp {gap} per satuan.",
            "The needs that fit were served by others; you were Rp {gap} a unit over.",
        ),
    ),
    "sold_out": (
        Text("Semua stok yang terjangkau sudah habis.", "All the stock within your limit is gone."),
        Text("Semua kebutuhan yang terjangkau sudah terisi.", "All the needs within your ask are served."),
    ),
}


#: outbid without a difference in price: who stood at the same price came first
OUTBID_AT_THE_SAME_PRICE = (
    Text(
        "Stok yang cocok terjual ke pembeli lain; batas harga Anda sama dengan harga yang terbentuk.",
        "The stock that fits went to other buyers; your limit was just that price.",
    ),
    Text(
        "Kebutuhan yang cocok diisi penjual lain; harga Anda sama dengan harga yang terbentuk.",
        "The needs that fit were served by others; your ask was just that price.",
    ),
)


def explained(reason: str, side: str, detail: Mapping[str, Any], language: str) -> str:
    """Return the sentence that tells one side why its order was left."""
    difference = detail.get("gap_idr", 0)
    sentences = SENTENCES[reason] if difference or reason != "outbid" else OUTBID_AT_THE_SAME_PRICE
    sentence = sentences[0 if side == Side.DEMAND else 1].read(language)
    gap = f"{difference:,}"
    return sentence.format(gap=gap if language == "en" else gap.replace(",", "."))


def total_after(quantities: Mapping[Any, int], changed: Any, quantity: int) -> int:
    """Return an order's total over its matches in a run once one of them takes another quantity."""
    return sum(quantities.values()) - quantities[changed] + quantity


def falls_short(total: int, least: int) -> bool:
    """Tell whether an order trades something, but less than its smallest fill (rule 7)."""
    return 0 < total < least
