"""The other side of the market as columns: what a leg offers to a need, summed up once for all orders of that need.

A cell holds, for one leg and one need (grade, shelf life), which hard rules fail and the least prices of those that
pass. Orders times orders never are compared one by one.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from app.engine.compiled import Bools, Ints
from app.engine.model import Demand, Listing, Pool, Reason
from app.engine.pairs import HARD_RULES, Agreements, Leg
from app.engine.standing import Standing

#: one bit per hard rule, in their order
BIT = {rule: 1 << place for place, rule in enumerate(HARD_RULES)}
#: above any price
FAR = 2**61


@dataclass(frozen=True, slots=True)
class Cell:
    """One leg for one need. Prices are those of the other side, without freight; FAR where there is none."""

    #: the sets of hard rules that fail, as bits; 0 is a pair that may trade
    failing: frozenset[int]
    #: least own price, and least price at which one more unit would trade (those turned away left out)
    own: int
    rho: int
    #: least own price of those with quantity left, and of those turned away for their smallest fill
    open: int
    turned_away: int
    #: least own price of those that traded, with their only partner ("" where several), and the least with another one
    sold: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class Shelf:
    """The orders at one place as columns, shape (orders,)."""

    rows: list[Standing]
    grade: Ints
    first: Ints
    last: Ints
    #: listings: last day of shelf life, uncooled and cooled; demands: least days of life, twice
    life: tuple[Ints, Ints]
    expired: Bools
    own: Ints
    rho: Ints
    open: Bools
    turned_away: Bools
    #: shape (traded orders,): places in the columns above, the least own price first, and a number for the only partner
    #: of each, 0 for several
    sold: Ints
    partner: Ints
    cells: dict[tuple[object, ...], Cell] = field(default_factory=dict)


def shelve(rows: Sequence[Standing]) -> Shelf:
    """Return the orders at one place as columns."""
    lowest: defaultdict[object, int] = defaultdict(lambda: FAR)
    for row in rows:
        if row.missed is None and not row.order.price_expired:
            lowest[row.key] = min(lowest[row.key], row.own)
    turned_away = [row.missed is not None for row in rows]
    rho = [FAR if row.missed is not None else lowest[row.key] if row.price is None else row.price for row in rows]
    lives = [_lives(row.order) for row in rows]
    own = _ints([row.own for row in rows])
    sold = np.flatnonzero(np.array([row.partner is not None for row in rows], dtype=bool))
    sold = sold[np.argsort(own[sold], kind="stable")]
    number: dict[str | None, int] = {"": 0}
    return Shelf(
        rows=list(rows),
        grade=_ints([o.grade if isinstance(o, Listing) else o.min_grade for o in (row.order for row in rows)]),
        first=_ints([row.order.first_day for row in rows]),
        last=_ints([row.order.last_day for row in rows]),
        life=(_ints([life[0] for life in lives]), _ints([life[1] for life in lives])),
        expired=np.array([row.order.price_expired for row in rows], dtype=bool),
        own=own,
        rho=_ints(rho),
        open=np.array([row.left > 0 for row in rows], dtype=bool) & ~np.array(turned_away, dtype=bool),
        turned_away=np.array(turned_away, dtype=bool),
        sold=sold,
        partner=_ints([number.setdefault(rows[i].partner, len(number)) for i in sold.tolist()]),
    )


def _lives(order: Listing | Demand) -> tuple[int, int]:
    if isinstance(order, Listing):
        return order.best_before, order.best_before_chilled
    return order.min_life_days, order.min_life_days


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def supply_cell(pool: Pool, shelf: Shelf, leg: Leg, need: tuple[int, int]) -> Cell:
    """Return what the listings at a hub offer on a leg to a need (lowest grade, least days of life)."""
    name = (leg.departs_on, leg.arrives_on, leg.chilled, need)
    if name not in shelf.cells:
        grade, life = need
        failing = _fits(pool, shelf.grade, grade) * BIT[Reason.GRADE]
        failing += ((shelf.first > leg.departs_on) | (leg.departs_on > shelf.last)) * BIT[Reason.WINDOW]
        failing += (shelf.life[leg.chilled] - leg.arrives_on < life) * BIT[Reason.FRESHNESS]
        shelf.cells[name] = _cell(shelf, failing)
    return shelf.cells[name]


def demand_cell(pool: Pool, agreements: Agreements, shelf: Shelf, leg: Leg, goods: tuple[int, int]) -> Cell:
    """Return what the demands at a place ask of a leg for goods (grade, days of life on arrival)."""
    grade, life = goods
    life = int(shelf.life[0][shelf.life[0] <= life].max(initial=-1))  # goods of equal reach share a cell
    name = (leg.hub, leg.departs_on, leg.arrives_on, grade, life)
    if name not in shelf.cells:
        failing = _fits(pool, grade, shelf.grade) * BIT[Reason.GRADE]
        failing += ((shelf.first > leg.arrives_on) | (leg.arrives_on > shelf.last)) * BIT[Reason.WINDOW]
        failing += (shelf.life[0] > life) * BIT[Reason.FRESHNESS]
        if leg.loco:
            closed = [not _opened(pool, agreements, row.order, leg) for row in shelf.rows]
            failing += np.array(closed, dtype=bool) * BIT[Reason.NO_AGREEMENT]
        shelf.cells[name] = _cell(shelf, failing)
    return shelf.cells[name]


def _fits(pool: Pool, grade: Ints | int, need: Ints | int) -> Ints:
    """Return 1 where a grade does not serve a need."""
    return np.asarray(grade > need if pool.grades_substitute else grade != need).astype(np.int64)


def _opened(pool: Pool, agreements: Agreements, order: Listing | Demand, leg: Leg) -> bool:
    region = order.region if isinstance(order, Demand) else leg.place
    return agreements.in_force(leg.hub, region, pool.commodity, leg.departs_on, leg.departs_on)


def _cell(shelf: Shelf, failing: Ints) -> Cell:
    """Sum up a shelf under its failing rules."""
    failing = failing + shelf.expired * BIT[Reason.PRICE_EXPIRED]
    passing = failing == 0
    able = np.flatnonzero(passing[shelf.sold])
    another = able[shelf.partner[able] != shelf.partner[able[0]]] if len(able) and shelf.partner[able[0]] else able[:0]
    least = [shelf.sold[place] for place in (*able[:1], *another[:1])]
    return Cell(
        failing=frozenset(np.flatnonzero(np.bincount(failing)).tolist()),
        own=int(shelf.own[passing].min(initial=FAR)),
        rho=int(shelf.rho[passing].min(initial=FAR)),
        open=int(shelf.own[passing & shelf.open].min(initial=FAR)),
        turned_away=int(shelf.own[passing & shelf.turned_away].min(initial=FAR)),
        sold=tuple((int(shelf.own[i]), shelf.rows[i].partner or "") for i in least),
    )
