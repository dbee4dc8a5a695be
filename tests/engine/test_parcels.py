"""A flow is cut into parcels that add up to it, by machine code and by plain Python alike."""

import numpy as np
import pytest

from app.engine import clear as clearing
from app.engine import matches, parcels
from app.engine.network import Ints, Network
from tests.engine.markets import demand, departure, listing, market, random_market


@pytest.fixture
def flows(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Network, Ints]]:
    """Collect the networks and flows that clearings cut."""
    found: list[tuple[Network, Ints]] = []

    def trade(net: Network, flow: Ints, price: Ints) -> object:
        found.append((net, flow))
        return matches.trade(net, flow, price)

    monkeypatch.setattr(clearing, "trade", trade)
    return found


def test_parcels_fill_every_order_and_load_every_leg_as_the_flow_does(
    flows: list[tuple[Network, Ints]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(40):
        clearing.clear(random_market(seed + 900_000, orders=8, pools=1 + seed % 2, tight=seed % 3 == 0))
    compiled = [parcels.cut(net, flow) for net, flow in flows]
    for name in ("in_turn", "with_room", "by_posting", "carry"):
        kernel = getattr(parcels, name)
        monkeypatch.setattr(parcels, name, getattr(kernel, "py_func", kernel))
    for (net, flow), rows in zip(flows, compiled, strict=True):
        orders, legs = np.zeros(len(net.orders), dtype=np.int64), np.zeros(len(net.legs), dtype=np.int64)
        for column in (0, 1):
            np.add.at(orders, rows[:, column], rows[:, 3])
        np.add.at(legs, rows[:, 2], rows[:, 3])
        np.subtract.at(legs, net.leg[net.leg >= 0], flow[net.leg >= 0])
        assert orders.tolist() == flow[: len(net.orders)].tolist()
        assert not legs.any()
        assert parcels.cut(net, flow).tolist() == rows.tolist()
    assert sum(len(rows) for rows in compiled) > 40


@pytest.mark.parametrize(("first", "served"), [("a", [("a", "c"), ("b", "d")]), ("b", [("a", "d"), ("b", "c")])])
def test_the_earlier_offer_goes_to_the_earlier_request(first: str, served: list[tuple[str, str]]) -> None:
    offers = [listing(name, 5, 10, posted_at=0 if name == first else 1) for name in ("a", "b")]
    needs = [demand("c", 5, 20, posted_at=0), demand("d", 5, 20, posted_at=1)]
    found = clearing.clear(market(offers, needs, [departure("k", 1, 100)])).matches
    assert sorted((m.listing_id, m.demand_id) for m in found) == served
