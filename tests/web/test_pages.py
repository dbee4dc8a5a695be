"""Pages as the server writes them: safe headers, both languages, forms that work without script, sign-in by one tap."""

import re
from typing import Any

import pytest

from app.kit import cookies
from app.web import router
from app.web.built import Built
from app.web.frame import POLICY
from app.web.rules import PAGES, SELL

PONGGOK, DEPOK = "Koperasi peternak Ponggok (contoh)", "Pedagang telur Depok (contoh)"
STOCK = {"commodity": "telur-ayam-ras", "grade": "II", "quantity": "1.250", "unit": "kg", "price_idr": "Rp 26.500"}
NEED = {"commodity": "beras", "min_grade": "medium", "quantity": "2,5", "unit": "ton", "max_price_idr": "13.500"}


@pytest.fixture
def built(tmp_path: Any) -> Built:
    """Two pages as Vite leaves them."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "manifest.json").write_text(
        '{"src/pages/hari-ini.ts": {"file": "assets/hari-ini-1.js", "isEntry": true, "imports": ["_start.js"],'
        ' "css": ["assets/hari-ini-1.css"]}, "_start.js": {"file": "assets/start-2.js", "css": ["assets/start-2.css"]}}'
    )
    for name in ("hari-ini-1.js", "hari-ini-1.js.br", "hari-ini-1.js.gz"):
        (tmp_path / "assets" / name).write_bytes(name.encode())
    return Built.read(tmp_path)


async def signed_in(api: Any, key: str) -> Any:
    answer = await api.post("/masuk", data={"key": key})
    assert answer.status_code == 303, answer.text
    return answer


async def form_of(api: Any, path: str) -> dict[str, str]:
    """Return the hidden fields of the form on a page."""
    page = await api.get(path)
    assert page.status_code == 200, page.text
    form = page.text.partition('id="pasang"')[2]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


async def stocks(api: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await api.walk("/v1/listings", api.keys.producers[PONGGOK])
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
@pytest.mark.parametrize("language", ["id", "en"])
async def test_every_page_has_its_frame_in_both_languages(api: Any, page: Any, language: str) -> None:
    api.cookies.set("lang", language)
    answer = await api.get(page.path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{page.title.read(language)}</h1>" in answer.text
    assert f'href="{page.path}" aria-current="page"' in answer.text or page.roles
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=|javascript:", answer.text), "nothing inline"


def test_the_policy_allows_nothing_from_outside_and_nothing_inline() -> None:
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY
    assert not re.search(r"https?:|\*", POLICY)


async def test_pages_that_were_never_built_say_how_while_the_api_runs(api: Any) -> None:
    api.app.state.hub.built = Built()
    answer = await api.get("/")
    assert answer.status_code == 200
    assert "python ui/build.py" in answer.text
    assert "<script" not in answer.text
    assert (await api.get("/healthz")).status_code == 200


async def test_a_page_names_the_files_it_needs_and_browsers_keep_them(api: Any, built: Built) -> None:
    api.app.state.hub.built = built
    page = (await api.get("/")).text
    assert '<script type="module" src="/assets/hari-ini-1.js">' in page
    assert '<link rel="modulepreload" href="/assets/start-2.js">' in page
    assert page.index("start-2.css") < page.index("hari-ini-1.css"), "a page's own style comes last"
    for accepted, coding in (("gzip, br", "br"), ("gzip", "gzip"), ("identity", None)):
        answer = built.answer("hari-ini-1.js", accepted)
        assert answer is not None
        assert answer.headers.get("content-encoding") == coding
        assert bytes(answer.body).decode() == "hari-ini-1.js" + {"br": ".br", "gzip": ".gz", None: ""}[coding]
        assert "immutable" in answer.headers["cache-control"]
        assert answer.media_type == "text/javascript"
    for name in ("hari-ini-1.js.br", "..%2Fmanifest.json", "nothing.js"):
        assert (await api.get(f"/assets/{name}")).status_code == 404


async def test_lists_travel_packed_and_no_page_that_holds_a_proof_does(scenario: Any) -> None:
    """Beside text that an attacker chooses, the length of a packed page would tell the proof that is in it."""
    regions = await scenario.get("/v1/regions?limit=200")
    assert regions.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in regions.headers["vary"]
    plain = await scenario.get("/v1/regions?limit=200", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == regions.content
    await signed_in(scenario, scenario.keys.hub)
    page = await scenario.get("/meja")
    assert scenario.cookies["hub_csrf"] in page.text
    assert "content-encoding" not in page.headers


async def test_a_language_once_chosen_stays(api: Any) -> None:
    chosen = await api.get("/jual?komoditas=beras&lang=en")
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/jual?komoditas=beras")
    assert '<html lang="en">' in (await api.get("/harga")).text
    assert (await api.get("/harga?lang=xx")).status_code == 200


async def test_looking_at_a_link_does_not_use_it_up_and_one_tap_signs_in(scenario: Any) -> None:
    me = (await scenario.get("/v1/me", headers=scenario.as_(scenario.keys.producers[PONGGOK]))).json()
    address = f"/v1/organizations/{me['organization']['id']}/sign-in-links"
    path = (await scenario.post(address, headers=scenario.as_(scenario.keys.hub))).json()["path"]
    for _messenger in range(2):
        assert "hub_session" not in (await scenario.get(path)).cookies
    tapped = await scenario.post("/masuk", data={"link": path.partition("=")[2]})
    assert (tapped.status_code, tapped.headers["location"]) == (303, "/jualan-saya")
    assert 'data-role="producer"' in (await scenario.get("/jualan-saya")).text
    again = await scenario.post("/masuk", data={"link": path.partition("=")[2]})
    assert again.status_code == 401
    assert "Minta tautan baru" in again.text


@pytest.mark.parametrize("protected", [True, False])
async def test_another_site_signs_nobody_in(scenario: Any, monkeypatch: pytest.MonkeyPatch, *, protected: bool) -> None:
    """The control: without the check the browser would be signed in as whoever the other site chose."""
    if not protected:
        monkeypatch.setattr(router, "_require_same_site", lambda _request: None)
    key = {"key": scenario.keys.hub}
    answer = await scenario.post("/masuk", data=key, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, "hub_session" in answer.cookies) == ((403, False) if protected else (303, True))


async def test_a_stock_is_posted_without_script_once_however_often_it_is_sent(scenario: Any) -> None:
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    before = await stocks(scenario)
    form = {**await form_of(scenario, "/jual?komoditas=telur-ayam-ras"), **STOCK}
    first, second = [await scenario.post("/jual", data=form) for _ in range(2)]
    assert (first.status_code, second.status_code) == (303, 303)
    assert second.headers["location"] == first.headers["location"]
    (new,) = [row for row in await stocks(scenario) if row not in before]
    assert (new["quantity"], new["price_idr"]) == (1250, 26500)
    told = (await scenario.get(first.headers["location"])).text
    assert "Terpasang." in told
    assert "1.250 kg" in told
    assert "Rp 26.500/kg" in told


async def test_a_need_is_posted_without_script(scenario: Any) -> None:
    await signed_in(scenario, scenario.keys.buyers[DEPOK])
    form = {**await form_of(scenario, "/beli?komoditas=beras"), **NEED}
    posted = await scenario.post("/beli", data=form)
    assert posted.status_code == 303, posted.text
    told = (await scenario.get(posted.headers["location"])).text
    assert "2.500 kg" in told
    assert "Rp 13.500/kg" in told


async def test_the_hub_posts_for_a_party_that_it_names(scenario: Any) -> None:
    await signed_in(scenario, scenario.keys.hub)
    page = (await scenario.get("/jual?komoditas=telur-ayam-ras")).text
    (organization,) = re.findall(rf'<option value="([^"]+)"[^>]*>{re.escape(PONGGOK)}', page)
    form = {**await form_of(scenario, "/jual?komoditas=telur-ayam-ras"), **STOCK, "organization": organization}
    assert (await scenario.post("/jual", data=form)).status_code == 303
    assert 1250 in [row["quantity"] for row in await stocks(scenario)]


@pytest.mark.parametrize(
    ("change", "name", "sentence"),
    [
        ({"quantity": "banyak"}, "quantity", "Tulis angka"),
        ({"quantity": "0"}, "quantity", "Tulis angka"),
        ({"price_idr": "murah"}, "price_idr", "Tulis rupiah"),
        ({"price_idr": "26.500,50"}, "price_idr", "Tulis rupiah"),
        ({"unit": "karung-50"}, "unit", ""),
        ({"grade": "Z"}, "grade", ""),
    ],
)
async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    scenario: Any, change: dict[str, str], name: str, sentence: str
) -> None:
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    before = await stocks(scenario)
    form = {**await form_of(scenario, "/jual?komoditas=telur-ayam-ras"), **STOCK, **change}
    answer = await scenario.post("/jual", data=form)
    assert answer.status_code == 422
    (told,) = re.findall(rf'id="wrong-{name}">([^<]+)', answer.text)
    assert sentence in told
    kept = form["quantity"] if name != "quantity" else form["price_idr"]
    assert f'value="{kept}"' in answer.text
    assert await stocks(scenario) == before


async def test_what_was_typed_comes_back_as_text_never_as_markup(scenario: Any) -> None:
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    form = {**await form_of(scenario, "/jual?komoditas=telur-ayam-ras"), **STOCK, "quantity": '"><script>x</script>'}
    answer = await scenario.post("/jual", data=form)
    assert "<script>x" not in answer.text
    assert "&lt;script&gt;x" in answer.text


@pytest.mark.parametrize("protected", [True, False])
async def test_a_form_of_another_site_posts_nothing(
    scenario: Any, monkeypatch: pytest.MonkeyPatch, *, protected: bool
) -> None:
    """The control: without the proof the cookie alone would post."""
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    if not protected:
        monkeypatch.setattr(cookies, "require_proof", lambda *_: None)
    before = len(await stocks(scenario))
    answer = await scenario.post("/jual", data={**STOCK, "csrf": "x"})
    assert answer.status_code == (403 if protected else 303)
    assert len(await stocks(scenario)) - before == (0 if protected else 1)


async def test_the_hub_sees_the_prices_that_were_set_where_its_parties_are(scenario: Any) -> None:
    """Rice has another HET in Samarinda; a buyer sees that of its own zone alone."""
    await signed_in(scenario, scenario.keys.hub)
    page = (await scenario.get("/beli?komoditas=beras")).text
    assert set(re.findall(r'<li data-zone="(\d)">HET', page)) == {"1", "2"}
    assert set(re.findall(r'data-region="(64\.72|32\.76)" data-zone="(\d)"', page)) == {("64.72", "2"), ("32.76", "1")}
    await signed_in(scenario, scenario.keys.buyers[DEPOK])
    own = (await scenario.get("/beli?komoditas=beras")).text
    assert own.count("<li>HET") * 2 == page.count("HET konsumen")


async def test_a_script_gets_an_address_or_a_problem(scenario: Any) -> None:
    as_script = {"Accept": "application/json"}
    assert (await scenario.post("/jual", data=STOCK, headers=as_script)).json()["code"] == "unauthenticated"
    assert (await scenario.post("/jual", data=STOCK)).headers["location"] == "/masuk"
    await signed_in(scenario, scenario.keys.producers[PONGGOK])
    as_script |= {"X-CSRF-Token": scenario.cookies["hub_csrf"], "Idempotency-Key": "queued"}
    first, second = [await scenario.post("/jual", data=STOCK, headers=as_script) for _ in range(2)]
    assert first.status_code == 201
    assert (second.content, second.headers["Idempotency-Replayed"]) == (first.content, "true")
    wrong = await scenario.post("/jual", data={**STOCK, "quantity": ""}, headers=as_script)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/quantity")
    buyer = await scenario.post("/beli", data=NEED, headers=as_script)
    assert buyer.json()["code"] == "forbidden"


@pytest.mark.parametrize("body", [b"quantity=" + b"9" * 30_000, b"&".join(b"a=1" for _ in range(50)), b"a=\xff"])
async def test_a_form_that_is_no_form_of_ours_is_refused(scenario: Any, body: bytes) -> None:
    answer = await scenario.post("/jual", content=body, headers={"Accept": "application/json"})
    assert answer.status_code in (401, 413, 422)


async def test_signing_out_asks_for_our_own_page(scenario: Any) -> None:
    await signed_in(scenario, scenario.keys.hub)
    assert (await scenario.post("/keluar", data={})).status_code == 403
    out = await scenario.post("/keluar", data={"csrf": scenario.cookies["hub_csrf"]})
    assert (out.status_code, "hub_session" in scenario.cookies) == (303, False)


async def test_a_page_of_another_role_says_so(scenario: Any) -> None:
    await signed_in(scenario, scenario.keys.buyers[DEPOK])
    page = (await scenario.get(SELL.path)).text
    assert "bukan untuk peran Anda" in page
    assert 'id="pasang"' not in page
