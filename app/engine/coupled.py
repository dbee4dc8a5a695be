"""Other markets: zones that each hold offers and bids, coupled by lines, such as a day ahead of electricity.

1. Every order becomes an arc at the market node 0, every line an arc between zones. 2. The simplex gives an optimal
whole flow. 3. Shortest paths on its residual network give the lowest and the highest prices that go with it; that they
exist proves it optimal.
"""

from dataclasses import dataclass

import numpy as np

from app.engine.bands import Orders
from app.engine.compiled import Ints
from app.engine.curves import END, FAR
from app.engine.exact import balanced
from app.engine.flows import Programme
from app.engine.prices import extremes
from app.engine.question import Question, worth
from app.engine.simplex import Arcs


@dataclass(frozen=True, slots=True)
class Coupling:
    """What trades, what flows, and between which prices; money and amounts in the units of the question."""

    #: shape (orders,), (lines,)
    fill: Ints
    flow: Ints
    #: shape (zones + 1,): all prices between them that differ by no more than lines allow are optimal; 0 at the market
    lowest: Ints
    highest: Ints
    #: limits of bids less prices of offers less costs of lines, for what trades and flows
    surplus: int


def couple(zones: int, lines: Arcs, orders: Orders) -> Coupling:
    """Return the trade of greatest surplus; zones are numbered from 1, prices and costs may have either sign.

    A line carries goods from tail to head, at most `cap`, at `cost` a unit; the way back is a line of its own. Where no
    order binds a price, it is given as beyond every order's. Raises ValueError for a zone that is not there or an
    amount below 0, OverflowError for figures too large, PivotLimitError as `simplex.solve` does.
    """
    _refuse(zones, lines, orders)
    none = np.zeros_like(orders.node)
    tail = np.concatenate([lines.tail, np.where(orders.offer, none, orders.node)])  # 1
    head = np.concatenate([lines.head, np.where(orders.offer, orders.node, none)])
    cost = np.concatenate([lines.cost, np.where(orders.offer, orders.price, -orders.price)])
    low, high = np.zeros(len(tail), dtype=np.int64), np.concatenate([lines.cap, orders.quantity])
    programme = Programme(zones + 1, tail, head, cost)
    found = programme.optimum(low, high)  # 2
    if found is None or not balanced(Question(zones + 1, tail, head, cost, low, high), found.flow):
        message = "the flow found is not balanced within its bounds"
        raise ArithmeticError(message)
    ahead, back = found.flow < high, found.flow > 0  # 3
    residual = (
        np.concatenate([tail[ahead], head[back]]),
        np.concatenate([head[ahead], tail[back]]),
        np.concatenate([cost[ahead], -cost[back]]),
    )
    ends = extremes(residual, zones + 1, programme.reach)
    if ends is None:
        message = "the flow found is not optimal"
        raise ArithmeticError(message)
    count = len(lines.tail)
    return Coupling(found.flow[count:], found.flow[:count], *ends, worth(cost, found.flow))


def _refuse(zones: int, lines: Arcs, orders: Orders) -> None:
    """Raise where a figure has no meaning or whole numbers of 64 bits could not hold what is added up."""
    places = np.concatenate([lines.tail, lines.head, orders.node])
    if ((places < 1) | (places > zones)).any() or (lines.tail == lines.head).any():
        message = f"zones are numbered from 1 to {zones}, and a line leads from one to another"
        raise ValueError(message)
    amounts = np.concatenate([lines.cap, orders.quantity])
    if (amounts < 0).any():
        message = "an amount is below 0"
        raise ValueError(message)
    money = np.concatenate([lines.cost, orders.price]).tolist()
    if 3 * (max(map(abs, money), default=0) + 1) * (zones + 1) > FAR or sum(amounts.tolist()) >= END:
        message = "prices along a path, or amounts together, do not fit into 60 bits"
        raise OverflowError(message)
