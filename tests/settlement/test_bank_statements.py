"""Uploading bank statements: sure bookings become payments, the rest waits with its reason, nothing is doubled."""

from typing import Any

import pytest

from app.settlement.due import bill_due
from tests.settlement.deliveries import DEPOK, PONGGOK, deliver

HEADING = "Tanggal;Keterangan;Debit;Kredit;Saldo\n"


async def upload(api: Any, content: bytes | str, status: int = 201, media_type: str = "text/csv") -> dict[str, Any]:
    headers = api.as_(api.keys.hub, **{"Content-Type": media_type})
    sent = content.encode() if isinstance(content, str) else content
    answer = await api.post("/v1/bank-statements", content=sent, headers=headers)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def unmatched(api: Any, statement: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await api.walk(f"/v1/bank-statements/{statement['id']}/unmatched", api.keys.hub)
    return found


async def billed(api: Any, kilograms: int = 1000) -> Any:
    order = await deliver(api, {PONGGOK: kilograms})
    await bill_due(api.database, api.clock.now(), fee_permille=0)
    return order


async def test_bookings_become_payments_by_number_and_by_amount_with_name(scenario: Any) -> None:
    first, second = await billed(scenario), await billed(scenario, 777)
    file = (
        f"{HEADING}24/11/2026;TRF {first.number.lower()} TELUR;;27.180.000,00;1\n"
        f"24/11/2026;Telur Depok lunas;;{777 * 27_180};1\n24/11/2026;Bayar {first.number} Ponggok;20.000.000;;1\n"
        "24/11/2026;BIAYA ADMIN;15.000;;1\n24/11/2026;SETORAN TUNAI;;500.000;1\n"
    )
    told = await upload(scenario, file)
    assert {name: told[name] for name in ("lines", "matched", "unmatched", "seen")} == {
        "lines": 5,
        "matched": 3,
        "unmatched": 2,
        "seen": 0,
    }
    paid = await scenario.walk("/v1/payments?sort=created_at", scenario.keys.hub)
    assert {(one["direction"], one["name"], one["source"], one["orders"][0]["number"]) for one in paid} == {
        ("in", DEPOK, "bank_statement", first.number),
        ("in", DEPOK, "bank_statement", second.number),
        ("out", PONGGOK, "bank_statement", first.number),
    }
    left = await unmatched(scenario, told)
    assert [(one["row"], one["amount_idr"], one["reason"]) for one in left] == [
        (5, -15_000, "no_number"),
        (6, 500_000, "no_number"),
    ]


async def test_uploading_again_adds_nothing(scenario: Any) -> None:
    order = await billed(scenario)
    booking = f"24/11/2026;{order.number};;1.000.000;1\n"
    await upload(scenario, HEADING + booking)
    again = await upload(scenario, f"{HEADING}{booking}{booking}25/11/2026;lain;;7;1\n")
    assert (again["lines"], again["seen"], again["matched"], again["unmatched"]) == (3, 1, 1, 1)
    assert len(await scenario.walk("/v1/payments", scenario.keys.hub)) == 2
    assert len(await scenario.walk("/v1/bank-statements", scenario.keys.hub)) == 2


async def test_what_is_left_is_decided_by_the_hub(scenario: Any) -> None:
    order = await billed(scenario)
    told = await upload(scenario, f"{HEADING}24/11/2026;SETORAN TUNAI;;27.180.000;1\n")
    (line,) = await unmatched(scenario, told)
    assert line["suggestions"] == [order.number]
    body = {"orders": [str(order.id)], "amount_idr": 27_180_000, "bank_line": line["id"]}
    for changed, status, pointer in (
        ({"amount_idr": 1}, 422, "/amount_idr"),
        ({"direction": "out"}, 422, "/amount_idr"),
        ({}, 201, None),
        ({}, 409, "/bank_line"),
    ):
        answer = await scenario.post("/v1/payments", json={**body, **changed}, headers=scenario.as_(scenario.keys.hub))
        assert answer.status_code == status, answer.text
        assert pointer is None or answer.json()["errors"][0]["pointer"] == pointer
    assert await unmatched(scenario, told) == []


async def test_a_booking_out_beyond_what_is_due_is_left(scenario: Any) -> None:
    order = await billed(scenario)
    told = await upload(scenario, f"{HEADING}24/11/2026;{order.number} Ponggok;26.500.001;;1\n")
    (line,) = await unmatched(scenario, told)
    assert (line["reason"], line["suggestions"]) == ("more_than_due", [order.number])


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (f"{HEADING}24/11/2026;=1+1;;5;1\n", "/2"),
        (f"{HEADING}24/11/2026;ok;;1;1\nbesok;ok;;1;1\n", "/3/day"),
        (b"PK\x03\x04 a workbook", "/1"),
        (b"\xff\xfe\x00", "/1"),
        (b"", "/1"),
        ("halo", "/1"),
    ],
)
async def test_a_file_that_cannot_be_trusted_leaves_nothing(scenario: Any, content: Any, pointer: str) -> None:
    refused = await upload(scenario, content, 422)
    assert [error["pointer"] for error in refused["errors"]] == [pointer]
    assert await scenario.walk("/v1/bank-statements", scenario.keys.hub) == []


async def test_another_media_type_and_a_file_over_the_limit_are_refused(scenario: Any) -> None:
    assert (await upload(scenario, HEADING, 415, "application/json"))["code"] == "unsupported_media_type"
    assert (await upload(scenario, "x" * (1024 * 1024 + 1), 413))["code"] == "too_large"


async def test_a_payment_that_was_typed_in_before_its_booking_is_not_paid_again(scenario: Any) -> None:
    order = await billed(scenario)
    body = {"orders": [str(order.id)], "amount_idr": 5_000_000}
    hub = scenario.as_(scenario.keys.hub)
    assert (await scenario.post("/v1/payments", json=body, headers=hub)).status_code == 201
    booking = f"25/11/2026;{order.number};;5.000.000;1\n"
    told = await upload(scenario, HEADING + booking + booking)
    assert (told["matched"], told["unmatched"]) == (2, 0)
    paid = (await scenario.get(f"/v1/orders/{order.id}/settlement", headers=hub)).json()["received_idr"]
    assert paid == 10_000_000, "the second booking is another payment"
    told = await upload(scenario, HEADING + f"25/11/2026;telur {order.number};;5.000.000;1\n")
    assert len(await scenario.walk("/v1/payments", scenario.keys.hub)) == 3
