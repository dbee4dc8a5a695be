"""Lembar kerja without script: sent from a browser, followed, mended, sent again."""

import re
from typing import Any

import pytest

from app import worker
from app.kit import cookies
from app.web.frame import POLICY
from tests.imports.files import EGGS, HEADINGS, comma_separated, xlsx
from tests.web.test_pages import DEPOK, PONGGOK, signed_in, stocks

BAD = ["KP-2", "Telur <b>ayam</b>", "II", "dua", "peti-15", 397500]


async def sent(api: Any, content: bytes, *, name: str = "stok.xlsx", **fields: str) -> Any:
    """Send a file from the page, with what the form on it holds."""
    page = await api.get("/berkas")
    assert page.status_code == 200, page.text
    hidden = dict(
        re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text.partition('id="berkas"')[2])
    )
    return await api.post("/berkas", data={**hidden, **fields}, files={"file": (name, content)})


async def test_a_file_is_followed_until_it_is_taken_and_what_is_wrong_is_told(scenario: Any) -> None:
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    before = len(await stocks(scenario))
    answer = await sent(scenario, xlsx([HEADINGS, EGGS, BAD]))
    assert answer.status_code == 303, answer.text
    waiting = await scenario.get(answer.headers["location"])
    assert waiting.headers["refresh"] == "2"
    assert "<progress" in waiting.text
    assert await worker.do_next_job(scenario.database, scenario.clock)
    done = await scenario.get(answer.headers["location"])
    assert "refresh" not in done.headers
    assert done.headers["content-security-policy"] == POLICY
    assert "<strong>1 baris masuk</strong>, 0 sudah ada, 1 ditolak." in done.text
    assert "<td>D3</td><td>dua</td><td>Tulis angka saja. Contoh: 1.250 atau 2,5</td>" in done.text
    assert "Telur &lt;b&gt;ayam&lt;/b&gt;" in done.text
    assert len(await stocks(scenario)) == before + 1
    (workbook,) = re.findall(r'href="(/v1/imports/[^"]+/workbook)"', done.text)
    file = await scenario.get(workbook)
    assert file.content.startswith(b"PK")
    again = await sent(scenario, file.content)
    await worker.do_next_job(scenario.database, scenario.clock)
    assert "0 baris masuk</strong>, 1 sudah ada, 1 ditolak" in (await scenario.get(again.headers["location"])).text


async def test_a_dry_run_posts_nothing(scenario: Any) -> None:
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    before = len(await stocks(scenario))
    answer = await sent(scenario, xlsx([HEADINGS, EGGS]), dry_run="true")
    await worker.do_next_job(scenario.database, scenario.clock)
    page = (await scenario.get(answer.headers["location"])).text
    assert "1 baris masuk" in page
    assert "Percobaan: belum ada yang dipasang." in page
    assert len(await stocks(scenario)) == before


@pytest.mark.parametrize(("who", "kinds"), [("producer", ["listings"]), ("buyer", ["demands"]), ("hub", None)])
async def test_everybody_sends_what_is_theirs(scenario: Any, who: str, kinds: list[str] | None) -> None:
    keys = {
        "producer": scenario.keys.producers[PONGGOK],
        "buyer": scenario.keys.buyers[DEPOK],
        "hub": scenario.keys.hub,
    }
    await signed_in(scenario, keys[who])
    page = (await scenario.get("/berkas")).text
    templates = re.findall(r"/v1/imports/templates/(\w+)\.xlsx", page)
    assert templates == (kinds or ["listings", "demands"])
    for kind in templates:
        assert (await scenario.get(f"/v1/imports/templates/{kind}.xlsx")).status_code == 200
    assert ("<select" in page.partition('id="berkas"')[2]) == (who == "hub")


async def test_who_is_not_signed_in_or_only_looks_on_sends_nothing(scenario: Any) -> None:
    assert 'href="/masuk"' in (await scenario.get("/berkas")).text
    answer = await scenario.post("/berkas", data={"kind": "listings"}, files={"file": ("stok.csv", b"a")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/masuk")
    await signed_in(scenario, scenario.keys.observer)
    assert 'id="berkas"' not in (await scenario.get("/berkas")).text


@pytest.mark.parametrize("protected", [True, False])
async def test_a_form_of_another_site_sends_nothing(
    scenario: Any, monkeypatch: pytest.MonkeyPatch, *, protected: bool
) -> None:
    """The control: without the proof it does."""
    if not protected:
        monkeypatch.setattr(cookies, "require_proof", lambda *_: None)
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    file = {"file": ("stok.xlsx", xlsx([HEADINGS, EGGS]))}
    answer = await scenario.post("/berkas", data={"kind": "listings"}, files=file)
    assert answer.status_code == (403 if protected else 303)
    assert await worker.do_next_job(scenario.database, scenario.clock) != protected


@pytest.mark.parametrize(
    ("content", "fields", "status", "told"),
    [
        (b"%PDF-1.7", {}, 422, "Hanya .xlsx dan .csv yang dibaca."),
        (b"", {}, 422, "Berkas kosong."),
        (xlsx([HEADINGS, EGGS]), {"kind": "demands"}, 422, "Produsen mengunggah listings"),
        (xlsx([HEADINGS, EGGS]), {"kind": "gold"}, 422, "note bad"),
    ],
)
async def test_what_is_refused_at_once_is_said_above_the_form(
    scenario: Any, content: bytes, fields: dict[str, str], status: int, told: str
) -> None:
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    answer = await sent(scenario, content, **fields)
    assert answer.status_code == status
    assert told in answer.text
    assert 'id="berkas"' in answer.text


async def test_a_file_that_is_no_table_is_told_once_it_was_looked_at(scenario: Any) -> None:
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    answer = await sent(scenario, comma_separated([["a", "b"], [1, 2]]), name="stok.csv")
    await worker.do_next_job(scenario.database, scenario.clock)
    assert "Baris judul tidak ditemukan" in (await scenario.get(answer.headers["location"])).text


async def test_too_large_a_file_is_refused(scenario: Any) -> None:
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    assert (await sent(scenario, b"x" * (21 * 1024 * 1024))).status_code == 413


async def test_another_partys_file_is_not_shown(scenario: Any) -> None:
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    address = (await sent(scenario, xlsx([HEADINGS, EGGS, BAD]))).headers["location"]
    await worker.do_next_job(scenario.database, scenario.clock)
    assert "1 ditolak" in (await scenario.get(address)).text, "the control"
    await signed_in(scenario, scenario.keys.buyers[DEPOK])
    for other in (address, "/berkas?id=none"):
        assert "ditolak" not in (await scenario.get(other)).text
