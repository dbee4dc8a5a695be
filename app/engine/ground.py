"""The ground of a pool: every way that goods may take from supply classes to demand classes, without the orders.

Nodes are numbered in blocks, the market 0 first: supply classes, demand classes, then cells (an arrival's grade and
freshness step), shelves (hub, day, grade, last day of shelf life) and loads (a departure's grade and step). Freshness
is a second grade: on a shelf and on arrival goods that keep longer may stand in for goods that keep less long. The
ground changes with classes and legs, not with quantities, prices, freight or capacity: `Grounds` keeps the last one of
each pool.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, fields
from itertools import compress, repeat

import numpy as np

from app.engine.book import Needs, Plan, Supply, Ways
from app.engine.columns import at_least, group_of, meeting, pack, under, value_of
from app.engine.compiled import Bools, Ints

#: arcs of all grounds together that are kept, at 60 to 150 bytes each with the names of their nodes
MOST_ARCS = 4_000_000


@dataclass(frozen=True, slots=True)
class Ground:
    """Arcs between nodes as columns; what no offer reaches or no request can be reached from is left out."""

    #: number of nodes, with the market
    nodes: int
    #: shape (arcs,): node numbers
    tail: Ints
    head: Ints
    #: shape (arcs,): index into the book's legs, -1 where the arc is no departure arc
    leg: Ints
    #: shape (supply classes,) and (demand classes,): node numbers, -1 where left out
    supply: Ints
    demand: Ints
    #: what the nodes are, the same in every ground of a pool
    names: tuple[Hashable, ...]


class Grounds:
    """The last ground of each pool, the one used least lately forgotten first. A cache: it may be lost at any time."""

    def __init__(self, most_arcs: int = MOST_ARCS) -> None:
        """Keep nothing yet."""
        self._most_arcs = most_arcs
        self._kept: OrderedDict[str, tuple[Plan, Ground]] = OrderedDict()
        #: how often a ground was there
        self.found = 0

    def of(self, pool: str, plan: Plan) -> Ground:
        """Return the ground of a pool's plan: the one that is kept where the plan is the same, else a new one."""
        old, ground = self._kept.pop(pool, (None, None))
        if old is not None and ground is not None and same(old, plan):
            self.found += 1
        else:
            ground = lay(plan)
        self._kept[pool] = plan, ground
        while sum(len(kept.tail) for _, kept in self._kept.values()) > self._most_arcs:
            self._kept.popitem(last=False)
        return ground


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """Where and when goods arrive, and the cells of each arrival: every grade asked there by every step asked there."""

    #: shape (legs,): the arrival of each; (arrivals,): a leg of each
    of_leg: Ints
    leg: Ints
    #: shape (rows,): the grades asked, under their arrival; (columns,): the steps asked, under their arrival
    rows: Ints
    columns: Ints
    #: shape (cells,): the row and the column of each; row by row, so that the next step's cell is the next one
    row: Ints
    column: Ints
    #: shape (rows,): the first cell of each
    cell: Ints
    #: shape (pairs,): cells, and the demand classes that take what is there
    taken: Ints
    taker: Ints


@dataclass(frozen=True, slots=True)
class _Shelves:
    """What stands at a hub on a day for legs that travel alike."""

    #: shape (legs,): the place (hub, day, chilled) of each; (places,): a leg of each
    of_leg: Ints
    leg: Ints
    #: shape (goods,): the grades that stand there, under their place
    goods: Ints
    #: shape (shelves,): last days of shelf life, under their goods
    shelves: Ints
    #: shape (pairs,): shelves, and the supply classes that stand there
    filled: Ints
    filler: Ints


