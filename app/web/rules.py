"""Pure rules of the pages: which there are, what they are called, who they are for, and how people write numbers."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from app.catalog.rules import UnitFacts, shown
from app.kit.principal import Role
from app.kit.text import Text

LANGUAGES = ("id", "en")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the hub."""

    path: str
    title: Text
    #: what it answers, in one sentence
    lead: Text
    #: its source in `ui/src/pages/`
    entry: str
    #: addresses it reads first, fetched while its script still loads; {monday} and {sunday} are days of this week
    data: tuple[str, ...] = ()
    #: who it is for; empty: everybody
    roles: frozenset[Role] = frozenset()


SELLERS = frozenset({Role.PRODUCER, Role.HUB})
PURCHASERS = frozenset({Role.BUYER, Role.HUB})

TODAY = Page(
    "/",
    Text("Hari ini", "Today"),
    Text(
        "Berapa yang diperdagangkan lewat Kota Blitar, dan apa yang masih perlu diurus.",
        "What is traded through Kota Blitar, and what still needs seeing to.",
    ),
    "hari-ini",
    ("/v1/dashboard/summary?from={monday}&until={sunday}", "/v1/dashboard/flows", "/v1/dashboard/balance"),
)
SELL = Page(
    "/jual",
    Text("Jual", "Sell"),
    Text(
        "Pasang stok. Lima isian, lalu hub mencarikan pembeli.", "Post stock. Five fields, and the hub finds a buyer."
    ),
    "pasang",
    roles=SELLERS,
)
BUY = Page(
    "/beli",
    Text("Beli", "Buy"),
    Text(
        "Pasang kebutuhan. Lima isian, lalu hub mencarikan stok.", "Post a need. Five fields, and the hub finds stock."
    ),
    "pasang",
    roles=PURCHASERS,
)
MY_SALES = Page(
    "/jualan-saya",
    Text("Jualan saya", "My sales"),
    Text(
        "Stok Anda: terpasang, cocok, dimuat, tiba, dibayar.", "Your stock: posted, matched, loaded, delivered, paid."
    ),
    "jualan-saya",
    roles=SELLERS,
)
MY_PURCHASES = Page(
    "/pembelian-saya",
    Text("Pembelian saya", "My purchases"),
    Text(
        "Kebutuhan, usulan, pesanan, tanda terima, dan tagihan Anda.", "Your needs, proposals, orders, receipts, bills."
    ),
    "pembelian-saya",
    roles=PURCHASERS,
)
DESK = Page(
    "/meja",
    Text("Meja transaksi", "Trading desk"),
    Text(
        "Satu pencocokan: apa yang cocok dan harganya langkah demi langkah, apa yang belum dan mengapa.",
        "One clearing: what matched and its price step by step, what did not and why.",
    ),
    "meja",
    roles=frozenset({Role.HUB}),
)
SHEETS = Page(
    "/berkas",
    Text("Lembar kerja", "Spreadsheet"),
    Text(
        "Banyak baris sekaligus: kirim berkas, yang benar langsung dipasang.",
        "Many rows at once: send a file, what is right is posted.",
    ),
    "pasang",
    roles=SELLERS | PURCHASERS,
)
SIGN_IN = Page(
    "/masuk",
    Text("Masuk", "Sign in"),
    Text("Untuk produsen, pembeli, pengamat, dan hub.", "For producers, buyers, observers and the hub."),
    "pasang",
)
PAGES = (
    TODAY,
    Page(
        "/harga",
        Text("Harga", "Prices"),
        Text(
            "Yang diterima produsen, yang dibayar kota, dan harga acuannya.",
            "What producers get, what cities pay, and the reference price.",
        ),
        "harga",
        ("/v1/dashboard/prices",),
    ),
    Page(
        "/neraca",
        Text("Neraca pangan", "Food balance"),
        Text(
            "Pasokan berhadapan dengan kebutuhan tiap pekan; yang belum tertutup berwarna merah.",
            "Supply against need, week by week; what is uncovered is red.",
        ),
        "neraca",
        ("/v1/dashboard/balance",),
    ),
    Page(
        "/peta",
        Text("Peta kiriman", "Map of deliveries"),
        Text("Ke mana pangan Blitar pergi, dan berapa ton.", "Where Blitar's food goes, and how many tonnes."),
        "peta",
        ("/v1/dashboard/flows",),
    ),
    Page(
        "/pengiriman",
        Text("Pengiriman", "Shipments"),
        Text(
            "Jadwal kirim per hari dan kendaraan: muatan terhadap daya angkut.",
            "Departures by day and vehicle: load against capacity.",
        ),
        "pengiriman",
    ),
    Page(
        "/ketepatan-kirim",
        Text("Ketepatan kirim", "Service level"),
        Text(
            "Seberapa penuh dan seberapa tepat waktu kota dilayani.",
            "How fully and how punctually cities are served.",
        ),
        "ketepatan-kirim",
    ),
    Page(
        "/umur-stok",
        Text("Umur stok", "Freshness"),
        Text(
            "Umur stok terhadap masa simpannya; yang berisiko lebih dulu.",
            "Age of stock against its shelf life; at risk first.",
        ),
        "umur-stok",
        ("/v1/dashboard/freshness",),
    ),
    Page(
        "/selisih-harga",
        Text("Selisih harga", "Benefit"),
        Text(
            "Tambahan yang diterima petani dan yang dihemat kota, sampai ke rupiahnya.",
            "What farmers gain and cities save, to the rupiah.",
        ),
        "selisih-harga",
    ),
    DESK,
    SELL,
    MY_SALES,
    BUY,
    MY_PURCHASES,
)
#: where a party's day begins
HOME = {Role.PRODUCER: MY_SALES, Role.BUYER: MY_PURCHASES, Role.HUB: DESK, Role.OBSERVER: TODAY}


