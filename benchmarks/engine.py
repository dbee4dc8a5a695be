"""The network simplex beside OR-tools, HiGHS and one sort of both sides, on seeded instances."""

import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from math import log
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from app.engine.bands import LARGE, Orders, by_node_and_price, certify, fills, solve_large
from app.engine.curves import Curves, make_curves
from app.engine.highs import solve as ask_highs
from app.engine.network import Network
from app.engine.parcels import cut
from app.engine.question import Question
from app.engine.reclear import Reclearing
from app.engine.simplex import Arcs, solve
from benchmarks.fills import choosy, settled
from benchmarks.instances import Instance, full, simple
from benchmarks.joint import joined, joint_market, ours, whole_programme

ROOT = Path(__file__).resolve().parent.parent
#: case, orders a side, regions, seeds; OR-tools and HiGHS are asked where they answer in two minutes
CASES = (
    ("simple", 10_000, 50, (1, 2, 3), True, True),
    ("simple", 100_000, 50, (1, 2, 3), True, True),
    ("simple", 1_000_000, 50, (1,), True, False),
    ("simple", 1_000_000, 500, (1,), True, False),
    ("full", 1_000, 50, (1, 2, 3), True, True),
    ("full", 10_000, 50, (1, 2, 3), True, True),
    ("full", 100_000, 50, (1,), True, True),
    ("full", 1_000_000, 50, (1,), True, False),
    ("full", 1_000_000, 500, (1,), True, False),
    ("smallest fills, 5 %", 1_000, 50, (1, 2, 3), False, False),
    ("smallest fills, 5 %", 10_000, 50, (1, 2, 3), False, False),
    ("smallest fills, 20 %", 10_000, 50, (1, 2, 3), False, False),
    ("re-clear", 100_000, 50, (1,), False, False),
    ("re-clear", 1_000_000, 50, (1,), False, False),
    ("matches", 100_000, 50, (1, 2, 3), False, False),
    ("matches", 1_000_000, 50, (1,), False, False),
    ("joint", 5_000, 10, (1,), False, True),
    ("joint", 10_000, 10, (1,), False, True),
)
#: orders changed on each side, and of all of them, by `re-clear`
CHANGES = 100
RUNS = 3
#: networks of this many nodes take the histogram and the band
SMALL_NETWORK = 1200


def measure(*, seconds: float) -> list[dict[str, object]]:  # noqa: ARG001 - every case runs its times, not its seconds
    """Return rows {case, n, regions, variant, seed, ours_s, ortools_s, highs_s, sort_s, agree, peak_mb}.

    Every row is a process of its own: `peak_mb` is the most memory it held with our answer, instance included. Times
    are medians of three for ours (book, solution, fills and certificate), single runs of the others with their network
    built (HiGHS takes the columns in its time, a sixtieth of it), and the median of three argsorts of both sides by
    price. `agree` is None where nobody else was asked; such rows are checked on their own, or raise.
    """
    rows = []
    for case, orders, regions, seeds, ortools, highs in CASES:
        for seed in seeds:
            spec = json.dumps([case, orders, regions, seed, ortools, highs])
            command = [sys.executable, "-m", "benchmarks.engine", spec]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            rows.append(json.loads(done.stdout))
    return rows


def summary(rows: list[dict[str, Any]]) -> list[dict[str, object]]:
    """Return medians over seeds, ratios, and growth exponents from the next smaller size."""
    lines: list[dict[str, object]] = []
    sizes: dict[tuple[str, int], tuple[int, float]] = {}
    for case, n, regions in dict.fromkeys((row["case"], row["n"], row["regions"]) for row in rows):
        own = [row for row in rows if (row["case"], row["n"], row["regions"]) == (case, n, regions)]
        ours, ortools, highs, sort = (
            median(row[name] for row in own) if own[0][name] is not None else None
            for name in ("ours_s", "ortools_s", "highs_s", "sort_s")
        )
        before = sizes.get((case, regions))
        sizes[case, regions] = (n, ours or 0)
        lines.append(
            {
                "case": case,
                "orders a side": n,
                "regions": regions,
                "ours s": ours,
                "x OR-tools": ortools / ours if ortools and ours else None,
                "x HiGHS": highs / ours if highs and ours else None,
                "x sort": sort / ours if sort and ours else None,
                "growth": log((ours or 1) / before[1]) / log(n / before[0]) if before else None,
                "peak MB": max(row["peak_mb"] for row in own),
                "agree": None if own[0]["agree"] is None else all(row["agree"] for row in own),
                "variant": own[0]["variant"],
            }
        )
    return lines


