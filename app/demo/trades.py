"""What was traded last week: one delivery paid, one short, one disputed, two on the road, one being loaded."""

from dataclasses import dataclass

from app.orders.rules import PaymentTerms
from app.shipments.receipts import Weighed


@dataclass(frozen=True, slots=True)
class Sold:
    """What one producer sold, and what it weighed at loading."""

    producer: str
    grade: str
    kilograms: int
    price_idr: int
    loaded_g: int


@dataclass(frozen=True, slots=True)
class Came:
    """What arrived of a trade, and what became of it."""

    weighed: Weighed
    days_late: int = 0
    #: the producer objects to the weight
    objection: str | None = None
    #: percent of the bill that its buyer has paid; at 100 the payees are paid out
    paid_percent: int = 0


@dataclass(frozen=True, slots=True)
class Trade:
    """One deal of last week."""

    buyer: str
    commodity: str
    lane: str
    #: leaves with the lane's last departure at least so many days ago
    left_days_ago: int
    lines: tuple[Sold, ...]
    terms: PaymentTerms = PaymentTerms.CASH
    crates: int = 0
    #: None while it is on the road, or being loaded
    came: Came | None = None


TRADES = (
    Trade(
        "Pasar induk Bekasi (contoh)",
        "telur-ayam-ras",
        "LN-03",
        6,
        (
            Sold("Koperasi peternak Ponggok (contoh)", "II", 2000, 26_400, 2_000_000),
            Sold("Koperasi telur Kanigoro (contoh)", "II", 1000, 26_400, 1_000_000),
        ),
        crates=200,
        came=Came(Weighed(2_986_000, 4_000, 0, None, 196), paid_percent=100),
    ),
    Trade(
        "BUMD pangan Jakarta (contoh)",
        "telur-ayam-ras",
        "LN-04",
        5,
        (Sold("Peternak Wonodadi (contoh)", "II", 5000, 26_700, 5_004_000),),
        terms=PaymentTerms.NET_14,
        crates=334,
        came=Came(Weighed(4_960_000, 62_000, 48_000, "Retak di tepi bak, 3 peti", 330), paid_percent=50),
    ),
    Trade(
        "Grosir Surabaya (contoh)",
        "beras",
        "LN-07",
        3,
        (Sold("Penggilingan Garum (contoh)", "submedium", 4000, 11_950, 4_000_000),),
        terms=PaymentTerms.NET_7,
        came=Came(
            Weighed(3_930_000, 0, 0, None, 0), days_late=1, objection="Timbangan kami 4.000 kg, segel bak masih utuh"
        ),
    ),
    Trade(
        "Distributor beras Samarinda (contoh)",
        "beras",
        "LN-09",
        1,
        (
            Sold("Penggilingan Talun (contoh)", "premium", 10_000, 13_900, 10_000_000),
            Sold("Gapoktan Kesamben (contoh)", "premium", 8000, 13_800, 8_000_000),
        ),
        terms=PaymentTerms.NET_30,
    ),
    Trade(
        "Toko tani Depok (contoh)",
        "beras",
        "LN-01",
        1,
        (Sold("Penggilingan Wlingi (contoh)", "medium", 6000, 12_750, 6_000_000),),
    ),
    Trade(
        "Distributor Surakarta (contoh)",
        "telur-ayam-ras",
        "LN-06",
        0,
        (Sold("Peternak Kademangan (contoh)", "II", 1500, 26_500, 1_500_000),),
        crates=100,
    ),
)
