"""Lists as CSV and XLSX: the same rows as the JSON list, all of them, and nothing in them runs."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from openpyxl import load_workbook

from app.kit import files, spreadsheet, workbook
from app.kit.files import Room
from app.kit.spreadsheet import CsvFile
from app.kit.workbook import XlsxFile
from tests.imports.conftest import DEPOK, PONGGOK
from tests.test_openapi import document

LISTS = [
    path
    for path, methods in document()["paths"].items()
    for parameter in methods.get("get", {}).get("parameters", ())
    if parameter["name"] == "format" and "xlsx" in parameter["schema"]["enum"]
]
STOCK = {"commodity": "beras", "grade": "medium", "quantity": 1, "unit": "ton", "price_idr": 12000}


def flat(item: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the columns of an item without its lines."""
    for name, value in item.items():
        if isinstance(value, dict) and name not in ("papers", "detail", "facts", "tariffs"):
            yield from flat(value, f"{prefix}{name}_")
        else:
            yield f"{prefix}{name}", json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def expected(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for item in items:
        lines = item.pop("lines") if isinstance(item.get("lines"), list) else None
        for line in lines or [{}]:
            told = {**dict(flat(item)), **{f"line_{name}": value for name, value in flat(line)}}
            rows.append({name: None if value in ("[]", "{}") else value for name, value in told.items()})
    return rows


def as_text(value: Any) -> str:
    """Return a value as a CSV file tells it."""
    told = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{told}" if isinstance(value, str) and told.startswith(("=", "+", "-", "@")) else told


def read_csv(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))


def read_xlsx(content: bytes) -> list[dict[str, Any]]:
    header, *rows = load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


async def addresses(api: Any) -> list[str]:
    """Return every list of the contract, filled in with rows that exist."""
    hub = api.keys.hub
    places = {"run_id": "clearing-runs", "lane_id": "lanes", "demand_id": "demands", "listing_id": "listings"}
    places |= {"organization_id": "organizations"}
    first = {place: (await api.walk(f"/v1/{path}", hub))[0]["id"] for place, path in places.items()}
    return [path.format(**first) for path in LISTS if set(re.findall(r"{(\w+)}", path)) <= set(first)]


@pytest.mark.parametrize("who", [PONGGOK, DEPOK, "hub"])
async def test_a_file_holds_the_rows_of_the_list(agreed: Any, who: str) -> None:
    key = {"hub": agreed.keys.hub, **agreed.keys.producers, **agreed.keys.buyers}[who]
    told = 0
    for address in await addresses(agreed):
        if (await agreed.get(address, headers=agreed.as_(key))).status_code in (403, 404):
            continue
        rows = expected(await agreed.walk(f"{address}?limit=200", key))
        for file_format in ("csv", "xlsx"):
            answer = await agreed.get(f"{address}?format={file_format}", headers=agreed.as_(key))
            assert answer.status_code == 200, answer.text
            read = read_csv(answer.content) if file_format == "csv" else read_xlsx(answer.content)
            assert len(read) == len(rows), address
            for row, found in zip(rows, read, strict=True):
                for name, value in row.items():
                    # what is null as a whole has its columns all the same
                    if name in found or value is not None:
                        assert told_by(found[name]) == as_text(value), (address, name)
        told += len(rows)
    assert told > 50


def told_by(cell: Any) -> str:
    if isinstance(cell, date):
        return cell.strftime("%Y-%m-%d")
    return cell if isinstance(cell, str) else as_text(cell)


async def test_a_file_has_all_pages_under_the_same_filters_and_order(
    scenario: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "READ_ROWS", 2)
    filters = "commodity=telur-ayam-ras&sort=-price_idr"
    listed = await scenario.walk(f"/v1/listings?{filters}", scenario.keys.hub)
    assert len(listed) > 4
    headers = scenario.as_(scenario.keys.hub, **{"Accept-Encoding": "identity"})
    answer = await scenario.get(f"/v1/listings?{filters}&format=csv&limit=1", headers=headers)
    assert [row["id"] for row in read_csv(answer.content)] == [one["id"] for one in listed]
    assert answer.headers["content-disposition"] == 'attachment; filename="listings.csv"'
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_an_order_takes_a_row_for_each_of_its_lines(agreed: Any) -> None:
    orders = await agreed.walk("/v1/orders", agreed.keys.hub)
    answer = await agreed.get("/v1/orders?format=xlsx", headers=agreed.as_(agreed.keys.hub))
    rows = read_xlsx(answer.content)
    assert [(row["number"], row["line_id"], row["line_quantity"]) for row in rows] == [
        (order["number"], line["id"], line["quantity"]) for order in orders for line in order["lines"]
    ]
    # days are days, so that a spreadsheet sorts and groups them
    assert {row["departs_on"].date().isoformat() for row in rows} == {order["departs_on"] for order in orders}