def lay(plan: Plan) -> Ground:
    """Return the ground of a plan.

    1. Cells: who takes what where, better goods stepping down. 2. Shelves: what stands where, what keeps longer
    stepping down. 3. Loads: from shelves onto departures to cells. 4. Prune.
    """
    arrivals, shelves = _arrivals(plan), _shelves(plan)
    shelf, load, carrier, landed = _loads(plan, arrivals, shelves)
    sizes = (1, len(plan.supply.hub), len(plan.needs.region), len(arrivals.row), len(shelves.shelves), len(carrier))
    supply, demand, cells, stands, loads, nodes = np.cumsum(sizes).tolist()
    better, worse = _steps_down(plan, arrivals)
    fresher = np.flatnonzero(group_of(shelves.shelves[1:]) == group_of(shelves.shelves[:-1]))
    arcs = [
        (cells + better, cells + worse),  # 1
        (cells + arrivals.taken, demand + arrivals.taker),
        (supply + shelves.filler, stands + shelves.filled),  # 2
        (stands + fresher + 1, stands + fresher),
        (stands + shelf, loads + load),  # 3
        (loads + np.arange(len(carrier)), cells + landed),
    ]
    tail, head = (np.concatenate(ends) for ends in zip(*arcs, strict=True))
    leg = np.concatenate([np.full(len(tail) - len(carrier), -1), carrier])
    kept = _reached(nodes, tail, head, np.arange(supply, demand))  # 4
    kept &= _reached(nodes, head, tail, np.arange(demand, cells))
    kept[0] = True
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    arc = np.flatnonzero(kept[tail] & kept[head])
    names = _names(plan, arrivals, shelves, carrier, landed)
    return Ground(
        nodes=int(kept.sum()),
        tail=number[tail[arc]],
        head=number[head[arc]],
        leg=leg[arc],
        supply=number[supply:demand],
        demand=number[demand:cells],
        names=tuple(compress(names, kept.tolist())),
    )


def _arrivals(plan: Plan) -> _Arrivals:
    """Return the arrivals of all legs and their cells.

    1. Which regions may take what arrives. 2. Which of their demand classes want it that day. 3. Grades and steps
    asked.
    """
    ways, needs = plan.ways, plan.needs
    _, first, of_leg = np.unique(pack(ways.place, ways.loco, ways.arrives_on), return_index=True, return_inverse=True)
    _, one = np.unique(pack(of_leg[ways.serving], ways.served), return_index=True)  # 1
    arrival, region = of_leg[ways.serving[one]], ways.served[one]
    which, taker = meeting(2 * region + ways.loco[first[arrival]], 2 * needs.region + needs.loco)  # 2
    arrival = arrival[which]
    wanted = _within(ways.arrives_on[first[arrival]], needs.first_day[taker], needs.last_day[taker])
    arrival, taker = arrival[wanted], taker[wanted]
    rows, asked_row = np.unique(under(arrival, needs.min_grade[taker]), return_inverse=True)  # 3
    columns, asked_column = np.unique(under(arrival, needs.min_life_days[taker]), return_inverse=True)
    row, column = meeting(group_of(rows), group_of(columns))
    cell = np.searchsorted(row, np.arange(len(rows)))
    taken = cell[asked_row] + asked_column - column[cell[asked_row]]
    return _Arrivals(of_leg, first, rows, columns, row, column, cell, taken, taker)


def _steps_down(plan: Plan, arrivals: _Arrivals) -> tuple[Ints, Ints]:
    """Return the pairs of cells of an arrival from the better to the next worse: in grade, then in freshness."""
    row, grades = arrivals.row, group_of(arrivals.rows)
    more = np.append(grades[1:] == grades[:-1], np.zeros(1, dtype=bool))[: len(grades)] & plan.substitutes
    width = np.diff(arrivals.cell, append=len(row))
    graded = np.flatnonzero(more[row])
    fresh = np.flatnonzero(row[1:] == row[:-1])
    return np.concatenate([graded, fresh + 1]), np.concatenate([graded + width[row[graded]], fresh])


def _shelves(plan: Plan) -> _Shelves:
    """Return the shelves from which a leg may load, and who stands there."""
    ways, supply = plan.ways, plan.supply
    _, first, of_leg = np.unique(pack(ways.hub, ways.departs_on, ways.chilled), return_index=True, return_inverse=True)
    place, filler = meeting(ways.hub[first], supply.hub)
    leaves = _within(ways.departs_on[first[place]], supply.first_day[filler], supply.last_day[filler])
    place, filler = place[leaves], filler[leaves]
    cooled = ways.chilled[first[place]] == 1
    keeps = np.where(cooled, supply.best_before_chilled[filler], supply.best_before[filler])
    goods, good = np.unique(under(place, supply.grade[filler]), return_inverse=True)
    shelves, filled = np.unique(under(good, keeps), return_inverse=True)
    return _Shelves(of_leg, first, goods, shelves, filled, filler)


