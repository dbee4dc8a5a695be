"""Forty bugs, each put into the engine by changing one line of one function, and what finds them.

`python -m tests.engine.seeded` prints for every bug, as JSON, which check of the suite found it, in how many markets it
changed the surplus, and in how many of those the clearing was refused. numba is switched off in that process, so that
kernels are functions whose code can be changed.
"""

import inspect
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import dedent
from types import FunctionType
from typing import Any

from app.engine import bands, book, curves, fills, flows, ground, joint, network, pivots, prices, simplex, ties
from app.engine import clear as clearing
from app.engine.audit import AuditError, audit
from app.engine.claim import Claim
from app.engine.model import Market, Match
from tests.engine import test_examples, test_metamorphic, test_oracles, test_simplex
from tests.engine.markets import random_market
from tests.engine.pairwise import best_surplus
from tests.engine.test_optimum import short_of_fill


@dataclass(frozen=True)
class Bug:
    """One line of a function that was changed."""

    name: str
    function: Any
    right: str
    wrong: str


BUGS = (
    Bug("a level begins one unit early", curves.make_curves, "- below[node]", "- below[node] - 1"),
    Bug("an order is dropped from its level", curves.make_curves, "used = amount > 0", "used = amount > 1"),
    Bug("an injection is seated one level too high", simplex.seat, "begin[middle] < z[x]", "begin[middle] <= z[x] + 1"),
    Bug("a sentinel counts as a level", simplex.is_flow, "curves.start[1:] - 2", "curves.start[1:] - 1"),
    Bug("a sentinel's price is taken for a price", flows.Programme._near, "FAR - self._reach", "FAR"),
    Bug("a falling level ends a step late", pivots.stretch, "z[falling] - begin[down]", "z[falling] - begin[down] + 1"),
    Bug(
        "capacity on the way is ignored",
        pivots.climb,
        "cap[arc] - flow[arc] if head[arc] == x",
        "cap[arc] if head[arc] == x",
    ),
    Bug("potentials of the subtree stay stale", pivots.exchange, "level - price[inner])", "0)"),
    Bug("a full arc counts as empty", pivots.exchange, "else 1 if flow[leaving] == 0 else -1", "else 1"),
    Bug("full arcs are not priced", pivots.choose, "gain = side[j] *", "gain = max(side[j], 0) *"),
    Bug("orders at the price are not dealt", bands.deal, "z[x] > 0", "z[x] > 1"),
    Bug(
        "an offer is left out of the book", book.open_book, "if not listing.price_expired]", "if listing.quantity != 3]"
    ),
    Bug("the last day of a window is not open", ground._shelves, "last_day[filler]", "last_day[filler] - 1"),
    Bug("goods load for one day too long", ground._loads, "[leg] + step)", "[leg] + step - 1)"),
    Bug("ties go to the later post", network.posting, 'ints(orders, "posted_at")', '-ints(orders, "posted_at")'),
    Bug("the later arrival carries", ties.carrier_cost, "(arrival - arrival.min())", "(arrival.max() - arrival)"),
    Bug(
        "an overfull departure is not seen",
        joint.make_rows,
        "free[name] // grams[name]",
        "free[name] // grams[name] + 1",
    ),
    Bug("one below its smallest fill passes", fills._short, "fill < net.least", "fill < net.least - 1"),
    Bug("prices are not midway", prices.publish, "(ends[0] + ends[1]) // 2 // proof.scale", "(ends[0] + ends[1]) // 3"),
    Bug("a need takes what comes a day late", ground._arrivals, "last_day[taker]", "last_day[taker] + 1"),
)

#: of what never comes into the network, or comes into it otherwise than the market says
MISSING = (
    Bug("a request is left out of the book", book.open_book, "not demand.price_expired", "demand.quantity != 3"),
    Bug("small offers are left out of the book", book.open_book, "not listing.price_expired", "listing.quantity > 2"),
    Bug("the first day of a window is not open", ground._shelves, "first_day[filler]", "first_day[filler] + 1"),
    Bug("a need refuses its last day", ground._arrivals, "last_day[taker]", "last_day[taker] - 1"),
    Bug("goods load for one day too short", ground._loads, "[leg] + step)", "[leg] + step + 1)"),
    Bug("a freshness step is lost", ground._arrivals, "needs.min_life_days[taker]", "needs.min_life_days[taker] | 1"),
    Bug("fresh goods do not step down", ground._steps_down, "row[1:] == row[:-1]", "row[2:] == row[:-2]"),
    Bug("a grade does not step down", ground._steps_down, "plan.substitutes", "False"),
    Bug(
        "goods that keep longest stand alone",
        ground.lay,
        "stands + fresher + 1, stands + fresher)",
        "stands + fresher[1:] + 1, stands + fresher[1:])",
    ),
    Bug("a departure is left out", book._legs, "if k.hub in hubs", 'if k.hub in hubs and k.id != "k0"'),
    Bug("the last day of fetching is left out", book._legs, "range(first, last + 1)", "range(first, last)"),
    Bug(
        "agreements are ignored",
        book._legs,
        "and agreements.in_force(k.hub, k.region, pool.commodity, k.departs_on, k.departs_on)",
        "",
    ),
    Bug(
        "an agreement is asked on the day of arrival",
        book._legs,
        "pool.commodity, k.departs_on, k.departs_on)",
        "pool.commodity, k.arrives_on, k.arrives_on)",
    ),
    Bug(
        "cooled goods spoil as if uncooled",
        ground._shelves,
        "ways.chilled[first[place]] == 1",
        "ways.chilled[first[place]] == 0",
    ),
    Bug("freight is a rupiah too dear", network._departures, '"freight_idr")', '"freight_idr") + 1'),
    Bug("collection is forgotten", book.open_book, ' + ints(listings, "collection_idr")', ""),
    Bug("a request is one unit short", book.open_book, 'ints(demands, "quantity")', 'ints(demands, "quantity") - 1'),
    Bug("a limit is a rupiah too low", book.open_book, '-ints(demands, "limit_idr")', '1 - ints(demands, "limit_idr")'),
    Bug("a unit of capacity is lost", network._departures, "free_g // weight", "free_g // weight - 1"),
    Bug(
        "only what keeps longest loads",
        ground._loads,
        "shelf[once]",
        'np.searchsorted(group_of(shelves.shelves), good[once], side="right") - 1',
    ),
)