def write_table(lines: list[dict[str, object]], machine: str) -> None:
    """Put the table into docs/engine.md, between its two marks."""
    names = list(lines[0])
    cells = [[_cell(line[name]) for name in names] for line in lines]
    table = [names, ["---"] * len(names), *cells]
    text = "\n".join("| " + " | ".join(row) + " |" for row in table)
    page = ROOT / "docs" / "engine.md"
    mark = "<!-- bench engine -->"
    body = f"{mark}\n\nMeasured with `./dev bench engine --write` on {machine}.\n\n{text}\n\n{mark}"
    page.write_text(re.sub(f"{mark}.*?{mark}", lambda _: body, page.read_text(), flags=re.DOTALL))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:.3g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def main(spec: str) -> None:
    """Measure one row and print it as JSON."""
    case, orders, regions, seed, ortools, highs = json.loads(spec)
    if case == "joint":
        print(json.dumps(_joint(orders, regions, seed)))
        return
    instance = (simple if case == "simple" else full)(orders, regions, seed)
    if case == "re-clear":
        ours, surplus, variant = _reclear(instance)
    elif case == "matches":
        ours, surplus, variant = _matches(instance, seed)
    elif case.startswith("smallest fills"):
        ours, surplus, variant = _fills(instance, int(case.split()[2]) / 100, seed)
    else:
        ours, surplus, variant = _ours(instance)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answers = [(_timed(ask)) for ask in ((_ortools(instance),) if ortools else ())]
    others = [(_timed(ask)) for ask in ((_highs(instance),) if highs else ())]
    sides = instance.price[instance.offer], instance.price[~instance.offer]
    sort = median(_timed(lambda: [np.argsort(side) for side in sides])[0] for _ in range(RUNS))
    row = {
        "case": case,
        "n": orders,
        "regions": regions,
        "variant": variant,
        "seed": seed,
        "ours_s": ours,
        "ortools_s": answers[0][0] if answers else None,
        "highs_s": others[0][0] if others else None,
        "sort_s": sort,
        "agree": all(answer == surplus for _, answer in answers + others) if answers or others else None,
        "peak_mb": round(peak),
    }
    print(json.dumps(row))


