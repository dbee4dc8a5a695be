"""`hub import` and `hub export` against a running hub and its worker."""

import csv
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app.imports.columns import FIELDS
from tests.cli.conftest import Ended, Hub
from tests.conftest import Scenario
from tests.imports.conftest import PONGGOK
from tests.imports.files import EGGS, HEADINGS, comma_separated, xlsx
from tests.live.test_concurrency import live_server
from tests.test_architecture import ROOT

BAD = ["KP-9", "Telur ayam ras", "II", "dua puluh", "peti-15", 397500]


@pytest.fixture
def running(hub: Hub, scenario_template: Scenario, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Ended]]:
    """The command line of a producer, beside a server and a worker; `key` names another caller."""
    worker = subprocess.Popen([sys.executable, "-m", "app.worker"], env=os.environ, stderr=subprocess.DEVNULL)
    with live_server(hub.url, protected=True) as base:
        monkeypatch.setenv("HUB_API_KEY", scenario_template.keys.producers[PONGGOK])

        def ask(*arguments: str) -> Ended:
            return hub(*arguments, "--url", base)

        yield ask
    worker.terminate()
    worker.wait()


def file_of(folder: Path, content: bytes, name: str = "stok.xlsx") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_good_rows_are_posted_and_the_refused_one_comes_back_to_be_mended(
    running: Callable[..., Ended], hub: Hub, tmp_path: Path, terminal: Callable[[int], None]
) -> None:
    file = file_of(tmp_path, xlsx([HEADINGS, EGGS, BAD]))
    before = hub.sql("SELECT count(*) FROM listings")
    dry = running("import", "listings", str(file), "--dry-run")
    assert (dry.code, json.loads(dry.out)["result"]["accepted"]) == (3, 1)
    assert hub.sql("SELECT count(*) FROM listings") == before
    terminal(120)
    ended = running("import", "listings", str(file))
    assert ended.code == 3, ended.err
    assert "D3" in ended.out
    assert "Contoh: 1.250 atau 2,5" in ended.out
    assert "1 / 0 / 1 baris masuk / sudah ada / ditolak" in ended.err
    assert hub.sql("SELECT count(*) FROM listings") == before + 1
    mended = tmp_path / "stok-kesalahan.xlsx"
    book = load_workbook(mended)
    book["Stok"]["D3"] = 20
    book.save(mended)
    ended = running("import", "listings", str(mended))
    assert ended.code == 0, ended.err
    assert "1 / 1 / 0" in ended.err
    assert hub.sql("SELECT count(*) FROM listings") == before + 2


def test_the_hub_posts_for_a_party_that_it_names(
    running: Callable[..., Ended], hub: Hub, scenario_template: Scenario, tmp_path: Path
) -> None:
    file = file_of(tmp_path, comma_separated([HEADINGS, EGGS]), "stok.csv")
    key = ("--key", scenario_template.keys.hub)
    assert running("import", "listings", str(file), *key).code == 3, "nobody is named"
    several = running("import", "listings", str(file), *key, "--for", "koperasi")
    assert (several.code, "lebih dari satu" in several.err) == (2, True)
    ended = running("import", "listings", str(file), *key, "--for", "peternak ponggok")
    assert ended.code == 0, ended.err
    owner = "SELECT o.name FROM listings l JOIN organizations o ON o.id = organization_id WHERE external_ref = 'KP-1'"
    assert hub.sql(owner) == PONGGOK


def test_a_file_that_is_no_table_is_told_and_the_template_is_one(running: Callable[..., Ended], tmp_path: Path) -> None:
    another = comma_separated([["a", "b"], [1, 2]])
    for content, told in ((b"", "Berkas kosong"), (another, "Baris judul tidak ditemukan")):
        ended = running("import", "listings", str(file_of(tmp_path, content)))
        assert (ended.code, ended.out) == (1, "")
        assert told in ended.err
        assert "Traceback" not in ended.err
    file = tmp_path / "isi.xlsx"
    assert running("import", "listings", str(file), "--template").code == 0
    assert load_workbook(file).sheetnames[0] == "Stok"


