"""Seeded small markets, and short ways to write one down."""

import random

from app.engine.model import Agreement, Demand, Departure, Listing, Market, Pool

HUB, OTHER_HUB = "35.72", "35.05"
CITY, FAR_CITY = "32.76", "64.72"
TODAY = 739_000


def listing(name: str, quantity: int, ask: int, **more: object) -> Listing:
    """Write a listing that leaves the hub on any of ten days and keeps for long."""
    first = {"hub": HUB, "grade": 1, "collection_idr": 0, "first_day": TODAY, "last_day": TODAY + 10, "posted_at": 0}
    keeps = {"best_before": TODAY + 100, "best_before_chilled": TODAY + 100, "min_quantity": 1}
    return Listing(**{"id": name, "quantity": quantity, "ask_idr": ask, **first, **keeps, **more})


def demand(name: str, quantity: int, limit: int, **more: object) -> Demand:
    """Write a demand of the city that takes any grade on any of ten days."""
    first = {"region": CITY, "min_grade": 1, "first_day": TODAY, "last_day": TODAY + 10, "posted_at": 0}
    return Demand(
        **{"id": name, "quantity": quantity, "limit_idr": limit, **first, "min_life_days": 0, "min_quantity": 1, **more}
    )


def departure(name: str, day: int, capacity: int, **more: object) -> Departure:
    """Write a departure from the hub to the city: leaves on a day after TODAY, arrives that day, carries kilograms."""
    row = {"id": name, "lane": name, "hub": HUB, "region": CITY, "departs_on": TODAY + day, "arrives_on": TODAY + day}
    return Departure(**{**row, "freight_idr_per_kg": 0, "free_g": capacity * 1000, **more})


def market(
    listings: list[Listing], demands: list[Demand], departures: list[Departure], *, substitute: bool = True
) -> Market:
    """Write a market of one pool of kilograms with every agreement in force."""
    pool = Pool("telur-ayam-ras", 1000, substitute, tuple(listings), tuple(demands))
    return Market((pool,), tuple(departures), everywhere(), TODAY)


def everywhere() -> tuple[Agreement, ...]:
    """Return agreements between both hubs and all places, in force for long."""
    return tuple(
        Agreement(hub, region, TODAY - 1000, TODAY + 1000)
        for hub in (HUB, OTHER_HUB)
        for region in (CITY, FAR_CITY, HUB, OTHER_HUB)
    )


def random_market(
    seed: int, *, orders: int = 4, pools: int = 1, tight: bool = False, fills: float = 0.0, ties: bool = False
) -> Market:
    """Return a small market: two hubs, two cities, grades, windows, freshness, chilled lanes, fetching at the hub.

    `tight` makes departures so small that several arcs share what one cannot carry; `fills` is the share of orders with
    a smallest fill; `ties` draws prices from a few values only.
    """
    dice = random.Random(seed)
    departures = [_departure(dice, i, tight=tight) for i in range(dice.randint(2, 6))]
    agreements = [row for row in everywhere() if dice.random() < 0.95]
    if dice.random() < 0.3:
        agreements.append(Agreement(HUB, CITY, TODAY + 1, TODAY + 2, ("beras", "pool0")))
    return Market(
        tuple(_pool(dice, f"pool{i}", orders, tight=tight, fills=fills, ties=ties) for i in range(pools)),
        tuple(departures),
        tuple(agreements),
        TODAY,
    )


def _departure(dice: random.Random, number: int, *, tight: bool) -> Departure:
    leaves = TODAY + dice.randint(0, 3)
    return Departure(
        id=f"k{number}",
        lane=f"L{number % 3}",
        hub=HUB if dice.random() < 0.85 else OTHER_HUB,
        region=CITY if dice.random() < 0.8 else FAR_CITY,
        departs_on=leaves,
        arrives_on=leaves + dice.randint(0, 2),
        freight_idr_per_kg=dice.choice([0, 1, 2, 3, 7]),
        free_g=dice.randint(0, 5 if tight else 12) * 1000 + dice.choice([0, 0, 500]),
        chilled=dice.random() < 0.2,
    )


def _pool(dice: random.Random, name: str, orders: int, *, tight: bool, fills: float, ties: bool) -> Pool:
    prices = [3, 5, 8, 12] if ties else list(range(25))
    listings, demands = [], []
    for i in range(dice.randint(min(2, orders), orders)):
        first, quantity = TODAY + dice.randint(0, 2), dice.randint(1, 6)
        keeps = TODAY + dice.randint(3, 8)
        listings.append(
            Listing(
                id=f"s{i}",
                hub=HUB if dice.random() < 0.8 else OTHER_HUB,
                grade=dice.randint(1, 3),
                quantity=quantity,
                ask_idr=dice.choice(prices),
                collection_idr=dice.choice([0, 0, 1]),
                first_day=first,
                last_day=first + dice.randint(1, 4),
                best_before=keeps,
                best_before_chilled=keeps + dice.randint(0, 3),
                min_quantity=dice.randint(2, 8) if dice.random() < fills else 1,
                posted_at=dice.randint(0, 9),
                price_expired=dice.random() < 0.05,
            )
        )
    for i in range(dice.randint(min(2, orders), orders)):
        first, quantity = TODAY + dice.randint(0, 3), dice.randint(1, 6)
        demands.append(
            Demand(
                id=f"d{i}",
                region=CITY if dice.random() < 0.85 else FAR_CITY,
                min_grade=dice.randint(1, 3),
                quantity=quantity,
                limit_idr=dice.choice(prices) + 8,
                first_day=first,
                last_day=first + dice.randint(1, 4),
                min_life_days=dice.randint(0, 3),
                min_quantity=dice.randint(2, 8) if dice.random() < fills else 1,
                posted_at=dice.randint(0, 9),
                loco=dice.random() < 0.15,
                price_expired=dice.random() < 0.05,
            )
        )
    return Pool(
        name,
        dice.choice([1, 1, 2, 3]) * (1000 if not tight else 500),
        dice.random() < 0.7,
        tuple(listings),
        tuple(demands),
    )
