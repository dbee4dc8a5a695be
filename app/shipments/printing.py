"""The papers of a shipment as PDF, in Indonesian: order, surat jalan, loading list and receipt (BAST)."""

from collections.abc import Sequence
from datetime import date
from unicodedata import normalize

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace

from app.catalog.rules import Reference
from app.orders.models import Order
from app.parties.models import Organization
from app.shipments.papers import Papers
from app.shipments.standing import of_order

MONTHS = "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split()
HEAD = FontFace(emphasis="BOLD", fill_color=(233, 236, 232))
#: how payment terms are read
TERMS = {
    "cash": "tunai saat diterima",
    "down_payment": "uang muka {percent}%, sisanya saat diterima",
    "net_7": "7 hari setelah diterima",
    "net_14": "14 hari setelah diterima",
    "net_30": "30 hari setelah diterima",
}


def day_text(day: date) -> str:
    """Return a day as it is written on papers: 25 November 2026."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def number_text(number: int) -> str:
    """Return a whole number with points between thousands."""
    return f"{number:,}".replace(",", ".")


def kilograms(grams: int | None) -> str:
    """Return a weight in kilograms with a comma, or a line to write on where it is not weighed yet."""
    if grams is None:
        return "........"
    whole, rest = divmod(grams, 1000)
    return number_text(whole) + (f",{rest:03}".rstrip("0") if rest else "")


def render(papers: Papers) -> bytes:
    """Return the papers as one PDF: loading list, then for each order its order paper, surat jalan and BAST."""
    pdf = _Paper()
    # the same papers are the same bytes
    pdf.set_creation_date(papers.shipment.updated_at)
    _loading_list(pdf, papers)
    for order in papers.orders:
        _order(pdf, papers, order)
        _waybill(pdf, papers, order)
        _receipt(pdf, papers, order)
    return bytes(pdf.output())


class _Paper(FPDF):
    """A4 with the house's margins; its core fonts know Latin letters, others are written without their marks."""

    def __init__(self) -> None:
        super().__init__(format="A4")
        self.set_margins(18, 16)
        self.set_auto_page_break(auto=True, margin=18)

    def normalize_text(self, text: str) -> str:
        """Return a text as the core fonts can write it."""
        return super().normalize_text(normalize("NFKD", text).encode("latin-1", "replace").decode("latin-1"))

    def footer(self) -> None:
        """Write the number of the page."""
        self.set_y(-12)
        self.set_font("helvetica", size=8)
        self.cell(0, 5, f"Blitar Trade Center - halaman {self.page_no()}", align="C")

    def title_page(self, title: str, number: str) -> None:
        self.add_page()
        self.set_font("helvetica", "B", 16)
        self.cell(0, 8, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font("helvetica", size=11)
        self.cell(0, 6, number, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.line(18, self.get_y() + 2, 192, self.get_y() + 2)
        self.ln(6)

    def facts(self, *pairs: tuple[str, str]) -> None:
        self.set_font("helvetica", size=10)
        for name, value in pairs:
            self.cell(42, 6, name)
            self.multi_cell(0, 6, f": {value}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(3)

    def lines(
        self, heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], total: Sequence[str] = ()
    ) -> None:
        """Draw a table; every column but the first two holds numbers."""
        self.set_font("helvetica", size=9)
        align = ["LEFT"] * 2 + ["RIGHT"] * (len(heads) - 2)
        with self.table(col_widths=tuple(widths), text_align=tuple(align), headings_style=HEAD, line_height=6) as table:
            for row in (heads, *rows):
                table.row(row)
            if total:
                table.row(total, style=FontFace(emphasis="BOLD"))
        self.ln(4)

    def signatures(self, *roles: str) -> None:
        self.ln(8)
        self.set_font("helvetica", size=10)
        width = self.epw / len(roles)
        for text in (roles, ["(..............................)"] * len(roles)):
            for role in text:
                self.cell(width, 6, role, align="C")
            self.ln(24)


def _party(organization: Organization, reference: Reference) -> str:
    parts = [organization.name, organization.place, reference.regions[organization.region].name, organization.telephone]
    return ", ".join(part for part in parts if part)


def _goods(papers: Papers, order: Order) -> str:
    return papers.reference.commodities[order.commodity].name


def _loading_list(pdf: _Paper, papers: Papers) -> None:
    shipment = papers.shipment
    pdf.title_page("DAFTAR MUAT", shipment.number)
    pdf.facts(*_way(papers))
    rows = [
        (
            papers.organizations[item.order_line.producer_id].name,
            f"{_goods(papers, item.order)} {item.order_line.grade} ({item.order.number})",
            f"{number_text(item.line.quantity)} {papers.unit(item.order)}",
            kilograms(item.line.net_weight_g),
        )
        for item in papers.carried
    ]
    pdf.lines(("Penjual", "Barang", "Jumlah", "Berat bersih (kg)"), rows, (34, 40, 13, 17))
    pdf.signatures("Petugas hub", "Sopir")


def _way(papers: Papers) -> list[tuple[str, str]]:
    shipment, lane = papers.shipment, papers.lane
    hub = papers.reference.regions[shipment.hub].name
    way = (
        "diambil di hub" if lane is None else f"{hub} - {papers.reference.regions[lane.destination].name} ({lane.code})"
    )
    return [
        ("Berangkat", day_text(shipment.day)),
        ("Rute", way),
        ("Kendaraan", (lane.vehicle or lane.mode) if lane else "-"),
        ("Peti/tray dibawa", number_text(shipment.crates_out) if shipment.dispatched_at else "........"),
    ]


def _order(pdf: _Paper, papers: Papers, order: Order) -> None:
    pdf.title_page("PESANAN", order.number)
    terms = TERMS[order.payment_terms].format(percent=order.down_payment_percent)
    pdf.facts(
        ("Pembeli", _party(papers.organizations[order.buyer_id], papers.reference)),
        ("Penyerahan", "franco (diantar)" if order.delivery == "franco" else "loco (diambil di hub)"),
        ("Dijanjikan tiba", day_text(order.arrives_on)),
        ("Pembayaran", terms),
        ("Toleransi susut", f"{order.tolerance_percent}%"),
    )
    ordered = papers.ordered[order.id]
    rows = [
        (
            papers.organizations[line.producer_id].name,
            f"{_goods(papers, order)} {line.grade}",
            f"{number_text(line.quantity)} {papers.unit(order)}",
            number_text(line.producer_price_idr),
            number_text(line.delivered_price_idr),
            number_text(line.quantity * line.delivered_price_idr),
        )
        for line in ordered
    ]
    quantity = f"{number_text(sum(line.quantity for line in ordered))} {papers.unit(order)}"
    value = number_text(sum(line.quantity * line.delivered_price_idr for line in ordered))
    heads = ("Penjual", "Barang", "Dipesan", "Rp di penjual", "Rp diterima", "Nilai (Rp)")
    pdf.lines(heads, rows, (40, 18, 14, 18, 16, 18), total=("Jumlah", "", quantity, "", "", value))
    pdf.signatures("Pembeli", "Hub BTC")


def _waybill(pdf: _Paper, papers: Papers, order: Order) -> None:
    pdf.title_page("SURAT JALAN", f"{papers.shipment.number} / {order.number}")
    pdf.facts(("Kepada", _party(papers.organizations[order.buyer_id], papers.reference)), *_way(papers))
    own = of_order(papers.carried, order.id)
    rows = [
        (
            f"{_goods(papers, order)} {item.order_line.grade}",
            f"baik sampai {day_text(item.order_line.best_before)}",
            f"{number_text(item.line.quantity)} {papers.unit(order)}",
            kilograms(item.line.net_weight_g),
        )
        for item in own
    ]
    pdf.lines(("Barang", "Keterangan", "Jumlah", "Berat bersih (kg)"), rows, (34, 40, 16, 18))
    pdf.signatures("Pengirim", "Sopir", "Penerima")


def _receipt(pdf: _Paper, papers: Papers, order: Order) -> None:
    receipt = next((one for one in papers.receipts if one.order_id == order.id), None)
    pdf.title_page("BERITA ACARA SERAH TERIMA", f"{papers.shipment.number} / {order.number}")
    pdf.facts(
        ("Penerima", _party(papers.organizations[order.buyer_id], papers.reference)),
        ("Barang", _goods(papers, order)),
    )
    weights = [item.line.net_weight_g for item in of_order(papers.carried, order.id)]
    loaded = None if None in weights else sum(weight or 0 for weight in weights)
    crates = number_text(receipt.crates_back) if receipt else "........"
    found = ("net_weight_g", "broken_g", "refused_g", "accepted_g")
    rows = [
        ("Dimuat", "ditimbang di hub", kilograms(loaded)),
        *(
            (name, note, kilograms(getattr(receipt, field) if receipt else None))
            for field, (name, note) in zip(
                found,
                (
                    ("Tiba", "berat bersih seluruhnya"),
                    ("Pecah/rusak", "termasuk dalam yang tiba"),
                    ("Ditolak", (receipt.reason if receipt else None) or "alasan: ...................."),
                    ("Diterima baik", "tiba dikurangi rusak dan ditolak"),
                ),
                strict=True,
            )
        ),
        ("Peti/tray kembali", "dibawa pulang kendaraan", f"{crates} buah"),
    ]
    pdf.lines(("Uraian", "Keterangan", "kg"), rows, (30, 50, 20))
    pdf.set_font("helvetica", size=9)
    pdf.multi_cell(0, 5, "Sanggahan paling lambat 24 jam setelah barang diterima.", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.signatures("Yang menyerahkan", "Yang menerima")
