"""Time to answer, rounding, smallest fills and sentences: rules without a database."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.model import Reason
from app.matching.rules import (
    SENTENCES,
    TRANSITIONS,
    Side,
    State,
    expires_at,
    explained,
    falls_short,
    may_be_answered,
    rounded_down,
    rounded_up,
    shown_detail,
    total_after,
)

NOW = datetime.fromisoformat("2026-11-24T08:00:00+07:00")


@pytest.mark.parametrize(
    ("last_day", "timezone", "expires"),
    [
        ("2026-11-24", "Asia/Jakarta", "2026-11-25T00:00:00+07:00"),
        ("2026-11-24", "Asia/Makassar", "2026-11-25T00:00:00+08:00"),
        ("2026-11-25", "Asia/Jakarta", "2026-11-25T08:00:00+07:00"),
        ("2026-12-20", "Asia/Jakarta", "2026-11-25T08:00:00+07:00"),
    ],
)
def test_a_proposal_waits_a_day_or_until_its_departure_closes(last_day: str, timezone: str, expires: str) -> None:
    assert expires_at(NOW, last_day=date.fromisoformat(last_day), timezone=timezone) == datetime.fromisoformat(expires)


@pytest.mark.parametrize(
    ("status", "now", "may"),
    [
        ("proposed", "2026-11-24T23:59:59+07:00", True),
        ("proposed", "2026-11-25T00:00:00+07:00", False),
        ("confirmed", "2026-11-24T09:00:00+07:00", False),
        ("dry_run", "2026-11-24T09:00:00+07:00", False),
    ],
)
def test_only_a_proposal_in_time_is_answered(status: str, now: str, may: bool) -> None:  # noqa: FBT001
    expires = datetime.fromisoformat("2026-11-25T00:00:00+07:00")
    assert may_be_answered(status, expires, datetime.fromisoformat(now)) is may


@given(st.integers(0, 10**9))
def test_rounding_moves_away_from_the_secret_by_less_than_a_step(figure: int) -> None:
    assert 0 <= rounded_up(figure) - figure < 100
    assert 0 <= figure - rounded_down(figure) < 100
    assert rounded_up(figure) % 100 == rounded_down(figure) % 100 == 0


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ({"gap_idr": 1}, {"gap_idr": 100}),
        ({"lane": "LN-05", "scarcity_idr": 9_863}, {"lane": "LN-05", "scarcity_idr": 9_900}),
        ({"missed_idr": 8 * 9_863}, {"missed_idr": 8 * 9_900}),
        ({}, {}),
    ],
)
def test_figures_come_from_others_and_only_the_hub_sees_them_exactly(
    detail: dict[str, Any], shown: dict[str, Any]
) -> None:
    """Where nothing trades, each is the difference of the own price and somebody's ask or limit."""
    assert shown_detail(detail, quantity=8, exact=True) == detail
    assert shown_detail(detail, quantity=8, exact=False) == shown


@pytest.mark.parametrize(
    ("total", "least", "short"), [(0, 900, False), (899, 900, True), (900, 900, False), (1, 1, False)]
)
def test_an_order_trades_nothing_or_at_least_its_smallest_fill(total: int, least: int, short: bool) -> None:  # noqa: FBT001
    assert falls_short(total, least) is short


def test_a_total_follows_the_match_that_changed() -> None:
    assert total_after({"a": 600, "b": 400}, "a", 500) == 900


def test_only_a_proposal_changes_state() -> None:
    assert {before for before, _ in TRANSITIONS} == {State.PROPOSED}
    assert {after for _, after in TRANSITIONS} == {State.CONFIRMED, State.DECLINED, State.LAPSED}


def test_every_reason_has_a_sentence_for_both_sides_in_both_languages() -> None:
    assert set(SENTENCES) == {str(reason) for reason in Reason}
    for reason in SENTENCES:
        told = {explained(reason, side, {"gap_idr": 1234}, language) for side in Side for language in ("id", "en")}
        assert len(told) >= 2
        assert not any("{" in sentence for sentence in told)


def test_who_is_outbid_at_the_same_price_is_not_told_a_difference_of_nothing() -> None:
    told = [explained("outbid", side, {"gap_idr": 0}, language) for side in Side for language in ("id", "en")]
    assert len(set(told)) == 4
    assert not any("Rp" in sentence for sentence in told)


@pytest.mark.parametrize(("language", "figure"), [("id", "1.200"), ("en", "1,200")])
def test_figures_are_written_as_the_language_does(language: str, figure: str) -> None:
    assert f"Rp {figure}" in explained("price_gap", Side.DEMAND, {"gap_idr": 1200}, language)