def _within(day: Ints, first: Ints, last: Ints) -> Bools:
    """Return whether days are in windows, both ends included."""
    return (first <= day) & (day <= last)


def _loads(plan: Plan, arrivals: _Arrivals, shelves: _Shelves) -> tuple[Ints, Ints, Ints, Ints]:
    """Return which shelf loads onto which load, and of each load its leg and the cell where it lands.

    1. Every grade on the shelves of a leg serves the best grade asked on arrival that it fits. 2. For every step asked
    there, the shelf that keeps just long enough loads. 3. Goods of equal reach load once, for the highest step.
    """
    leg, good = meeting(shelves.of_leg, group_of(shelves.goods))  # 1
    arrival, grade = arrivals.of_leg[leg], value_of(shelves.goods[good])
    row, serves = at_least(arrivals.rows, arrival, grade)
    if not plan.substitutes:
        serves[serves] = value_of(arrivals.rows[row[serves]]) == grade[serves]
    leg, good, row = leg[serves], good[serves], row[serves]
    which, cell = meeting(row, arrivals.row)  # 2
    leg, good = leg[which], good[which]
    step = value_of(arrivals.columns[arrivals.column[cell]])
    shelf, keeps = at_least(shelves.shelves, good, plan.ways.arrives_on[leg] + step)
    once = keeps.copy()  # 3
    once[:-1] &= (which[1:] != which[:-1]) | (shelf[1:] != shelf[:-1])
    leg, cell, shelf = leg[once], cell[once], shelf[once]
    _, one, load = np.unique(pack(leg, cell), return_index=True, return_inverse=True)
    return shelf, load, leg[one], cell[one]


def _reached(nodes: int, tail: Ints, head: Ints, start: Ints) -> Bools:
    """Return which nodes can be reached from some, shape (nodes,)."""
    seen = np.zeros(nodes, dtype=bool)
    seen[start] = True
    while True:
        fresh = seen[tail] & ~seen[head]
        if not fresh.any():
            return seen
        seen[head[fresh]] = True


def _names(plan: Plan, arrivals: _Arrivals, shelves: _Shelves, carrier: Ints, landed: Ints) -> Iterator[Hashable]:
    """Yield what the nodes are, told apart by their first word."""
    ways, places = plan.ways, plan.places

    def rows(word: str, place: Ints, *columns: Ints) -> Iterator[Hashable]:
        where = [places[n] for n in place.tolist()]
        return zip(repeat(word), where, *(column.tolist() for column in columns), strict=False)

    supply, needs, row = _figures(plan.supply), _figures(plan.needs), arrivals.rows[arrivals.row]
    arrives, step = arrivals.leg[group_of(row)], value_of(arrivals.columns[arrivals.column])
    good = shelves.goods[group_of(shelves.shelves)]
    leaves, last = shelves.leg[group_of(good)], value_of(shelves.shelves)
    yield "market"
    yield from rows("supply", *supply)
    yield from rows("demand", *needs)
    at = ways.place[arrives], ways.loco[arrives], ways.arrives_on[arrives]
    yield from rows("arrival", *at, value_of(row), step)
    stands = ways.hub[leaves], ways.departs_on[leaves], ways.chilled[leaves]
    yield from rows("shelf", *stands, value_of(good), last)
    legs = [plan.legs[n] for n in carrier.tolist()]
    yield from zip(repeat("load"), legs, value_of(row[landed]).tolist(), step[landed].tolist(), strict=False)


def same(one: Plan, other: Plan) -> bool:
    """Return whether two plans are equal to the last figure of the last column."""
    return (one.substitutes, one.places, one.legs) == (other.substitutes, other.places, other.legs) and all(
        np.array_equal(a, b) for a, b in zip(_columns(one), _columns(other), strict=True)
    )


def _columns(plan: Plan) -> list[Ints]:
    return [*_figures(plan.supply), *_figures(plan.needs), *_figures(plan.ways)]


def _figures(part: Supply | Needs | Ways) -> list[Ints]:
    """Return all columns of a part of a plan, in their order."""
    return [getattr(part, column.name) for column in fields(part)]
