"""What the commands print, and how they end."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from app.demo import service as demo
from app.kit.db import Database
from app.listings.schemas import ListingAnswer
from app.matching.schemas import MatchAnswer
from tests.cli.conftest import Ended, Hub
from tests.conftest import NOW, Cluster


def printed(ended: Ended) -> Any:
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def test_lists_have_the_shape_of_the_http_api(hub: Hub) -> None:
    stock = printed(hub("listings", "--limit", "1000"))["items"]
    assert len(stock) == hub.sql("SELECT count(*) FROM listings")
    assert [ListingAnswer.model_validate(row).model_dump(mode="json") for row in stock] == stock
    agreed = printed(hub("matches"))["items"]
    assert [MatchAnswer.model_validate(row).model_dump(mode="json") for row in agreed] == agreed


def test_lists_are_narrowed_by_status_commodity_and_limit(hub: Hub) -> None:
    rows = printed(hub("demands", "--status", "open", "--status", "expired", "--commodity", "beras", "--limit", "2"))
    assert [(row["status"], row["commodity"]) for row in rows["items"]] == [("open", "beras")] * 2


@pytest.mark.parametrize("width", [80, 160])
def test_a_table_keeps_its_figures_whole(hub: Hub, terminal: Callable[[int], None], width: int) -> None:
    terminal(width)
    lines = hub("matches").out.splitlines()
    assert max(map(len, lines)) <= width
    assert "Telur ayam ras · kg, Rp/kg" in lines
    assert "(contoh)" not in "".join(lines)
    (eggs,) = [line.split() for line in lines if "25/11 LN-02  10.000" in line]
    assert eggs[-6:] == ["25/11", "LN-02", "10.000", "26.950", "27.630", "proposed"]
    assert any("Distributor beras Samarinda" in line for line in lines) == (width == 160)


def test_headings_and_sentences_are_indonesian_unless_asked_for_english(
    hub: Hub, terminal: Callable[[int], None]
) -> None:
    terminal(120)
    indonesian = hub("clear", "--dry-run", "--explain").out
    english = hub("--lang", "en", "clear", "--dry-run", "--explain").out
    assert "Belum cocok" in indonesian
    assert "terbukti optimal" in indonesian
    assert "Belum ada kebutuhan komoditas ini." in indonesian
    assert "Not matched" in english
    assert "proved optimal" in english
    assert "Nobody needs this commodity yet." in english


def test_a_dry_run_shows_why_orders_are_left_and_binds_nothing(hub: Hub) -> None:
    before = hub.sql("SELECT sum(proposed_quantity) FROM listings")
    told = printed(hub("clear", "--dry-run", "--explain", "--commodity", "beras"))
    assert told["run"]["dry_run"]
    assert told["run"]["commodities"] == ["beras"]
    assert {row["commodity"] for row in told["unmatched"]} == {"beras"}
    assert all(row["message"] for row in told["unmatched"])
    assert hub.sql("SELECT sum(proposed_quantity) FROM listings") == before


def test_a_start_that_ended_before_the_clearing_is_made_good_by_the_next(
    new_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ended(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(demo, "clear_scenario", ended)
        assert new_hub("demo").code != 0
    assert new_hub.sql("SELECT count(*) FROM listings") > 0
    assert new_hub.sql("SELECT count(*) FROM clearing_runs") == 0
    assert new_hub("demo").code == 0
    assert new_hub.sql("SELECT count(*) FROM clearing_runs") == 1
    assert new_hub("demo").code == 5


def test_loading_the_scenario_clears_it_and_shows_the_matches(new_hub: Hub, terminal: Callable[[int], None]) -> None:
    terminal(80)
    ended = new_hub("demo")
    assert ended.code == 0, ended.err
    assert "Pedagang telur Depok  25/11 LN-02  10.000    26.950  27.630" in ended.out
    assert re.search(r"hub: skenario contoh dicocokkan +\d+\.\d\d s", ended.err)
    assert "hub shipments" in ended.err
    keys = new_hub.data_dir / "demo-keys.json"
    assert keys.stat().st_mode & 0o777 == 0o600
    assert new_hub("demo").code == 5


def test_an_explained_run_shows_how_each_price_is_built_up(new_hub: Hub, terminal: Callable[[int], None]) -> None:
    asyncio.run(load_scenario(new_hub.url))
    terminal(160)
    lines = new_hub("clear", "--dry-run", "--explain").out.splitlines()
    steps = [line.split() for line in lines if re.search(r" \d\d/\d\d (LN-\d\d|loco) ", line)]
    assert len(steps) == 32
    for row in steps:
        producer, collection, freight, scarcity, delivered = (int(figure.replace(".", "")) for figure in row[-5:])
        assert producer + collection + freight + scarcity == delivered


async def load_scenario(url: str) -> None:
    database = Database(url, pool_size=1)
    await database.retried(
        lambda session: demo.load_scenario(session, environment="test", now=NOW, with_last_week=False)
    )
    await database.dispose()


def test_emptying_a_given_database_needs_a_yes(hub: Hub) -> None:
    refused = hub("demo", "--reset")
    assert refused.code == 4
    assert "--yes" in refused.err
    before = hub.sql("SELECT min(id::text) FROM organizations")
    assert hub("demo", "--reset", "--yes").code == 0
    assert hub.sql("SELECT min(id::text) FROM organizations") != before
    assert len(json.loads((hub.data_dir / "demo-keys.json").read_text())["producers"]) > 1


def test_a_replay_gives_the_same_bytes_and_says_so_when_it_does_not(hub: Hub) -> None:
    told = printed(hub("replay"))
    assert told["same"]
    assert told["output_sha256"] == told["output_sha256_now"]
    assert told["engine"] == told["engine_now"]
    run = told["run_id"]
    hub.sql(f"UPDATE clearing_runs SET output_sha256 = repeat('0', 64) WHERE id = '{run}'")  # noqa: S608
    changed = hub("replay", run)
    assert changed.code == 1
    assert not json.loads(changed.out)["same"]


def test_a_run_on_pools_that_are_being_cleared_is_a_conflict(hub: Hub) -> None:
    hub.sql(
        "INSERT INTO pool_claims (commodity, run_id, leased_until) "
        "VALUES ('beras', gen_random_uuid(), '2027-01-01T00:00Z')"
    )
    ended = hub("clear", "--commodity", "beras")
    assert (ended.code, ended.out) == (5, "")
    assert "Pencocokan lain sedang berjalan" in ended.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["listings", "--status", "gone"], 2),
        (["matches", "--limit", "0"], 2),
        (["replay", "yesterday"], 2),
        (["api", "GET", "v1/listings"], 2),
        (["trade"], 2),
        (["clear", "--commodity", "emas"], 1),
        (["replay", "00000000-0000-0000-0000-000000000000"], 1),
    ],
)
def test_what_cannot_be_done_ends_with_its_code_and_no_traceback(hub: Hub, arguments: list[str], code: int) -> None:
    ended = hub(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere"),
        ("DATABASE_URL", "postgresql://nobody@host.invalid/nowhere"),
        ("DATABASE_URL", "mysql://root@localhost/hub"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgresql://a:b:c/d"),
        ("HUB_POOL_SIZE", "many"),
        ("HUB_CLOCK_AT", "2026-11-24T08:00:00"),
        ("HUB_CLOCK_AT", "yesterday"),
    ],
)
@pytest.mark.parametrize("command", ["listings", "migrate"])
def test_a_database_that_does_not_answer_is_one_line_and_the_next_step(
    call: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, variable: str, value: str, command: str
) -> None:
    monkeypatch.setenv(variable, value)
    ended = call(command)
    assert ended.code == 1
    complaint, next_step = ended.err.splitlines()
    assert complaint.startswith("hub: ")
    assert next_step.startswith("hub: langkah berikut: ")
    assert variable in next_step


def test_a_database_without_tables_or_hub_says_what_to_run(
    new_hub: Hub, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = new_hub("listings")
    assert nobody.code == 1
    assert "`hub demo`" in nobody.err
    url = asyncio.run(cluster.create("hub_test_cli_bare"))
    monkeypatch.setenv("DATABASE_URL", url)
    bare = new_hub("listings")
    assert bare.code == 1
    assert "hub migrate" in bare.err
    assert "hub migrate" in new_hub("doctor").out
    assert new_hub("migrate").code == 0
    asyncio.run(cluster.drop("hub_test_cli_bare"))
