"""Bank statements: read as banks write them, hostile ones refused, bookings matched by number, amount and name."""

from contextlib import suppress
from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.problems import Invalid
from app.settlement.bank_file import MOST_COLUMNS, MOST_ROWS, Booking, read
from app.settlement.bank_match import Found, Open, find, names, numbers_in

PLAIN = "Tanggal,Keterangan,Jumlah\n"


def one(row: str, heading: str = PLAIN) -> Booking:
    (booking,) = read((heading + row).encode())
    return booking


@pytest.mark.parametrize(
    ("cell", "rupiah"),
    [
        ("1250000", 1_250_000),
        ("1.250.000", 1_250_000),
        ("Rp 1.250.000", 1_250_000),
        ('"1.250.000,00"', 1_250_000),
        ('"1,250,000.00"', 1_250_000),
        ("1.250", 1_250),
        ("-1250000", -1_250_000),
        ('"1,250,000.00 DB"', -1_250_000),
        ('"1,250,000.00 CR"', 1_250_000),
        ("Rp-1.250.000", -1_250_000),
    ],
)
def test_amounts_are_read_as_banks_write_them(cell: str, rupiah: int) -> None:
    assert one(f"01/12/2026,Transfer masuk,{cell}\n").amount_idr == rupiah


@pytest.mark.parametrize("cell", ["2026-12-01", "01/12/2026", "1-12-2026", "01.12.2026"])
def test_days_are_read_as_banks_write_them(cell: str) -> None:
    assert one(f"{cell},Transfer,5000\n").day == date(2026, 12, 1)


def test_columns_may_stand_anywhere_and_what_stands_above_the_heading_is_skipped() -> None:
    file = (
        "\ufeffREKENING KORAN;;;\nNo. rekening;123;;\n\nSaldo;Debit;Kredit;Uraian;Tgl\n"
        "9;;2.500.000;TRF BTC-2026-000007   CV EGG;03/12/2026\n8;500.000;;BIAYA;04/12/2026\n"
    )
    assert read(file.encode()) == [
        Booking(5, date(2026, 12, 3), "TRF BTC-2026-000007 CV EGG", 2_500_000),
        Booking(6, date(2026, 12, 4), "BIAYA", -500_000),
    ]


