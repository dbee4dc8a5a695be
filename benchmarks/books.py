"""Seeded books as records, for tests and measures."""

import random

from app.engine.model import Agreement, Demand, Departure, Listing, Market, Pool

TODAY = 740_000
REGIONS = ("32.76", "32.75", "31", "35.78", "33.72", "64.72", "62.71")


def book(orders: int, *, seed: int) -> Market:
    """Return a seeded book of one pool: half stock, half needs, heavy-tailed quantities, three grades, two weeks."""
    dice = random.Random(seed)
    departures = tuple(
        Departure(
            f"{region}-{day}",
            f"LN-{number:02}",
            "35.72",
            region,
            TODAY + day,
            TODAY + day + 2,
            300 + 200 * number,
            free_g=int(dice.paretovariate(1.5) * 5_000_000),
            chilled=number % 3 == 0,
        )
        for number, region in enumerate(REGIONS)
        for day in range(1, 15)
    )
    listings = tuple(_listing(dice, number) for number in range(orders // 2))
    demands = tuple(_demand(dice, number) for number in range(orders // 2))
    agreements = tuple(Agreement("35.72", region, TODAY - 1, TODAY + 99) for region in REGIONS)
    return Market((Pool("telur-ayam-ras", 1000, True, listings, demands),), departures, agreements, TODAY + 1)  # noqa: FBT003


def _listing(dice: random.Random, number: int) -> Listing:
    first = TODAY + dice.randint(0, 6)
    return Listing(
        id=f"s{number}",
        hub="35.72",
        grade=dice.randint(1, 3),
        quantity=int(dice.paretovariate(1.2) * 200),
        ask_idr=dice.randint(25_000, 28_000),
        collection_idr=60,
        first_day=first,
        last_day=first + dice.randint(2, 7),
        best_before=first + 14,
        best_before_chilled=first + 30,
        min_quantity=1,
        posted_at=number,
    )


def _demand(dice: random.Random, number: int) -> Demand:
    first = TODAY + dice.randint(2, 8)
    return Demand(
        id=f"d{number}",
        region=dice.choice(REGIONS),
        min_grade=dice.randint(1, 3),
        quantity=int(dice.paretovariate(1.2) * 200),
        limit_idr=dice.randint(26_000, 29_500),
        first_day=first,
        last_day=first + dice.randint(2, 7),
        min_life_days=dice.choice((0, 3, 7)),
        min_quantity=1,
        posted_at=number,
    )