def menu(role: Role | None) -> tuple[list[Page], list[Page]]:
    """Return a role's own pages and everybody's; whoever has not signed in sees the two forms that they may want."""
    own = [page for page in PAGES if (role in page.roles if role else page in (SELL, BUY))]
    return own, [page for page in PAGES if not page.roles]


_NUMBER = re.compile(r"(?:rp\.?\s*)?(\d[\d.]*)(?:,(\d+))?", re.IGNORECASE | re.ASCII)


def number_of(typed: str) -> Decimal | None:
    """Return a number as people write it in Indonesia: `1.250` is 1250, `2,5` has a decimal, `Rp 26.500` is money.

    A point that does not part thousands is read as a decimal point: `2.5`. None when it is no number.
    """
    match = _NUMBER.fullmatch(typed.replace(" ", " ").strip())
    if match is None:
        return None
    whole, decimals = match.groups()
    parts_thousands = all(len(group) == 3 for group in whole.split(".")[1:])  # noqa: PLR2004 - thousands
    if "." in whole and not parts_thousands:
        return Decimal(whole) if decimals is None and whole.count(".") == 1 and whole[-1] != "." else None
    return Decimal(f"{whole.replace('.', '')}.{decimals or 0}")


def dotted(number: int) -> str:
    """Return a whole number as people write it in Indonesia: 26.500."""
    return f"{number:,}".replace(",", ".")


def unit_words(code: str, unit: UnitFacts, base_unit: str) -> str:
    """Return a unit as people say it, with what it holds: `peti (15 kg)`."""
    if code == base_unit:
        return code
    content = shown(unit.base_quantity).replace(".", ",")
    return f"{code.partition('-')[0]} ({content} {base_unit})"


def addresses(page: Page, today: date) -> list[str]:
    """Return the addresses that a page reads first; the week is that of the hub's day."""
    monday = today - timedelta(days=today.weekday())
    return [address.format(monday=monday, sunday=monday + timedelta(days=6)) for address in page.data]
