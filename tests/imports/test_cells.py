"""How people write numbers, money, days, goods and headings, and what is made of it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.catalog.rules import CommodityFacts, Reference, RegionFacts, UnitFacts
from app.imports import cells
from app.imports.columns import FIELDS, address, find_header, letters
from app.imports.errors import CellRefused, MissingColumns, RepeatedColumn, UnreadableFile
from app.imports.words import Words, delivery, normal

ONE = Decimal(1)


def refused(read: Callable[..., Any], *written: Any) -> CellRefused:
    with pytest.raises(CellRefused) as caught:
        read(*written)
    return caught.value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1250", "1250"),
        ("1.250", "1250"),
        ("1.250,5", "1250.5"),
        ("12.500.000,50", "12500000.50"),
        ("2,5", "2.5"),
        ("2.5", "2.5"),
        ("0,625", "0.625"),
        ("0.625", "0.625"),
        ("1250,75", "1250.75"),
        (" 1.250 ", "1250"),
        ("1.250\u00a0", "1250"),
        ("007", "7"),
        (1250, "1250"),
        (1250.0, "1250"),
        (2.5, "2.5"),
        (0.1 + 0.2, "0.3"),
        (1e6, "1000000"),
        ("'1.250", None),
    ],
)
def test_numbers_are_read_as_indonesians_write_them(written: cells.Cell, meant: str | None) -> None:
    if meant is None:
        refused(cells.number, written)
    else:
        assert cells.number(written) == Decimal(meant)


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [
        ("1,250,000", "Maksudnya 1.250.000?"),
        ("26,500.00", "Maksudnya 26.500,00?"),
        ("dua ton", "Contoh: 1.250 atau 2,5"),
        ("1.250.5", "Contoh: 1.250 atau 2,5"),
        ("12 345", "Contoh: 1.250 atau 2,5"),
        ("1e3", "Contoh: 1.250 atau 2,5"),
        ("-5", "Contoh: 1.250 atau 2,5"),
        ("١٢٣", "Contoh: 1.250 atau 2,5"),
        ("1_000", "Contoh: 1.250 atau 2,5"),
        ("NaN", "Contoh: 1.250 atau 2,5"),
        ("=A1*2", "Tulis hasilnya saja."),
    ],
)
def test_what_is_no_number_gets_a_suggestion(written: str, suggestion: str) -> None:
    told = refused(cells.number, written)
    assert told.suggestion is not None
    assert told.suggestion.id == suggestion


@pytest.mark.parametrize("written", [True, False, date(2026, 12, 1)])
def test_a_truth_or_a_day_is_no_number(written: cells.Cell) -> None:
    assert refused(cells.number, written).code == "number"


@pytest.mark.parametrize(
    "written",
    ["26500", "26.500", "Rp 26.500", "Rp26.500", "Rp. 26.500", "rp 26.500,-", "IDR 26500", "26.500,00", 26500, 26500.0],
)
def test_money_is_read_however_it_is_written(written: cells.Cell) -> None:
    assert cells.money(written) == 26500


@pytest.mark.parametrize("written", [26.5, "26,500", "26,5"])
def test_a_thousandth_of_a_price_is_noticed(written: cells.Cell) -> None:
    """26.500 typed into a spreadsheet that reads English is kept as 26.5; nobody sells at a fraction of a rupiah."""
    told = refused(cells.money, written)
    assert told.suggestion is not None
    assert told.suggestion.id == "Maksudnya 26.500?"


@pytest.mark.parametrize(
    "written",
    [
        "01/12/2026",
        "1/12/2026",
        "01-12-2026",
        "01.12.2026",
        "1 Desember 2026",
        "1 des 2026",
        "1-Dec-2026",
        "2026-12-01",
        "2026-12-01 00:00:00",
        date(2026, 12, 1),
        46357,
        46357.0,
        46357.75,
        "46357",
    ],
)
def test_days_are_read_however_they_are_written(written: cells.Cell) -> None:
    assert cells.day(written) == date(2026, 12, 1)


@pytest.mark.parametrize(
    "written", ["31/02/2026", "12/13/2026", "1/12/26", "besok", "1 Foo 2026", 5, 400_000, "", True]
)
def test_what_is_no_day_is_told_how_to_write_one(written: cells.Cell) -> None:
    told = refused(cells.day, written)
    assert told.suggestion is not None
    assert "01/12/2026" in told.suggestion.id


@pytest.mark.parametrize("written", [None, "", "  ", "-", "N/A", "\u2014"])
def test_a_dash_says_nothing(written: cells.Cell) -> None:
    assert cells.is_empty(written)


def test_zero_and_false_say_something() -> None:
    assert not [cell for cell in (0, False) if cells.is_empty(cell)]


@pytest.mark.parametrize("written", ["=1+1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_a_text_that_looks_like_a_formula_is_refused(written: str) -> None:
    assert refused(cells.text, written).code == "formula"


def test_a_number_as_text_is_what_people_see() -> None:
    assert [cells.text(cell) for cell in (17, 17.0, 0.5, "KP-17", True)] == ["17", "17", "0.5", "KP-17", "ya"]


def goods(code: str, name: str, english: str, grades: str, units: dict[str, str]) -> CommodityFacts:
    facts = {"kg": UnitFacts(ONE, fixed=True), "kuintal": UnitFacts(Decimal(100), fixed=True)}
    facts |= {"ton": UnitFacts(Decimal(1000), fixed=True)}
    facts |= {unit: UnitFacts(Decimal(weight), fixed=False) for unit, weight in units.items()}
    ranks = {grade: rank for rank, grade in enumerate(grades.split(), 1)}
    return CommodityFacts(code, name, english, "kg", 1000, True, ranks, facts, 14, 30)  # noqa: FBT003 - a row of facts


def place(code: str, name: str) -> RegionFacts:
    return RegionFacts(code, name, "Asia/Jakarta", 1, "35.72", code, 0, 0)


EGGS = goods("telur-ayam-ras", "Telur ayam ras", "Chicken egg", "I II III", {"peti-10": "10", "peti-15": "15"})
DUCK = goods("telur-bebek", "Telur bebek", "Duck egg", "A B", {"butir": "0.07"})
RICE = goods("beras", "Beras", "Rice", "premium medium", {"karung-25": "25", "karung-50": "50"})
GRAIN = goods("gabah", "Gabah", "Paddy", "GKG GKP", {"karung-50": "50"})
REFERENCE = Reference(
    {facts.code: facts for facts in (EGGS, DUCK, RICE, GRAIN)},
    {
        region.code: region
        for region in (
            place("35.05", "Kabupaten Blitar"),
            place("35.72", "Kota Blitar"),
            place("32.76", "Kota Depok"),
            place("64.72", "Kota Samarinda"),
        )
    },
    {},
)
WORDS = Words(REFERENCE, {normal("Koperasi Ponggok (contoh)"): "id-1", normal("Koperasi Srengat (contoh)"): "id-2"})


@pytest.mark.parametrize(
    "written", ["telur-ayam-ras", "Telur Ayam Ras", "TELUR  AYAM RAS", "chicken egg", "Telur ayam"]
)
def test_a_commodity_has_a_code_and_two_names(written: str) -> None:
    assert WORDS.commodity(written) == "telur-ayam-ras"


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [("telur", "telur ayam ras"), ("bras", "beras"), ("telor bebek", "telur bebek"), ("emas murni", None)],
)
def test_an_unclear_commodity_gets_the_close_ones(written: str, suggestion: str | None) -> None:
    told = refused(WORDS.commodity, written).suggestion
    assert (told is None) if suggestion is None else (told is not None and suggestion in told.id)


def test_guessing_ends() -> None:
    words = Words(REFERENCE, None)
    words._guesses = 1
    assert refused(words.commodity, "bras").suggestion is not None
    assert refused(words.commodity, "berass").suggestion is None


@pytest.mark.parametrize("written", ["II", "ii", "2", "Grade II", "kelas 2", "mutu ii", "KW 2"])
def test_a_grade_is_read_however_it_is_written(written: str) -> None:
    assert WORDS.grade(written, "telur-ayam-ras") == "II"


def test_a_grade_of_another_commodity_is_refused_with_the_own_ones() -> None:
    told = refused(WORDS.grade, "II", "beras").suggestion
    assert told is not None
    assert told.id == "Pilih: premium, medium."


@pytest.mark.parametrize(
    ("written", "commodity", "own", "unit", "weight"),
    [
        ("kg", "beras", None, "kg", None),
        ("Kilo", "beras", None, "kg", None),
        ("kw", "beras", None, "kuintal", None),
        ("kwintal", "beras", None, "kuintal", None),
        ("Ton", "beras", None, "ton", None),
        ("karung-50", "beras", None, "karung-50", None),
        ("sak 50", "beras", None, "karung-50", None),
        ("sak 50 kg", "beras", None, "karung-50", None),
        ("zak 25kg", "beras", None, "karung-25", None),
        ("sak 40", "beras", None, "karung-25", "40"),
        ("sak", "beras", "40", "karung-25", "40"),
        ("sak", "beras", "50", "karung-50", None),
        ("sak", "gabah", None, "karung-50", None),
        ("krat 15", "telur-ayam-ras", None, "peti-15", None),
        ("peti besar", "telur-ayam-ras", None, "peti-15", None),
        ("krat", "telur-ayam-ras", "12", "peti-10", "12"),
        ("btr", "telur-bebek", None, "butir", None),
    ],
)
def test_a_unit_is_read_as_people_say_it(
    written: str, commodity: str, own: str | None, unit: str, weight: str | None
) -> None:
    own_weight = None if own is None else Decimal(own)
    assert WORDS.unit(written, commodity, own_weight) == (unit, None if weight is None else Decimal(weight))


@pytest.mark.parametrize(
    ("written", "commodity", "choices"),
    [("sak", "beras", "karung-25, karung-50"), ("krat", "beras", "kg, kuintal, ton, karung-25, karung-50")],
)
def test_an_unclear_unit_gets_the_choices(written: str, commodity: str, choices: str) -> None:
    told = refused(WORDS.unit, written, commodity, None).suggestion
    assert told is not None
    assert told.id == f"Pilih: {choices}."


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("35.05", "35.05"),
        ("Kabupaten Blitar", "35.05"),
        ("Kab. Blitar", "35.05"),
        ("kota blitar", "35.72"),
        ("Depok", "32.76"),
        ("KOTA DEPOK", "32.76"),
    ],
)
def test_a_region_has_a_code_and_a_name(written: str, code: str) -> None:
    assert WORDS.region(written) == code


@pytest.mark.parametrize("written", ["Blitar", "Atlantis", "99.99"])
def test_an_unclear_region_is_refused(written: str) -> None:
    assert refused(WORDS.region, written).code == "unknown_region"


def test_an_organisation_is_named_or_told_by_its_id() -> None:
    assert WORDS.organization("koperasi ponggok") == "id-1"
    assert WORDS.organization("ID-2") == "id-2"
    assert refused(WORDS.organization, "koperasi").code == "unknown_organization"


def test_delivery_is_said_in_words() -> None:
    assert [delivery(said) for said in ("Franco", "diantar", "loco", "Ambil sendiri")] == [
        "franco",
        "franco",
        "loco",
        "loco",
    ]
    assert refused(delivery, "terbang").code == "unknown_delivery"


@pytest.mark.parametrize("kind", FIELDS)
def test_no_two_fields_share_a_heading(kind: str) -> None:
    names = [name for field in FIELDS[kind] for name in set(field.names) if name]
    assert len(names) == len(set(names))


def test_columns_count_as_spreadsheets_do() -> None:
    assert [letters(place) for place in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
    assert address(2, 4) == "C5"


FIVE = ["Komoditas", "Kualitas", "Jumlah", "Satuan", "Harga"]


def test_a_header_is_found_below_titles_and_reads_units_in_headings() -> None:
    rows = [["Koperasi Ponggok"], [None], ["No.", "Nama Barang", "Mutu", "Jumlah (kg)", "Harga (Rp/kg)", "Telepon"]]
    header = find_header(rows, "listings")
    assert header.row == 2
    assert header.places == {"commodity": 1, "grade": 2, "quantity": 3, "price_idr": 4}
    assert header.units == {"unit": "kg", "price_unit": "kg"}
    assert header.ignored == ["No.", "Telepon"]


def test_the_fields_of_the_contract_are_headings_too() -> None:
    header = find_header([["commodity", "min_grade", "quantity", "unit", "max_price_idr", "deliver_by"]], "demands")
    assert len(header.places) == 6


def test_a_missing_column_is_named() -> None:
    with pytest.raises(MissingColumns) as caught:
        find_header([FIVE[:4]], "listings")
    assert caught.value.errors[0].detail.id == "Tambahkan kolom: Harga."


def test_two_columns_of_one_meaning_are_named() -> None:
    with pytest.raises(RepeatedColumn) as caught:
        find_header([[*FIVE, "Barang"]], "listings")
    assert caught.value.detail is not None
    assert caught.value.detail.id == "A1, F1: artinya sama."


@pytest.mark.parametrize("rows", [[], [[]], [["a", "b"]], [["Komoditas"]], [["x"]] * 30 + [FIVE]])
def test_a_sheet_without_a_header_is_no_table(rows: list[list[cells.Cell]]) -> None:
    with pytest.raises(UnreadableFile) as caught:
        find_header(rows, "listings")
    assert caught.value.reason == "no_header"


def test_the_column_of_errors_is_skipped() -> None:
    assert find_header([[*FIVE, "Kesalahan"]], "listings").ignored == []
