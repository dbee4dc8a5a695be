"""Smallest fills on seeded instances: the optimum, the search, prices that exist, and a proof over all orders."""

import numpy as np

from app.engine.compiled import Ints
from app.engine.components import reach_of
from app.engine.fills import search
from app.engine.joint import alone, relax
from app.engine.memory import Memory
from app.engine.model import Demand, Listing
from app.engine.network import Network
from app.engine.prices import publish
from benchmarks.instances import Instance

#: of an order's quantity: what it trades at least, or nothing
PARTS = (0.3, 0.5, 1.0)


def choosy(instance: Instance, share: float, seed: int) -> Network:
    """Return the instance as a network of orders, a share of them with a smallest fill."""
    dice, i = np.random.default_rng(seed), instance
    orders, arcs = len(i.node), len(i.tail)
    least = np.maximum((i.quantity * dice.choice(PARTS, orders)).astype(np.int64), 2)
    least = np.minimum(np.where(dice.random(orders) < share, least, 1), i.quantity)
    rows = zip(i.quantity.tolist(), i.price.tolist(), i.offer.tolist(), least.tolist(), strict=True)
    return Network(
        nodes=i.nodes,
        tail=np.concatenate([np.where(i.offer, 0, i.node), i.tail]),
        head=np.concatenate([np.where(i.offer, i.node, 0), i.head]),
        cost=np.concatenate([np.where(i.offer, i.price, -i.price), i.cost]),
        cap=np.concatenate([i.quantity, i.cap]),
        leg=np.full(orders + arcs, -1, dtype=np.int64),
        weight=np.full(orders + arcs, 1000, dtype=np.int64),
        least=least,
        turn=np.arange(1, orders + 1),
        orders=tuple(_order(number, *row) for number, row in enumerate(rows)),
        commodity=("",) * orders,
        legs=(),
    )


def _order(number: int, quantity: int, price: int, offer: bool, least: int) -> Listing | Demand:  # noqa: FBT001
    if offer:
        return Listing(f"s{number}", "", 1, quantity, price, 0, 0, 0, 0, 0, least, number)
    return Demand(f"d{number}", "", 1, quantity, price, 0, 0, 0, least, number)


def settled(net: Network) -> tuple[int, int, bool]:
    """Return the surplus with smallest fills, how far it is below that without them, and whether (a) to (d) hold."""
    root = alone(net, Memory())
    if root is None:
        message = "no trade at all is feasible"
        raise ArithmeticError(message)
    reach = reach_of(net)
    best = search(net, (), root, reach)
    proof = relax(net, (), np.zeros(net.arcs, dtype=np.int64), best.high)
    flow = best.solved.flow
    price = publish(net, (), flow, None, reach).price
    proven = proof is not None and proof.bound == best.solved.surplus
    return best.solved.surplus, root.surplus - best.solved.surplus, proven and _holds(net, flow, price, best.high)


def _holds(net: Network, flow: Ints, price: Ints, high: Ints) -> bool:
    """Whether prices and fills satisfy (a) to (d), smallest fills included."""
    gain, orders = price[net.head] - price[net.tail] - net.cost, len(net.orders)
    fill, choosy_order = flow[:orders], net.least > 1
    idle_gain = (fill == 0) & (gain[:orders] > 0)
    return bool(
        ((flow >= 0) & (flow <= high)).all()
        and not (gain[flow > 0] < 0).any()
        and not (gain[orders:][flow[orders:] < net.cap[orders:]] > 0).any()
        and not (gain[:orders][(fill > 0) & (fill < net.cap[:orders])] > 0).any()
        and not (idle_gain & ~choosy_order).any()
        and ((fill == 0) | (fill >= net.least)).all()
    )
