"""Which column holds what: the headings that people give to the fields of a posting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.imports.cells import Cell, is_empty
from app.imports.errors import MissingColumns, RepeatedColumn, UnreadableFile
from app.imports.words import UNIT_WORDS, normal
from app.kit.problems import FieldError
from app.kit.text import Text

#: rows among which the header is looked for: people write titles above it
HEADER_ROWS = 20
#: the column that an error workbook adds; it is skipped when the mended file comes back
ERROR_HEADING = "Kesalahan"
#: fields whose heading may name the unit: Jumlah (kg), Harga/kg
WITH_UNIT = {"quantity": "unit", "price_idr": "price_unit", "max_price_idr": "price_unit"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a posting as a column: how it is headed, and by what other names people head it."""

    name: str
    heading: str
    synonyms: str = ""
    required: bool = False
    #: what the example row of the template says
    example: Cell = None
    #: for the hub only
    hub_only: bool = False

    @property
    def names(self) -> list[str]:
        """All headings, normalised."""
        return [*map(normal, (self.name, self.name.replace("_", " "), self.heading, *self.synonyms.split("|")))]


_FIRST = (
    Field("organization", "Pihak", "organisasi|anggota|petani|peternak|pembeli|nama anggota|member", hub_only=True),
    Field("external_ref", "Nomor Anda", "nomor|no ref|ref|referensi|kode|id|no nota|reference", example="CONTOH"),
    Field("commodity", "Komoditas", "barang|produk|nama barang|jenis|item|product", required=True),
)
_QUANTITY = (
    Field("quantity", "Jumlah", "kuantitas|qty|volume|banyak|banyaknya|stok|kebutuhan", required=True, example=20),
    Field("unit", "Satuan", "unit barang|kemasan|uom", required=True),
    Field("unit_base_quantity", "Isi kemasan", "isi|isi per kemasan|berat kemasan|berat per kemasan|kg per kemasan"),
)
_LAST = (
    Field("price_unit", "Harga per", "satuan harga|harga per satuan apa"),
    Field("min_quantity", "Paling sedikit", "minimal|minimum|jumlah minimal|min|min order|moq"),
)
_END = (
    Field("price_valid_until", "Harga berlaku sampai", "berlaku sampai|harga sampai|price until"),
    Field("note", "Catatan", "keterangan|ket|notes|remark|remarks"),
)
LISTINGS = (
    *_FIRST,
    Field("grade", "Kualitas", "mutu|kelas|kw|quality", required=True),
    *_QUANTITY,
    Field("price_idr", "Harga", "harga jual|harga satuan|harga rp|price|harga minta", required=True, example=397500),
    *_LAST,
    Field("region", "Asal", "wilayah|kabupaten|kota|lokasi|daerah|origin"),
    Field("available_from", "Siap mulai", "tersedia mulai|mulai|tanggal siap|siap tanggal|tgl siap|tersedia dari"),
    Field("available_until", "Siap sampai", "tersedia sampai|sampai|sampai tanggal|tersedia hingga"),
    Field("best_before", "Layak sampai", "kedaluwarsa|kadaluarsa|kadaluwarsa|exp|expired|baik sebelum|expiry"),
    Field("best_before_chilled", "Layak sampai (dingin)", "kedaluwarsa dingin|exp dingin"),
    Field("nkv", "NKV", "no nkv|nomor nkv"),
    Field("halal", "Halal", "no halal|sertifikat halal|nomor halal"),
    Field("psat", "PSAT", "no psat|izin psat|nomor psat"),
    *_END,
)
DEMANDS = (
    *_FIRST,
    Field("min_grade", "Kualitas paling rendah", "kualitas|grade|mutu|kelas|kualitas minimal|min grade", required=True),
    *_QUANTITY,
    Field(
        "max_price_idr",
        "Harga paling tinggi",
        "harga|harga maksimal|harga maks|batas harga|max price|price|plafon|harga beli",
        required=True,
        example=31000,
    ),
    *_LAST,
    Field("region", "Tujuan", "wilayah|kota|kota tujuan|kirim ke|lokasi|destination"),
    Field("delivery", "Terima", "cara terima|pengiriman|franco loco|cara kirim"),
    Field("deliver_from", "Tiba mulai", "tiba dari|mulai|kirim mulai|tanggal mulai"),
    Field("deliver_by", "Tiba paling lambat", "tiba sampai|sampai|paling lambat|tanggal butuh|dibutuhkan tanggal"),
    Field("min_remaining_shelf_life_days", "Sisa umur (hari)", "sisa umur|sisa umur simpan|umur minimal|kesegaran"),
    *_END,
)
FIELDS: Mapping[str, Sequence[Field]] = {"listings": LISTINGS, "demands": DEMANDS}
#: field -> how the template heads it
HEADINGS = {field.name: field.heading for fields in FIELDS.values() for field in fields}


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a sheet."""

    #: its place among the rows, from 0
    row: int
    #: field -> place of its column, from 0
    places: Mapping[str, int]
    #: field -> unit that a heading names: Harga/kg
    units: Mapping[str, str]
    #: headings that mean nothing to us
    ignored: Sequence[str]


def letters(place: int) -> str:
    """Return the letters of a column, the first is A."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def address(place: int, row: int) -> str:
    """Return the address of a cell, such as C5; places count from 0, addresses from 1."""
    return f"{letters(place)}{row + 1}"


