"""Spreadsheets in, over HTTP: dry run, rows by cell, the mended file again, template, who may what."""

import asyncio
import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from app import worker
from app.imports import cells, posting, service
from app.imports import job as import_job
from tests.conftest import NOW
from tests.imports.conftest import DEPOK, PONGGOK, download, taken, upload
from tests.imports.files import EGGS, HEADINGS, comma_separated, xlsx

RICE = ["KP-2", "Beras", "medium", "1,5", "ton", "Rp 12.000"]
BAD = ["KP-3", "Telur", "II", "dua", "peti-15", 397500]
WORSE = ["KP-4", "Beras", "premium", 1, "kg", 12000.5]


async def count(api: Any, name: str = "listings") -> int:
    async with api.database.reader() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {name}")) or 0)  # noqa: S608 - our own name


async def test_good_rows_are_kept_and_refused_ones_named_by_their_cell(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    answer = await upload(scenario, xlsx([HEADINGS, EGGS, BAD, RICE, [], WORSE]), key)
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    assert (answer.json()["kind"], answer.json()["status"]) == ("import", "queued")
    job, result = await taken(scenario, answer, key)
    assert job["progress"] == {"done": 4, "total": 4}
    assert result is not None
    assert {name: result[name] for name in ("sheet", "rows", "accepted", "known", "refused")} == {
        "sheet": "Stok",
        "rows": 4,
        "accepted": 2,
        "known": 0,
        "refused": 2,
    }
    told = [(error["row"], error["cell"], error["code"], error["value"]) for error in result["errors"]]
    assert told == [
        (3, "B3", "unknown_commodity", "Telur"),
        (3, "D3", "number", "dua"),
        (6, "F6", "money", "12000.5"),
    ]
    assert result["errors"][0]["suggestion"].startswith("Maksudnya telur ")
    posted = (await scenario.get("/v1/listings?external_ref=KP-1&external_ref=KP-2", headers=scenario.as_(key))).json()
    assert {(one["external_ref"], one["quantity"], one["price_idr"]) for one in posted["items"]} == {
        ("KP-1", 300, 26500),
        ("KP-2", 1500, 12000),
    }


async def test_a_dry_run_tells_the_same_and_posts_nothing(scenario: Any) -> None:
    key, content = scenario.keys.producers[PONGGOK], xlsx([HEADINGS, EGGS, BAD, RICE])
    before = await count(scenario)
    _, dry = await taken(scenario, await upload(scenario, content, key, dry_run=True), key)
    assert await count(scenario) == before
    assert await count(scenario, "imported_rows") == 0
    _, binding = await taken(scenario, await upload(scenario, content, key), key)
    assert dry == binding
    assert await count(scenario) == before + 2
    _, dry = await taken(scenario, await upload(scenario, content, key, dry_run=True), key)
    assert dry is not None
    assert (dry["accepted"], dry["known"], dry["refused"]) == (0, 2, 1)


@pytest.mark.parametrize("numbered", [True, False])
async def test_the_mended_file_again_doubles_nothing(scenario: Any, *, numbered: bool) -> None:
    key, before = scenario.keys.producers[PONGGOK], await count(scenario)

    def table(*rows: list[Any]) -> bytes:
        return xlsx([HEADINGS, *[[row[0] if numbered else None, *row[1:]] for row in rows]])

    _, first = await taken(scenario, await upload(scenario, table(EGGS, BAD, RICE), key), key)
    mended = ["KP-3", "Telur ayam ras", "II", 2, "peti-15", 397500]
    _, second = await taken(scenario, await upload(scenario, table(EGGS, mended, RICE), key), key)
    _, third = await taken(scenario, await upload(scenario, table(RICE, mended, EGGS), key), key)
    told = [(one["accepted"], one["known"], one["refused"]) for one in (first, second, third) if one]
    assert told == [(2, 0, 1), (1, 2, 0), (0, 3, 0)]
    assert await count(scenario) == before + 3


async def test_without_remembering_rows_they_double(scenario: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""

    async def all_are_new(_self: Any, _session: Any, ready: Any) -> Any:
        return ready

    monkeypatch.setattr(posting.Poster, "_new", all_are_new)
    key, before = scenario.keys.producers[PONGGOK], await count(scenario)
    for _again in range(2):
        await taken(scenario, await upload(scenario, xlsx([HEADINGS, [None, *EGGS[1:]]]), key), key)
    assert await count(scenario) == before + 2


async def test_two_equal_rows_of_a_file_are_two_postings(scenario: Any) -> None:
    key, row = scenario.keys.producers[PONGGOK], [None, *EGGS[1:]]
    for accepted, known in ((2, 0), (0, 2)):
        _, result = await taken(scenario, await upload(scenario, xlsx([HEADINGS, row, row]), key), key)
        assert result is not None
        assert (result["accepted"], result["known"]) == (accepted, known)


async def test_next_week_the_same_row_is_a_new_one_unless_its_number_says_otherwise(scenario: Any) -> None:
    key, content = scenario.keys.producers[PONGGOK], xlsx([HEADINGS, EGGS, [None, *EGGS[1:]]])
    for days, accepted in ((0, 2), (5, 0), (7, 1)):
        scenario.clock.at = NOW + timedelta(days=days)
        _, result = await taken(scenario, await upload(scenario, content, key), key)
        assert result is not None
        assert (result["accepted"], result["known"]) == (accepted, 2 - accepted)


async def test_a_number_that_is_in_use_is_refused(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    await taken(scenario, await upload(scenario, xlsx([HEADINGS, EGGS]), key), key)
    other = [*EGGS[:3], 21, *EGGS[4:]]
    for dry_run in (True, False):
        again = xlsx([HEADINGS, other, RICE, [*RICE[:3], 2, *RICE[4:]]])
        _, result = await taken(scenario, await upload(scenario, again, key, dry_run=dry_run), key)
        assert result is not None
        told = [(error["cell"], error["code"], error["detail"]) for error in result["errors"]]
        assert told == [
            ("A2", "external_ref_taken", "Nomor ini sudah dipakai untuk isian lain."),
            ("A4", "external_ref_taken", "Nomor ini sudah dipakai di baris 3."),
        ]
        assert result["accepted"] == 1


async def test_errors_are_told_in_english_too(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    _, result = await taken(scenario, await upload(scenario, xlsx([HEADINGS, BAD]), key), key, language="en")
    assert result is not None
    assert result["errors"][1]["detail"] == "Write a number."
    assert result["errors"][1]["suggestion"] == "Such as 1.250 or 2,5"


async def test_what_the_rules_refuse_is_named_by_its_cell_too(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    headings = [*HEADINGS, "Siap sampai", "Paling sedikit", "Catatan"]
    rows = [
        [*EGGS, date(2026, 11, 1), None, None],
        [*EGGS, None, 21, None],
        [*EGGS[:3], 0, *EGGS[4:], None, None, None],
        [*EGGS[:5], None, None, None, None],
        [*EGGS, None, None, "=1+1"],
        [*EGGS, None, None, "x" * 2001],
    ]
    rows = [[f"B-{place}", *row[1:]] for place, row in enumerate(rows)]
    _, result = await taken(scenario, await upload(scenario, comma_separated([headings, *rows]), key), key)
    assert result is not None
    told = [(error["cell"], error["code"]) for error in result["errors"]]
    assert told == [
        ("G2", "reversed_window"),
        ("H3", "above_quantity"),
        ("D4", "quantity"),
        ("F5", "missing"),
        ("I6", "formula"),
        ("I7", "string_too_long"),
    ]


async def test_the_error_workbook_is_the_file_with_a_column_and_can_be_uploaded_again(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    headings = [*HEADINGS, "Siap mulai", "Telepon"]
    rows = [[*row, date(2026, 12, 1), "+62 812"] for row in (EGGS, BAD)]
    answer = await upload(scenario, xlsx([["Koperasi Ponggok"], headings, *rows]), key, name="minggu ini.xlsx")
    job, result = await taken(scenario, answer, key)
    assert result is not None
    assert result["ignored_columns"] == ["Telepon"]
    file = await download(scenario, f"{job['result_url']}/workbook", key)
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''minggu%20ini.xlsx"
    sheet = load_workbook(io.BytesIO(file.content))["Stok"]
    assert [cell.value for cell in sheet[2]] == [*headings, "Kesalahan"]
    assert sheet["I3"].value is None
    assert sheet["I4"].value.startswith("B4: Komoditas tidak dikenal. Maksudnya telur")
    assert "; D4: Tulis angka saja." in sheet["I4"].value
    assert sheet["D4"].fill.fgColor.rgb == "FFF8D7D0"
    assert sheet["D3"].fill.fgColor.rgb != "FFF8D7D0"
    assert sheet["G3"].value.date() == date(2026, 12, 1)
    sheet["B4"], sheet["D4"] = "Telur ayam ras", 2
    mended = io.BytesIO()
    sheet.parent.save(mended)
    _, again = await taken(scenario, await upload(scenario, mended.getvalue(), key), key)
    assert again is not None
    assert (again["accepted"], again["known"], again["refused"]) == (1, 1, 0)


async def test_a_csv_file_comes_back_as_csv(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    content = comma_separated([HEADINGS, BAD, RICE, WORSE], delimiter=";")
    job, _ = await taken(scenario, await upload(scenario, content, key, name="stok.csv"), key)
    file = await download(scenario, f"{job['result_url']}/workbook", key)
    assert file.headers["content-type"].startswith("text/csv")
    lines = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig")), delimiter=";"))
    assert lines[0] == [*HEADINGS, "Kesalahan"]
    assert [bool(line[-1]) for line in lines] == [True, True, False, True]
    _, again = await taken(scenario, await upload(scenario, file.content, key, name="stok.csv"), key)
    assert again is not None
    assert (again["accepted"], again["known"], again["refused"]) == (0, 1, 2)
    assert again["ignored_columns"] == []


@pytest.mark.parametrize(("restored", "told"), [(True, (0, 1, 1)), (False, (1, 0, 1))])
async def test_what_was_neutralised_on_its_way_out_is_known_on_its_way_in(
    scenario: Any, monkeypatch: pytest.MonkeyPatch, *, restored: bool, told: tuple[int, int, int]
) -> None:
    """The control: without restoring it the row is another, and doubles."""
    key = scenario.keys.producers[PONGGOK]
    row, bad = [None, *EGGS[1:], "-4 derajat"], [*BAD, "+62 812"]
    content = comma_separated([[*HEADINGS, "Catatan"], row, bad])
    job, first = await taken(scenario, await upload(scenario, content, key, name="stok.csv"), key)
    assert first is not None
    assert (first["accepted"], first["refused"]) == (1, 1)
    file = await download(scenario, f"{job['result_url']}/workbook", key)
    assert "'-4 derajat" in file.text
    if not restored:
        monkeypatch.setattr(cells, "restored", lambda cell: cell)
    _, again = await taken(scenario, await upload(scenario, file.content, key, name="stok.csv"), key)
    assert again is not None
    assert (again["accepted"], again["known"], again["refused"]) == told


async def test_sums_below_the_rows_are_no_rows(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    sums = [["Total", None, None, 20, None, None], [None, "JUMLAH", None, 20, None, None]]
    # it says so but names goods: somebody's number
    odd = ["Total", *RICE[1:]]
    _, result = await taken(scenario, await upload(scenario, xlsx([HEADINGS, EGGS, *sums, odd]), key), key)
    assert result is not None
    assert (result["rows"], result["accepted"]) == (2, 2)


async def test_without_refused_rows_there_is_no_error_workbook(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    job, _ = await taken(scenario, await upload(scenario, xlsx([HEADINGS, EGGS]), key), key)
    answer = (await download(scenario, job["result_url"], key)).json()
    assert answer["workbook_url"] is None
    assert (await download(scenario, f"{job['result_url']}/workbook", key)).status_code == 404


async def test_only_the_first_thousand_errors_are_told(scenario: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_job, "MOST_TOLD", 2)
    monkeypatch.setattr(import_job, "CHUNK", 2)
    key = scenario.keys.producers[PONGGOK]
    rows = [[None, "beras", "medium", "x", "ton", 12000]] * 5
    _, result = await taken(scenario, await upload(scenario, xlsx([HEADINGS, *rows]), key), key)
    assert result is not None
    assert ([error["row"] for error in result["errors"]], result["more_errors"], result["refused"]) == ([2, 3], 3, 5)


NEEDS = [
    "Nomor",
    "Komoditas",
    "Kualitas",
    "Jumlah (ton)",
    "Harga/kg",
    "Terima",
    "Tiba paling lambat",
    "Sisa umur (hari)",
]


async def test_a_buyer_uploads_needs(scenario: Any) -> None:
    key = scenario.keys.buyers[DEPOK]
    content = comma_separated([NEEDS, ["N-1", "telur ayam ras", "2", "1,5", "28.400", "diantar", "07/12/2026", "7"]])
    _, result = await taken(scenario, await upload(scenario, content, key, kind="demands"), key)
    assert result is not None
    assert result["accepted"] == 1, result
    (need,) = (await scenario.get("/v1/demands?external_ref=N-1", headers=scenario.as_(key))).json()["items"]
    assert (need["quantity"], need["max_price_idr"], need["deliver_by"]) == (1500, 28400, "2026-12-07")
    assert need["min_remaining_shelf_life_days"] == 7


async def test_a_party_uploads_what_is_its_own_only(scenario: Any) -> None:
    for key, kind in ((scenario.keys.producers[PONGGOK], "demands"), (scenario.keys.buyers[DEPOK], "listings")):
        answer = await upload(scenario, xlsx([HEADINGS, EGGS]), key, kind=kind)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/kind")


async def test_the_hub_acts_for_those_that_rows_or_the_form_name(scenario: Any) -> None:
    hub, other = scenario.keys.hub, "Peternak Srengat (contoh)"
    parties = await scenario.walk("/v1/organizations?role=producer", hub)
    ids = {one["name"]: one["id"] for one in parties}
    rows = [
        ["Pihak", *HEADINGS],
        ["peternak srengat", *EGGS],
        [None, *RICE],
        ["Pak Nobody", *EGGS],
        [ids[PONGGOK], *EGGS],
    ]
    answer = await upload(scenario, xlsx(rows), hub, organization=ids[PONGGOK])
    _, result = await taken(scenario, answer, hub)
    assert result is not None
    assert [(error["cell"], error["code"]) for error in result["errors"]] == [("A4", "unknown_organization")]
    posted = await scenario.walk("/v1/listings?external_ref=KP-1&external_ref=KP-2", hub)
    assert {(one["organization"], one["external_ref"]) for one in posted} == {
        (ids[other], "KP-1"),
        (ids[PONGGOK], "KP-2"),
        (ids[PONGGOK], "KP-1"),
    }
    async with scenario.database.reader() as session:
        actors = await session.execute(
            text("SELECT DISTINCT principal_id IS NOT NULL FROM outbox WHERE subject_id = ANY(:ids)"),
            {"ids": [one["id"] for one in posted]},
        )
        assert actors.scalars().all() == [True]


async def test_the_hub_names_somebody(scenario: Any) -> None:
    answer = await upload(scenario, xlsx([HEADINGS, EGGS]), scenario.keys.hub)
    _, result = await taken(scenario, answer, scenario.keys.hub)
    assert result is not None
    assert [(error["field"], error["code"]) for error in result["errors"]] == [("organization", "missing")]
    buyer = (await scenario.walk("/v1/organizations?role=buyer", scenario.keys.hub))[0]["id"]
    answer = await upload(scenario, xlsx([HEADINGS, EGGS]), scenario.keys.hub, organization=buyer)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "wrong_role")


async def test_a_producer_cannot_name_another(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    other = (await scenario.walk("/v1/organizations?role=producer", scenario.keys.hub))[0]["id"]
    me = (await scenario.get("/v1/me", headers=scenario.as_(key))).json()["organization"]["id"]
    if other == me:
        other = (await scenario.walk("/v1/organizations?role=producer", scenario.keys.hub))[1]["id"]
    assert (await upload(scenario, xlsx([HEADINGS, EGGS]), key, organization=other)).status_code == 404
    rows = [["Pihak", *HEADINGS], [other, *EGGS]]
    await taken(scenario, await upload(scenario, xlsx(rows), key), key)
    (mine,) = await scenario.walk("/v1/listings?external_ref=KP-1", key)
    assert mine["organization"] == me


async def test_a_body_over_the_limit_is_refused_unread(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    answer = await upload(scenario, b"x" * (21 * 1024 * 1024), key)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    headers = {**scenario.as_(key), "content-type": "multipart/form-data; boundary=x", "content-length": str(10**12)}
    assert (await scenario.post("/v1/imports", content=b"x", headers=headers)).status_code == 413


async def test_two_megabytes_are_fine_for_a_file_and_too_much_for_json(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    wide = [*HEADINGS, "Kolom lain"], [*EGGS, "x" * 4000], *[[None] * 6 + ["y" * 4000]] * 500
    assert (await upload(scenario, comma_separated(wide), key)).status_code == 202
    body = {"commodity": "x" * 2_000_000}
    assert (await scenario.post("/v1/listings", json=body, headers=scenario.as_(key))).status_code == 413


@pytest.mark.parametrize(
    ("send", "status"),
    [
        ({"json": {"kind": "listings"}}, 415),
        ({"data": {"kind": "listings"}}, 415),
        ({"files": {"file": ("a.csv", b"a")}}, 422),
        ({"files": {"other": ("a.csv", b"a")}, "data": {"kind": "listings"}}, 422),
        ({"files": {"file": ("a.csv", b"a")}, "data": {"kind": "gold"}}, 422),
        ({"files": {"file": ("a.csv", b"a")}, "data": {"kind": "listings", "dry_run": "perhaps"}}, 422),
        ({"files": {"file": ("a.csv", b"a")}, "data": {"kind": "listings", "organization": "me"}}, 422),
        ({"content": b"", "headers": {"content-type": "multipart/form-data"}}, 400),
        ({"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data; boundary=y"}}, 400),
    ],
)
async def test_a_form_that_is_none_gets_a_planned_answer(scenario: Any, send: dict[str, Any], status: int) -> None:
    headers = {**scenario.as_(scenario.keys.producers[PONGGOK]), **send.pop("headers", {})}
    answer = await scenario.post("/v1/imports", headers=headers, **send)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_nobody_uploads_without_a_key(scenario: Any) -> None:
    answer = await scenario.post("/v1/imports", files={"file": ("a.csv", b"a")}, data={"kind": "listings"})
    assert answer.status_code == 401


async def test_the_same_upload_again_with_its_key_is_the_same_job(scenario: Any) -> None:
    key = scenario.as_(scenario.keys.producers[PONGGOK], **{"Idempotency-Key": "k-1"})
    request = scenario.build_request(
        "POST", "/v1/imports", files={"file": ("a.csv", b"Komoditas,Jumlah")}, data={"kind": "listings"}, headers=key
    )
    request.read()
    first, again = await scenario.send(request), await scenario.send(request)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"


async def test_another_party_does_not_see_it_nor_does_the_file_stay(scenario: Any) -> None:
    key, other = list(scenario.keys.producers.values())[:2]
    job, _ = await taken(scenario, await upload(scenario, xlsx([HEADINGS, BAD]), key), key)
    for address in (job["result_url"], f"{job['result_url']}/workbook"):
        assert (await download(scenario, address, key)).status_code == 200
        assert (await download(scenario, address, other)).status_code == 404
    async with scenario.database.reader() as session:
        assert await session.scalar(text("SELECT content FROM imports")) is None


async def test_a_suspended_party_posts_nothing(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    answer = await upload(scenario, xlsx([HEADINGS, EGGS]), key)
    async with scenario.database.transaction() as session:
        await session.execute(
            text("UPDATE organizations SET status = 'suspended' WHERE name = :name"), {"name": PONGGOK}
        )
    before = await count(scenario)
    await worker.do_next_job(scenario.database, scenario.clock)
    assert await count(scenario) == before
    job = await scenario.get(answer.headers["location"], headers=scenario.as_(scenario.keys.hub))
    assert job.json()["problem"]["code"] == "suspended"


async def test_a_file_that_makes_no_sense_fails_at_once(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    job, _ = await taken(scenario, await upload(scenario, comma_separated([["a", "b"], [1, 2]]), key), key)
    assert (job["status"], job["problem"]["code"]) == ("failed", "unreadable_file")
    assert not await worker.do_next_job(scenario.database, scenario.clock)


async def test_an_import_that_was_interrupted_goes_on_where_it_was(
    committed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_job, "CHUNK", 2)
    real, chunks = posting.Poster.post, []

    async def interrupted(self: Any, session: Any, rows: Any) -> Any:
        chunks.append(rows)
        if len(chunks) == 2:
            raise ConnectionError
        return await real(self, session, rows)

    monkeypatch.setattr(posting.Poster, "post", interrupted)
    key, before = committed.keys.producers[PONGGOK], await count(committed)
    rows = [[None if place % 2 else f"U-{place}", *EGGS[1:3], 20 + place, *EGGS[4:]] for place in range(6)]
    answer = await upload(committed, xlsx([HEADINGS, *rows]), key)
    assert await worker.do_next_job(committed.database, committed.clock)
    job = (await committed.get(answer.headers["location"], headers=committed.as_(key))).json()
    assert (job["status"], job["progress"]) == ("queued", {"done": 2, "total": 6})
    assert await count(committed) == before + 2
    _, result = await taken(committed, answer, key)
    assert result is not None
    assert (result["accepted"], result["known"], result["refused"]) == (6, 0, 0)
    assert await count(committed) == before + 6


async def test_two_workers_with_the_same_rows_post_them_once(committed: Any) -> None:
    key, before = committed.keys.producers[PONGGOK], await count(committed)
    rows = [[None, *EGGS[1:3], 20 + place, *EGGS[4:]] for place in range(50)]
    answers = [await upload(committed, xlsx([HEADINGS, *order]), key) for order in (rows, rows[::-1])]
    assert all(await asyncio.gather(*(worker.do_next_job(committed.database, committed.clock) for _ in answers)))
    results = [
        (await committed.get(f"/v1/imports/{answer.json()['id']}", headers=committed.as_(key))).json()["result"]
        for answer in answers
    ]
    assert sum(result["accepted"] for result in results) == 50
    assert sum(result["known"] for result in results) == 50
    assert await count(committed) == before + 50


@pytest.mark.parametrize(("kind", "who"), [("listings", "producer"), ("demands", "buyer"), ("listings", "hub")])
async def test_the_template_is_filled_in_and_uploaded(scenario: Any, kind: str, who: str) -> None:
    keys = {
        "producer": scenario.keys.producers[PONGGOK],
        "buyer": scenario.keys.buyers[DEPOK],
        "hub": scenario.keys.hub,
    }
    file = await download(scenario, f"/v1/imports/templates/{kind}.xlsx", keys[who])
    book = load_workbook(io.BytesIO(file.content))
    sheet, choices = book.worksheets
    assert choices.sheet_state == "hidden"
    headings = [cell.value for cell in sheet[1]]
    assert ("Pihak" in headings) == (who == "hub")
    dropdowns = {str(rule.sqref).partition("2")[0]: rule.formula1 for rule in sheet.data_validations.dataValidation}
    letters = {heading: cell.column_letter for heading, cell in zip(headings, sheet[1], strict=True)}
    assert dropdowns[letters["Komoditas"]].startswith("Pilihan!$A$1:$A$")
    assert f"MATCH(${letters['Komoditas']}2" in dropdowns[letters["Satuan"]]
    names = [cell.value for cell in choices["A"] if cell.value]
    commodities = await scenario.walk("/v1/commodities")
    assert sorted(names) == sorted(one["name"] for one in commodities)
    assert {(a.value, b.value) for a, b in zip(choices["G"], choices["H"], strict=True) if a.value} == {
        (one["name"], unit["code"]) for one in commodities for unit in one["units"]
    }
    # nothing but the example: it is no row
    job, _ = await taken(scenario, await upload(scenario, file.content, keys[who], kind=kind), keys[who])
    assert job["problem"]["code"] == "unreadable_file"
    # the example with a number of one's own is a good one
    sheet[f"{letters['Nomor Anda']}2"] = "A-1"
    if who == "hub":
        sheet[f"{letters['Pihak']}2"] = PONGGOK
    filled = io.BytesIO()
    book.save(filled)
    _, result = await taken(scenario, await upload(scenario, filled.getvalue(), keys[who], kind=kind), keys[who])
    assert result is not None
    assert (result["accepted"], result["errors"]) == (1, [])


async def test_the_stream_of_an_import_tells_how_far_it_is(scenario: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_job, "CHUNK", 1)
    key, heard = scenario.keys.producers[PONGGOK], list[dict[str, int]]()
    real = import_job.jobs.advance

    async def advance(session: Any, **about: Any) -> None:
        await real(session, **about)
        heard.append({name: about[name] for name in ("done", "total")})

    monkeypatch.setattr(import_job.jobs, "advance", advance)
    answer = await upload(scenario, xlsx([HEADINGS, EGGS, RICE]), key)
    await taken(scenario, answer, key)
    assert heard == [{"done": 1, "total": 2}, {"done": 2, "total": 2}]
    stream = await scenario.get(f"{answer.headers['location']}/events", headers=scenario.as_(key))
    assert '"progress":{"done":2,"total":2}' in stream.text


async def test_an_organisation_has_so_many_files_waiting_at_most(
    scenario: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_WAITING", 2)
    key, other = list(scenario.keys.producers.values())[:2]
    content = xlsx([HEADINGS, EGGS])
    answers = [await upload(scenario, content, key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 409]
    assert answers[2].json()["code"] == "imports_waiting"
    assert (await upload(scenario, content, other)).status_code == 202, "the control: another is not held up"
    await worker.do_next_job(scenario.database, scenario.clock)
    assert (await upload(scenario, content, key)).status_code == 202


async def test_a_file_that_could_not_be_taken_is_let_go(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    await taken(scenario, await upload(scenario, comma_separated([["a", "b"], [1, 2]]), key), key)
    waiting = await upload(scenario, xlsx([HEADINGS, EGGS]), key)
    await worker.tidy(scenario.database, NOW)
    async with scenario.database.reader() as session:
        kept = await session.scalars(text("SELECT id::text FROM imports WHERE content IS NOT NULL"))
        assert list(kept) == [waiting.json()["id"]]


async def test_old_files_and_forgotten_rows_are_let_go(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    await taken(scenario, await upload(scenario, xlsx([HEADINGS, EGGS, [None, *RICE[1:]], BAD]), key), key)
    await worker.tidy(scenario.database, NOW + timedelta(days=5))
    assert await count(scenario, "imported_rows") == 2
    await worker.tidy(scenario.database, NOW + timedelta(days=31))
    assert await count(scenario, "imported_rows") == 1
    async with scenario.database.reader() as session:
        assert await session.scalar(text("SELECT workbook FROM imports")) is None