@contextmanager
def seeded(bug: Bug) -> Iterator[None]:
    """Put a bug into its function, for everybody who holds it."""
    function = bug.function
    source = dedent(inspect.getsource(function))
    if source.count(bug.right) == 0:
        raise LookupError(bug.name)
    names: dict[str, Any] = {}
    body = source[source.index("def ") :].replace(bug.right, bug.wrong)
    exec(compile(body, bug.name, "exec"), dict(function.__globals__), names)  # noqa: S102 - our own source
    (wrong,) = (found for found in names.values() if isinstance(found, FunctionType))
    right, function.__code__ = function.__code__, wrong.__code__
    try:
        yield
    finally:
        function.__code__ = right


def market_of(seed: int) -> Market:
    """Return a market of several pools, departures shared in half of them, smallest fills in a third, many ties."""
    fills_share = 0.4 if seed % 3 == 0 else 0.0
    return random_market(
        seed + 130_000, orders=5, pools=1 + seed % 2, tight=seed % 2 == 1, fills=fills_share, ties=seed % 5 == 0
    )


def optimum_is_reached(seed: int) -> None:
    """Require the surplus that an independent solver finds, or with smallest fills no more, and every fill kept."""
    market = market_of(seed)
    cleared = clearing.clear(market)
    assert not short_of_fill(market, cleared)
    assert cleared.certificate.surplus_idr <= best_surplus(market)
    assert seed % 3 == 0 or cleared.certificate.surplus_idr == best_surplus(market)


def examples_hold() -> None:
    """Require what a trader would recognise."""
    for name, check in inspect.getmembers(test_examples, inspect.isfunction):
        if name.startswith("test_") and not inspect.signature(check).parameters and "prints" not in name:
            check()


def relations_hold(seed: int) -> None:
    """Require all metamorphic relations of one market."""
    for relation in test_metamorphic.RELATIONS:
        test_metamorphic.held(relation, seed)


#: checks of the suite, the cheapest first, and how many seeds each is asked
SUITE: tuple[tuple[str, Callable[[int], None], int], ...] = (
    ("examples", lambda _: examples_hold(), 1),
    ("optimum", optimum_is_reached, 40),
    ("brute force", test_simplex.best_by_force, 100),
    ("warm sequences", test_simplex.warm_sequence, 100),
    ("ties", test_oracles.posting_breaks_ties, 20),
    ("arrivals", test_oracles.earliest_arrival_carries, 20),
    ("relations", relations_hold, 3),
)

#: seconds of this process after which a check will not end any more; without a bug it takes less than one
PATIENCE = 5
#: markets in which a bug is looked for by its results alone
MARKETS = 40


@contextmanager
def bounded() -> Iterator[None]:
    """Break off what a bug keeps from ending."""
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def found_by() -> str | None:
    """Return the first check of the suite that fails, None where all pass."""
    for name, check, seeds in SUITE:
        for seed in range(seeds):
            try:
                with bounded():
                    check(seed)
            except Exception:  # noqa: BLE001 - however it shows
                return name
    return None


def judged(right: list[int]) -> tuple[int, int]:
    """Return in how many markets a surplus was claimed that is another one, and how many of those the audit refused."""
    claimed: list[int] = []

    def listening(market: Market, claims: Sequence[Claim], matches: Sequence[Match]) -> tuple[str, ...]:
        claimed[:] = [sum(claim.surplus for claim in claims)]
        return audit(market, claims, matches)

    changed = refused = 0
    clearing.audit = listening
    for seed, surplus in enumerate(right):
        claimed[:] = [surplus]
        error: Exception | None = None
        try:
            with bounded():
                clearing.clear(market_of(seed))
        except Exception as raised:  # noqa: BLE001 - only the audit's refusal counts as one
            error = raised
        changed += claimed != [surplus]
        refused += claimed != [surplus] and isinstance(error, AuditError)
    clearing.audit = audit
    return changed, refused


def main() -> None:
    """Try the suite without a bug, then each bug."""
    signal.signal(signal.SIGVTALRM, lambda *_: (_ for _ in ()).throw(TimeoutError()))
    result: dict[str, Any] = {"": found_by()}
    right = [clearing.clear(market_of(seed)).certificate.surplus_idr for seed in range(MARKETS)]
    for bug in (*BUGS, *MISSING):
        with seeded(bug):
            changed, refused = judged(right)
            result[bug.name] = {"found_by": found_by(), "changed": changed, "refused": refused}
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