async def test_an_empty_list_is_a_header(scenario: Any) -> None:
    headers = scenario.as_(scenario.keys.hub)
    answer = await scenario.get("/v1/listings?external_ref=none&format=csv", headers=headers)
    (line,) = answer.text.splitlines()
    assert line.startswith("id,status,organization,commodity,")


async def test_excel_in_indonesian_reads_semicolons(scenario: Any) -> None:
    headers = scenario.as_(scenario.keys.hub)
    answer = await scenario.get("/v1/lanes?format=csv&dialect=excel-id", headers=headers)
    assert answer.content.startswith(b"\xef\xbb\xbfid;code;")
    assert len(read_csv(answer.content, ";")) == len(await scenario.walk("/v1/lanes"))


FORMULAS = ['=HYPERLINK("http://x","klik")', "+62 811", "-1+cmd", "@SUM(A1)"]


async def post_formulas(api: Any) -> dict[str, str]:
    headers: dict[str, str] = api.as_(api.keys.producers[PONGGOK])
    for place, formula in enumerate(FORMULAS):
        body = {**STOCK, "note": formula, "external_ref": f"F-{place}"}
        answer = await api.post("/v1/listings", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
    return headers


async def formulas_in(api: Any, headers: dict[str, str]) -> list[str]:
    """Return the cells of a workbook that a spreadsheet would calculate."""
    answer = await api.get("/v1/listings?format=xlsx", headers=headers)
    sheet = load_workbook(io.BytesIO(answer.content)).active
    return [cell.coordinate for row in sheet for cell in row if cell.data_type == "f"]


async def test_what_looks_like_a_formula_is_text(scenario: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = await post_formulas(scenario)
    answer = await scenario.get("/v1/listings?sort=created_at&format=csv", headers=headers)
    notes = [row["note"] for row in read_csv(answer.content) if row["external_ref"].startswith("F-")]
    assert sorted(notes) == sorted(f"'{formula}" for formula in FORMULAS)
    assert await formulas_in(scenario, headers) == []
    monkeypatch.setattr(spreadsheet, "neutral", lambda value: value)
    monkeypatch.setattr(workbook, "neutral", lambda value: value)
    assert await formulas_in(scenario, headers), "the control: without the apostrophe it is one"


def test_a_workbook_holds_what_it_has_words_for() -> None:
    file = XlsxFile(["a", "b", "c"])
    file.write([["\x01=1", 2**62, date(2026, 12, 1)], ["\ud800", True, None]])
    rows = read_xlsx(_content(file))
    assert rows[0]["a"] == "'=1"
    assert rows[0]["b"] == str(2**62), "more digits than a spreadsheet keeps"
    assert rows[0]["c"].date() == date(2026, 12, 1)
    assert (rows[1]["a"], rows[1]["b"]) in ((None, True), ("", True))


@pytest.mark.parametrize(("semicolons", "told"), [(True, "-7,5;beras 2.5;3"), (False, "-7.5,beras 2.5,3")])
def test_a_decimal_comma_comes_with_semicolons(*, semicolons: bool, told: str) -> None:
    file = CsvFile(["a", "b", "c"], semicolons=semicolons)
    file.write([[-7.5, "beras 2.5", 3]])
    assert _content(file).decode().splitlines()[1] == told


def _content(file: CsvFile | XlsxFile) -> bytes:
    content = file.finish()
    content.seek(0)
    return content.read()


async def test_a_file_has_so_many_rows_at_most(scenario: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", {"csv": 5, "xlsx": 4})
    headers = scenario.as_(scenario.keys.hub)
    lanes = len(await scenario.walk("/v1/lanes"))
    assert lanes > 5
    for file_format in ("csv", "xlsx"):
        answer = await scenario.get(f"/v1/lanes?format={file_format}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "too_many_rows")
    assert len((await scenario.get("/v1/lanes?limit=200", headers=headers)).json()["items"]) == lanes


async def test_few_files_are_made_at_a_time(scenario: Any) -> None:
    hub, headers = scenario.app.state.hub, scenario.as_(scenario.keys.hub)
    hub.files = Room(1)
    with hub.files.one():
        answer = await scenario.get("/v1/lanes?format=csv", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert int(answer.headers["retry-after"]) > 0
        assert (await scenario.get("/v1/lanes", headers=headers)).status_code == 200
    for _again in range(2):
        assert (await scenario.get("/v1/lanes?format=csv&sort=no", headers=headers)).status_code == 400
        assert (await scenario.get("/v1/lanes?format=csv", headers=headers)).status_code == 200


@pytest.mark.parametrize("query", ["format=pdf", "format=csv&dialect=latin", "format=csv&cursor=x&limit=0"])
async def test_what_is_no_format_is_named(scenario: Any, query: str) -> None:
    answer = await scenario.get(f"/v1/lanes?{query}", headers=scenario.as_(scenario.keys.hub))
    assert answer.status_code == 422


async def test_without_a_key_there_is_no_file(scenario: Any) -> None:
    assert (await scenario.get("/v1/listings?format=csv")).status_code == 401
    assert (await scenario.get("/v1/regions?format=csv")).status_code == 200
