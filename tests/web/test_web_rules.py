"""How people write numbers, and which pages stand in whose menu."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from app.kit.principal import Role
from app.web.rules import BUY, DESK, MY_SALES, PAGES, SELL, TODAY, addresses, dotted, menu, number_of
from benchmarks import pages, screenshots


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("400", "400"),
        ("1.250", "1250"),
        ("1.250,5", "1250.5"),
        ("2,5", "2.5"),
        ("2.5", "2.5"),
        ("Rp 26.500", "26500"),
        ("rp26.500", "26500"),
        ("Rp. 1.000.000", "1000000"),
        (" 12 ", "12"),
    ],
)
def test_a_number_is_read_as_people_write_it(typed: str, number: str) -> None:
    assert number_of(typed) == Decimal(number)


@pytest.mark.parametrize("typed", ["", "sepuluh", "-5", "1,2,3", "1e5", "1.25.3", "12.", "Rp", "٤", "NaN", "1_000"])
def test_what_is_no_number_is_not_guessed(typed: str) -> None:
    assert number_of(typed) is None


def test_a_number_is_written_as_it_is_read() -> None:
    assert dotted(1234567) == "1.234.567"
    assert number_of(dotted(1234567)) == 1234567


def test_each_role_has_its_own_pages_first() -> None:
    assert menu(Role.PRODUCER)[0] == [SELL, MY_SALES]
    assert DESK in menu(Role.HUB)[0]
    assert menu(Role.OBSERVER)[0] == []
    assert menu(None)[0] == [SELL, BUY]
    assert all(page in menu(None)[1] for page in PAGES if not page.roles)


def test_the_week_begins_on_monday() -> None:
    summary = addresses(TODAY, date(2026, 11, 29))[0]
    assert summary == "/v1/dashboard/summary?from=2026-11-23&until=2026-11-29"


@pytest.mark.parametrize("command", [screenshots.main, lambda: pages.measure(seconds=1)])
def test_where_there_is_no_chromium_the_commands_say_so(
    monkeypatch: pytest.MonkeyPatch, command: Callable[[], object]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        command()