HOSTILE = {
    "a formula": (b"01/12/2026,=HYPERLINK(1),5000\n", "/2", "formula"),
    "a command": (b"01/12/2026,+cmd|calc,5000\n", "/2", "formula"),
    "a formula beside": (b"01/12/2026,ok,5000,@SUM(A1)\n", "/2", "formula"),
    "no day": (b"besok,ok,5000\n", "/2/day", "day"),
    "a day that never was": (b"31/02/2026,ok,5000\n", "/2/day", "day"),
    "a year far away": (b"01/01/9999,ok,5000\n", "/2/day", "day"),
    "no amount": (b"01/12/2026,ok,banyak\n", "/2/amount", "amount"),
    "nothing moved": (b"01/12/2026,ok,0\n", "/2/amount", "amount"),
    "parts of a rupiah": (b'01/12/2026,ok,"1.250,50"\n', "/2/amount", "amount"),
    "an endless number": (b"01/12/2026,ok," + b"9" * 400 + b"\n", "/2/amount", "amount"),
    "over the cap": (b"01/12/2026,ok,1000000000000001\n", "/2/amount", "amount"),
    "a NUL": (b"01/12/2026,o\0k,5000\n", "/2", "forbidden_character"),
    "Latin-1": ("01/12/2026,caf\xe9,5000\n".encode("latin-1"), "/2", "encoding"),
    "a wide row": (b"01/12/2026,ok,5000" + b"," * MOST_COLUMNS + b"\n", "/2", "too_wide"),
    "a long cell": (b"01/12/2026," + b"x" * 501 + b",5000\n", "/2", "string_too_long"),
    "an open quote": (b'01/12/2026,"ok,5000\n', "/2", "csv"),
    "too many rows": (b"01/12/2026,ok,5000\n" * (MOST_ROWS + 1), f"/{MOST_ROWS + 2}", "too_long"),
    "only a heading": (b"", "/1", "empty"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_cannot_be_trusted_is_refused_by_row_and_column(name: str) -> None:
    rows, pointer, code = HOSTILE[name]
    with pytest.raises(Invalid) as refused:
        read(PLAIN.encode() + rows)
    (error,) = refused.value.errors
    assert (error.pointer, error.code) == (pointer, code)
    assert error.detail.id != error.detail.en


@pytest.mark.parametrize("content", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest", b"", b"a,b\n1,2\n", b"\xff\xfe"])
def test_what_is_no_statement_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        read(content)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for file in (content, PLAIN.encode() + content):
        with suppress(Invalid):
            assert read(file)


DEPOK, SEGIRI = uuid4(), uuid4()
FIRST = Open(uuid4(), "BTC-2026-000001", DEPOK, "Pedagang telur Depok (contoh)", 276_300_000)
SECOND = Open(uuid4(), "BTC-2026-000002", DEPOK, "Pedagang telur Depok (contoh)", 1_000_000)
THIRD = Open(uuid4(), "BTC-2026-000003", SEGIRI, "Distributor Segiri Samarinda (contoh)", 1_000_000)
PAID = Open(uuid4(), "BTC-2026-000004", SEGIRI, "Distributor Segiri Samarinda (contoh)", 0)
PONGGOK = Open(FIRST.order_id, "BTC-2026-000001", uuid4(), "Koperasi peternak Ponggok (contoh)", -260_000_000)
CARRIER = Open(FIRST.order_id, "BTC-2026-000001", uuid4(), "LN-01", -6_200_000)
OPENS = [FIRST, SECOND, THIRD, PAID, PONGGOK, CARRIER]


@pytest.mark.parametrize("text", ["BTC-2026-000001", "trf btc 2026 000001 telur", "BTC/2026/000001", "BTC2026000001"])
def test_an_order_number_is_found_however_it_is_typed(text: str) -> None:
    assert numbers_in(text) == ["BTC-2026-000001"]


@pytest.mark.parametrize("text", ["BTC-2026-0000012", "2026-000001", "BTC", "BTC-26-000001"])
def test_what_is_no_order_number_is_none(text: str) -> None:
    assert numbers_in(text) == []


@pytest.mark.parametrize(
    ("text", "amount", "found"),
    [
        ("TRF BTC-2026-000001", 100_000_000, Found((FIRST,))),
        ("BTC-2026-000002 dan BTC-2026-000001", 277_300_000, Found((SECOND, FIRST))),
        ("pelunasan telur Depok", 276_300_000, Found((FIRST,))),
        ("pelunasan telur Depok", 276_300_001, Found(reason="no_number")),
        ("setoran tunai", 276_300_000, Found(reason="no_number", suggestions=("BTC-2026-000001",))),
        ("setoran tunai", 1_000_000, Found(reason="no_number", suggestions=("BTC-2026-000002", "BTC-2026-000003"))),
        ("SEGIRI SAMARINDA", 1_000_000, Found((THIRD,))),
        ("BTC-2026-000099", 1_000_000, Found(reason="unknown_order")),
        ("BTC-2026-000004", 1_000_000, Found(reason="order_paid")),
        (
            "BTC-2026-000002 BTC-2026-000003",
            2_000_000,
            Found(reason="several_parties", suggestions=("BTC-2026-000002", "BTC-2026-000003")),
        ),
        ("bayar BTC-2026-000001 Ponggok", -100_000_000, Found((PONGGOK,))),
        ("bayar BTC-2026-000001", -6_200_000, Found((CARRIER,))),
        ("bayar BTC-2026-000001", -1, Found(reason="order_paid")),
        ("biaya admin", -15_000, Found(reason="no_number")),
    ],
)
def test_a_booking_is_matched_by_number_or_by_amount_and_name(text: str, amount: int, found: Found) -> None:
    assert find(text, amount, OPENS) == found


def test_a_name_counts_by_the_words_that_few_share() -> None:
    assert names("TRANSFER DARI PONGGOK", "Koperasi peternak Ponggok (contoh)")
    assert not names("TRANSFER DARI KOPERASI PETERNAK", "Koperasi peternak Ponggok (contoh)")
    assert not names("KOPERASI", "Koperasi (contoh)")


@given(st.text(max_size=60), st.integers(-(10**9), 10**9).filter(bool))
def test_no_booking_is_given_to_several_parties_or_against_its_direction(text: str, amount: int) -> None:
    found = find(text, amount, OPENS)
    assert len({one.party_id for one in found.opens}) <= 1
    assert all((one.open_idr > 0) == (amount > 0) for one in found.opens)
    assert bool(found.opens) == (found.reason is None)
