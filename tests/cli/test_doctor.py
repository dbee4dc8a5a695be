"""The doctor finds what is wrong, and says what helps."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Ended, Hub


def problems(ended: Ended) -> dict[str, Any]:
    """What was found wrong, by name; the code says whether there is any."""
    found = {row["what"]: row["next_step"] for row in json.loads(ended.out) if not row["ok"]}
    assert ended.code == (1 if found else 0)
    return found


def test_a_healthy_hub_has_no_problem(hub: Hub) -> None:
    ended = hub("doctor")
    assert problems(ended) == {}
    looked_at = [row["what"] for row in json.loads(ended.out)]
    assert looked_at == ["Python", "data folder", "database", "migrations", "departures", "invariants"]


def test_keys_that_others_can_read_are_a_problem(hub: Hub) -> None:
    keys = hub.data_dir / "demo-keys.json"
    keys.touch()
    keys.chmod(0o644)
    assert problems(hub("doctor")) == {"demo keys": f"chmod 600 {keys}"}
    keys.chmod(0o600)
    assert problems(hub("doctor")) == {}


def test_departures_that_nobody_keeps_ahead_are_a_problem(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_CLOCK_AT", "2026-12-24T08:00:00+07:00")
    assert "app.worker" in problems(hub("doctor"))["departures"]


def test_a_sum_that_does_not_add_up_is_a_problem(hub: Hub) -> None:
    hub.sql(
        "UPDATE listings SET proposed_quantity = proposed_quantity - 1 "
        "WHERE id = (SELECT id FROM listings WHERE proposed_quantity > 1 LIMIT 1)"
    )
    assert "invariants" in problems(hub("doctor"))


def test_a_database_that_does_not_answer_and_a_folder_that_is_none_are_problems(
    call: Callable[..., Ended], data_dir: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_dir / "file").touch()
    monkeypatch.setenv("HUB_DATA_DIR", str(data_dir / "file"))
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    assert list(problems(call("doctor"))) == ["data folder", "database"]


def test_missing_programs_of_postgresql_are_a_problem(
    call: Callable[..., Ended], data_dir: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("PG_BIN_DIR", str(data_dir))
    assert list(problems(call("doctor"))) == ["PostgreSQL", "database"]
