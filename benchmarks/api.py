"""What a request costs beside the same statement in plain PostgreSQL, measured in one run."""

import json

import httpx

from benchmarks.load import Load, Request
from benchmarks.load import measure as measure_load
from benchmarks.stand import Stand, running_stand

CLIENTS = 8
BATCH = 500
PRODUCER = "Koperasi telur Kanigoro (contoh)"
STOCK = {"commodity": "telur-ayam-ras", "grade": "II", "quantity": 400, "unit": "peti-15", "price_idr": 397500}

#: the row that a post makes, without hub around it
INSERT = """
INSERT INTO listings (id, organization_id, commodity, region, hub, quantity, proposed_quantity, ordered_quantity,
    withdrawn_quantity, min_quantity, entered_quantity, entered_unit, entered_price_idr, entered_price_unit, status,
    version, created_at, updated_at, grade, price_idr, available_from, available_until, best_before,
    best_before_chilled, papers)
SELECT gen_random_uuid(), o.id, 'telur-ayam-ras', '35.05', '35.72', 6000, 0, 0, 0, 1, '400', 'peti-15', 397500,
    'peti-15', 'open', 1, now(), now(), 'II', 26500, current_date, current_date + 7, current_date + 14,
    current_date + 30, '{}'
  FROM organizations o WHERE o.name = 'Koperasi telur Kanigoro (contoh)';
"""
SELECT_FIFTY = """
SELECT * FROM listings
 WHERE organization_id = (SELECT id FROM organizations WHERE name = 'Koperasi telur Kanigoro (contoh)')
 ORDER BY created_at DESC, id DESC LIMIT 51;
"""


def measure(*, seconds: float) -> list[dict[str, object]]:
    """Return rows {route, rps, floor_tps, ratio, p50_ms, p99_ms}; batch counts rows, not requests."""
    with running_stand() as stand:
        rows = [*_posts(stand, seconds), *_reads(stand, seconds)]
        rows.append(
            {
                "route": "peak memory of the server, MB",
                "rps": None,
                "floor_tps": None,
                "ratio": stand.peak_mb(),
                "p50_ms": None,
                "p99_ms": None,
            }
        )
    return rows


def _posts(stand: Stand, seconds: float) -> list[dict[str, object]]:
    key = stand.keys["producers"][PRODUCER]
    floor = stand.pgbench(INSERT, clients=CLIENTS, seconds=seconds)
    post = Request("POST", "/v1/listings", key, json.dumps(STOCK).encode(), expected=201)
    items = json.dumps({"items": [STOCK] * BATCH}).encode()
    batch = Request("POST", "/v1/listings/batch", key, items, expected=207)
    single = measure_load(stand.port, post, clients=CLIENTS, seconds=seconds)
    many = measure_load(stand.port, batch, clients=2, seconds=seconds)
    return [
        _row("POST /v1/listings", single, floor),
        _row(f"POST /v1/listings/batch, rows of {BATCH}", many, floor, each=BATCH),
    ]


def _reads(stand: Stand, seconds: float) -> list[dict[str, object]]:
    producer = stand.keys["producers"][PRODUCER]
    first = _first_listing(stand, producer)
    one = stand.pgbench(f"SELECT * FROM listings WHERE id = '{first}';", clients=CLIENTS, seconds=seconds)
    fifty = stand.pgbench(SELECT_FIFTY, clients=CLIENTS, seconds=seconds)
    return [
        _row("GET /v1/listings/{id}", _get(stand, f"/v1/listings/{first}", producer, seconds), one),
        _row("GET /v1/listings, 50 rows", _get(stand, "/v1/listings?limit=50", producer, seconds), fifty),
        # what the framework alone allows: neither key nor database
        _row("GET /healthz", _get(stand, "/healthz", None, seconds), one),
        _row("GET /v1/dashboard/summary", _get(stand, "/v1/dashboard/summary", None, seconds), one),
    ]


def _get(stand: Stand, path: str, key: str | None, seconds: float) -> Load:
    return measure_load(stand.port, Request("GET", path, key), clients=CLIENTS, seconds=seconds)


def _first_listing(stand: Stand, key: str) -> str:
    url = f"http://127.0.0.1:{stand.port}/v1/listings"
    answer = httpx.get(url, params={"limit": 1, "sort": "created_at"}, headers={"Authorization": f"Bearer {key}"})
    first: str = answer.json()["items"][0]["id"]
    return first


def _row(route: str, load: Load, floor: float, *, each: int = 1) -> dict[str, object]:
    return {
        "route": route,
        "rps": load.rps * each,
        "floor_tps": floor,
        "ratio": load.rps * each / floor,
        "p50_ms": load.p50_ms,
        "p99_ms": load.p99_ms,
    }
