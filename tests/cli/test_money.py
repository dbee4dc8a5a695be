"""`hub settle` and `hub statements` at a terminal and for another program."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.settlement.schemas import SettlementAnswer, StatementAnswer
from tests.cli.conftest import Hub
from tests.cli.test_commands import printed
from tests.conftest import Scenario, api_on
from tests.settlement.deliveries import PONGGOK, Delivered, deliver


@pytest.fixture
def order(hub: Hub, scenario_template: Scenario) -> Delivered:
    """A tonne of eggs that has arrived."""

    async def arrive() -> Delivered:
        async with api_on(hub.url, keys=scenario_template.keys) as api:
            return await deliver(api, {PONGGOK: 1000})

    return asyncio.run(arrive())


def settled(hub: Hub, *arguments: str) -> dict[str, Any]:
    (one,) = printed(hub("settle", *arguments))["items"]
    assert SettlementAnswer.model_validate(one).model_dump(mode="json") == one
    found: dict[str, Any] = one
    return found


def test_an_order_is_billed_paid_and_settled(hub: Hub, order: Delivered) -> None:
    assert settled(hub)["open_idr"] == 27_180_000
    told = settled(hub, order.number.lower(), "--received", "27180000")
    assert (told["open_idr"], told["status"]) == (0, "delivered")
    told = settled(hub, order.number, "--pay-out")
    assert (told["status"], {payee["open_idr"] for payee in told["payees"]}) == ("settled", {0})
    assert printed(hub("settle"))["items"] == []


def test_tables_show_what_is_open_and_how_it_came(hub: Hub, order: Delivered, terminal: Callable[[int], None]) -> None:
    terminal(100)
    lines = hub("settle", order.number, "--received", "20000000").out.splitlines()
    assert f"{order.number} · delivered" in lines
    assert any("27.180.000" in line and "7.180.000" in line and "24/11" in line for line in lines)
    told = hub("statements", "ponggok").out
    assert "Koperasi peternak Ponggok" in told
    assert "-26.500.000" in told


def test_statements_are_those_of_the_http_api(hub: Hub, order: Delivered) -> None:
    settled(hub, order.number)
    (one,) = printed(hub("statements", "Ponggok", "--from", "2026-11-01"))["items"]
    assert StatementAnswer.model_validate(one).model_dump(mode="json", by_alias=True) == one
    assert [(line["kind"], line["number"]) for line in one["lines"]] == [("goods", order.number)]
    assert printed(hub("statements", "nobody of this name"))["items"] == []


@pytest.mark.parametrize(
    ("arguments", "code"), [(["BTC-2026-999999"], 1), (["--received", "5"], 2), (["X", "--received", "0"], 2)]
)
def test_what_cannot_be_settled_is_said(hub: Hub, arguments: list[str], code: int) -> None:
    assert hub("settle", *arguments).code == code