def find_header(rows: Sequence[Sequence[Cell]], kind: str) -> Header:
    """Return the header: the row among the first with the most known headings.

    Raises UnreadableFile (422) where no row names two fields, MissingColumns, RepeatedColumn naming the cells.
    """
    known = {name: field.name for field in reversed(FIELDS[kind]) for name in field.names}
    best = max(range(min(len(rows), HEADER_ROWS)), key=lambda row: len(_meant(rows[row], known)), default=None)
    if best is None or len(set(_meant(rows[best], known).values())) < 2:  # noqa: PLR2004 - one may be chance
        raise UnreadableFile("no_header")
    places: dict[str, int] = {}
    units: dict[str, str] = {}
    ignored = []
    for place, cell in enumerate(rows[best]):
        field, unit = _field_of(cell, known)
        if field in places:
            cells = f"{address(places[field], best)}, {address(place, best)}"
            raise RepeatedColumn(Text(f"{cells}: artinya sama.", f"{cells}: they mean the same."))
        if field is not None:
            places[field] = place
            units |= {WITH_UNIT[field]: unit} if unit else {}
        elif not is_empty(cell) and normal(str(cell)) != normal(ERROR_HEADING):
            ignored.append(str(cell)[:100])
    _require_columns(kind, {*places, *units})
    return Header(best, places, units, ignored)


def _meant(cells: Sequence[Cell], known: Mapping[str, str]) -> dict[int, str]:
    found = {place: _field_of(cell, known)[0] for place, cell in enumerate(cells)}
    return {place: field for place, field in found.items() if field is not None}


def _field_of(cell: Cell, known: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the field that a heading means, and the unit that it names beside it."""
    if not isinstance(cell, str):
        return None, None
    name = normal(cell)
    if name in known:
        return known[name], None
    words = [word for word in name.split() if word not in ("rp", "per", "dalam", "wajib")]
    for length in (len(words), len(words) - 1):
        field = known.get(" ".join(words[:length]))
        if field is not None and length == len(words):
            return field, None
        if field in WITH_UNIT and (words[-1] in UNIT_WORDS or words[-1] in UNIT_WORDS.values()):
            return field, words[-1]
    return None, None


def _require_columns(kind: str, present: set[str]) -> None:
    missing = [field.heading for field in FIELDS[kind] if field.required and field.name not in present]
    if missing:
        names = ", ".join(missing)
        detail = Text(f"Tambahkan kolom: {names}.", f"Add the columns: {names}.")
        raise MissingColumns(detail, errors=[FieldError("/file", MissingColumns.code, detail)])