GUIDE = (ROOT / "docs" / "spreadsheets.md").read_text()


def told_commands() -> list[list[str]]:
    """The commands of the guide, in its order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]


def test_the_guide_is_followed_step_by_step(
    running: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    template, dry, sent, mended, *exports = told_commands()
    assert all(command[:2] == ["./dev", "hub"] for command in told_commands())
    assert running(*template[2:]).code == 0
    # the template's columns: number, commodity, grade, quantity, unit, weight of a package, price
    fill(Path("stok.xlsx"), [[*row[:5], None, row[5]] for row in (EGGS, ["KP-2", *EGGS[1:]], BAD)])
    assert running(*dry[2:]).code == 3
    assert running(*sent[2:]).code == 3
    fill(Path("stok-kesalahan.xlsx"), [], D5=20)
    ended = running(*mended[2:])
    assert (ended.code, "1 / 2 / 0" in ended.err) == (0, True), ended.err
    for command in exports:
        ended = running(*command[2:])
        assert ended.code == 0, ended.err
    assert load_workbook("stok-terbuka.xlsx").active.max_row > 3
    assert Path("pesanan.csv").read_text("utf-8-sig").startswith("id;number;")


def fill(file: Path, rows: list[list[Any]], **cells: Any) -> None:
    book = load_workbook(file)
    sheet = book.worksheets[0]
    for place, row in enumerate(rows, start=3):
        for column, value in enumerate(row, start=1):
            sheet.cell(place, column, value)
    for address, value in cells.items():
        sheet[address] = value
    book.save(file)


def test_the_guide_names_the_columns_there_are() -> None:
    rows = re.findall(r"^\| (?:required|quantity|where|other)[^|]*\|([^|]*)\|([^|]*)\|$", GUIDE, re.MULTILINE)
    for place, kind in enumerate(("listings", "demands")):
        named = [heading.strip() for row in rows for heading in row[place].split(",")]
        assert sorted(named) == sorted(field.heading for field in FIELDS[kind])
        required = [field.heading for field in FIELDS[kind] if field.required]
        assert [heading.strip() for heading in rows[0][place].split(",")] == required


def test_what_cannot_be_sent_ends_with_a_line(running: Callable[..., Ended], call: Callable[..., Ended]) -> None:
    missing = running("import", "listings", "/nowhere/stok.xlsx")
    assert (missing.code, "/nowhere/stok.xlsx" in missing.err) == (2, True)
    silent = call("export", "listings", "--url", "http://127.0.0.1:1")
    assert (silent.code, "`hub run`" in silent.err) == (1, True)
    foreign = running("export", "listings", "--key", "btc_test_wrong")
    assert (foreign.code, "HUB_API_KEY" in foreign.err) == (4, True)


def read(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_list_goes_to_stdout_or_into_a_file(running: Callable[..., Ended], tmp_path: Path) -> None:
    all_of_it = running("export", "listings")
    assert all_of_it.code == 0, all_of_it.err
    rows = read(all_of_it.out)
    filtered = running("export", "listings", "--where", "status=open", "--where", "commodity=telur-ayam-ras")
    assert read(filtered.out) == [
        row for row in rows if row["status"] == "open" and row["commodity"] == "telur-ayam-ras"
    ]
    file = tmp_path / "stok.xlsx"
    assert running("export", "listings", "-o", str(file)).code == 0
    assert [row[0] for row in load_workbook(file).active.iter_rows(min_row=2, values_only=True)] == [
        row["id"] for row in rows
    ]
    assert read(running("export", "dashboard/flows").out)
    assert running("export", "lanes", "--excel-id").out.startswith("\ufeffid;code;")
    for arguments, code in ((["-o", "stok.pdf"], 2), (["--where", "status"], 2), (["--where", "state=open"], 1)):
        ended = running("export", "listings", *arguments)
        assert (ended.code, ended.out) == (code, "")
        assert ended.err