def _joint(orders: int, regions: int, seed: int) -> dict[str, object]:
    """Return the row of six pools on shared departures, `variant` tells the gap in rupiah.

    Answers agree where the linear optimum lies between our surplus and our bound, to a float's accuracy.
    """
    net, rows = joined(joint_market(orders, regions, seed))
    runs = [_timed(lambda: ours(net, rows)) for _ in range(RUNS)]
    seconds, (surplus, bound) = median(run[0] for run in runs), runs[0][1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    question = whole_programme(net, rows)
    highs, answer = _timed(lambda: ask_highs(question))
    linear = -float(answer.flow @ question.cost)
    return {
        "case": "joint",
        "n": orders,
        "regions": regions,
        "variant": f"gap {bound - surplus} of {surplus}",
        "seed": seed,
        "ours_s": seconds,
        "ortools_s": None,
        "highs_s": highs,
        "sort_s": None,
        "agree": surplus <= linear * (1 + 1e-9) and linear <= bound * (1 + 1e-9),
        "peak_mb": round(peak),
    }


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def _ours(instance: Instance) -> tuple[float, int, str]:
    """Return the median time, the proven surplus, and which way was taken."""
    arcs, orders = _arcs(instance), _orders(instance)
    banded = instance.nodes < SMALL_NETWORK and len(instance.node) >= LARGE

    def answer() -> int:
        state = solve_large(instance.nodes, arcs, orders) if banded else solve(arcs, _curves(instance))
        return certify(arcs, orders, state, fills(orders, state))

    runs = [_timed(answer) for _ in range(RUNS)]
    return median(run[0] for run in runs), runs[0][1], "band" if banded else "sorted"


def _matches(instance: Instance, seed: int) -> tuple[float, int, str]:
    """Return the median time from an optimal flow to rows of matches, posted in random order, and how many come out.

    Checked: what the matches of each order add up to is its fill.
    """
    arcs, orders, i = _arcs(instance), _orders(instance), instance
    state = solve(arcs, _curves(instance))
    fill, dice = fills(orders, state), np.random.default_rng(seed)
    sails = i.cost > 0
    nothing = np.zeros(len(fill) + len(i.tail), dtype=np.int64)
    net = Network(
        nodes=i.nodes,
        tail=np.concatenate([np.where(i.offer, 0, i.node), i.tail]),
        head=np.concatenate([np.where(i.offer, i.node, 0), i.head]),
        cost=nothing,
        cap=nothing,
        leg=np.concatenate([np.full(len(fill), -1), np.where(sails, np.cumsum(sails) - 1, -1)]),
        weight=nothing,
        least=nothing[: len(fill)],
        turn=1 + dice.permutation(len(fill)),
        orders=(),
        commodity=(),
        legs=(),
    )
    flow = np.concatenate([fill, state.flow])
    runs = [_timed(lambda: cut(net, flow)) for _ in range(RUNS)]
    rows = runs[0][1]
    for column in (0, 1):
        np.subtract.at(fill, rows[:, column], rows[:, 3])
    if fill.any():
        message = "matches and fills differ"
        raise ArithmeticError(message)
    return median(run[0] for run in runs), certify(arcs, orders, state, fills(orders, state)), f"{len(rows)} matches"


def _fills(instance: Instance, share: float, seed: int) -> tuple[float, int, str]:
    """Return the median time of optimum, search, prices and proof, and what smallest fills cost of the surplus."""
    net = choosy(instance, share, seed)
    runs = [_timed(lambda: settled(net)) for _ in range(RUNS)]
    surplus, missed, holds = runs[0][1]
    if not holds:
        message = "prices and smallest fills do not go together"
        raise ArithmeticError(message)
    return median(run[0] for run in runs), surplus, f"costs {missed / (surplus + missed):.2%}"


def _reclear(instance: Instance) -> tuple[float, int, str]:
    """Return the median time of a warm answer, fills and proof after a hundred changes a side; check it cold."""
    dice, arcs, times = np.random.default_rng(1), _arcs(instance), []
    market = Reclearing(instance.nodes, arcs, _orders(instance))
    for _run in range(RUNS):
        sides = [np.flatnonzero(instance.offer), np.flatnonzero(~instance.offer)]
        picked = np.concatenate([dice.choice(side, CHANGES, replace=False) for side in sides])
        fresh = np.maximum(instance.quantity[picked] * dice.integers(0, 3, len(picked)), 1)
        instance.quantity[picked] = fresh
        times.append(_timed(lambda p=picked, q=fresh: market.change(p, q))[0])  # type: ignore[misc]
    cold, _, _ = _ours(instance)
    other = Reclearing(instance.nodes, arcs, _orders(instance))
    if market.surplus != other.surplus:
        message = "warm and cold differ"
        raise ArithmeticError(message)
    return median(times), market.surplus, f"{cold / median(times):.0f}x cold"


def _arcs(instance: Instance) -> Arcs:
    return Arcs(instance.tail.astype(np.int32), instance.head.astype(np.int32), instance.cost, instance.cap)


def _orders(instance: Instance) -> Orders:
    return Orders(instance.node, instance.price, instance.quantity, instance.offer)


def _curves(instance: Instance) -> Curves:
    sort = by_node_and_price(instance.node, instance.price)
    below = np.zeros(instance.nodes, dtype=np.int64)
    np.add.at(below, instance.node[~instance.offer], instance.quantity[~instance.offer])
    return make_curves(instance.nodes, instance.node[sort], instance.price[sort], instance.quantity[sort], below)


def _columns(instance: Instance) -> tuple[np.ndarray[Any, Any], ...]:
    """Return the network with an arc for each order."""
    offer, node = instance.offer, instance.node
    return (
        np.concatenate([instance.tail, np.where(offer, 0, node)]),
        np.concatenate([instance.head, np.where(offer, node, 0)]),
        np.concatenate([instance.cap, instance.quantity]),
        np.concatenate([instance.cost, np.where(offer, instance.price, -instance.price)]),
    )


def _ortools(instance: Instance) -> Callable[[], int]:
    from ortools.graph.python import min_cost_flow  # noqa: PLC0415 - a development tool, asked for by some rows only

    solver = min_cost_flow.SimpleMinCostFlow()
    solver.add_arcs_with_capacity_and_unit_cost(*_columns(instance))

    def answer() -> int:
        solver.solve()
        return -int(solver.optimal_cost())

    return answer


def _highs(instance: Instance) -> Callable[[], int]:
    tail, head, cap, cost = _columns(instance)
    question = Question(instance.nodes, tail, head, cost, np.zeros_like(cap), cap)

    def answer() -> int:
        found = ask_highs(question)
        return 0 if found is None else -int(np.rint(found.flow).astype(np.int64) @ cost)

    return answer


if __name__ == "__main__":
    main(sys.argv[1])
