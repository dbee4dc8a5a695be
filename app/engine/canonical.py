"""Canonical order and canonical bytes: the same market gives the same bytes, whatever the order of its rows.

Text is in Unicode normal form C and sorts by code point; numbers are integers; JSON has sorted keys and no spaces.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from functools import cache
from importlib.util import find_spec
from operator import attrgetter
from typing import Any, TypeVar
from unicodedata import is_normalized, normalize

from app.engine.model import Agreement, Clearing, Demand, Departure, Listing, Market, Pool

#: name and version, stored with every run: a replay needs the same. Without numba HiGHS answers, and of several equally
#: good results it may choose another one
ENGINE = "blitar-simplex/4" if find_spec("numba") else "blitar-highs/4"

_Row = TypeVar("_Row", Agreement, Demand, Departure, Listing)


def arrange(market: Market) -> Market:
    """Return the same market with text in normal form C and all rows in canonical order."""
    return Market(
        pools=tuple(sorted((_arrange_pool(pool) for pool in market.pools), key=lambda pool: pool.commodity)),
        departures=_rows(market.departures, lambda row: row.id),
        agreements=_rows(
            (replace(row, commodities=_names(row.commodities)) for row in market.agreements),
            lambda row: (
                row.hub,
                row.region,
                row.first_day,
                row.last_day,
                row.commodities is None,
                row.commodities or (),
            ),
        ),
        first_departure_day=market.first_departure_day,
    )


def encode_market(market: Market) -> bytes:
    """Return the canonical JSON of a market: what a run stores as its input."""
    return _encode(arrange(market))


def encode_clearing(clearing: Clearing) -> bytes:
    """Return the canonical JSON of a clearing: what a run stores as its result."""
    return _encode(clearing)


def decode_market(data: bytes) -> Market:
    """Return the market of canonical bytes. Raises ValueError, KeyError or TypeError on anything else."""
    raw: dict[str, Any] = json.loads(data)
    return Market(
        pools=tuple(
            Pool(
                **{
                    **pool,
                    "listings": tuple(Listing(**row) for row in pool["listings"]),
                    "demands": tuple(Demand(**row) for row in pool["demands"]),
                }
            )
            for pool in raw["pools"]
        ),
        departures=tuple(Departure(**row) for row in raw["departures"]),
        agreements=tuple(
            Agreement(**{**row, "commodities": None if row["commodities"] is None else tuple(row["commodities"])})
            for row in raw["agreements"]
        ),
        first_departure_day=raw["first_departure_day"],
    )


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _encode(record: Market | Clearing) -> bytes:
    """Write a record; each row inside becomes a dictionary only when its turn comes, not all of them at once."""
    return json.dumps(
        record, default=_fields, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def _fields(record: object) -> dict[str, object]:
    """Return a record's fields by name."""
    kind: Any = type(record)  # mypy does not see that a class can be hashed
    names, values = _reader(kind)
    return dict(zip(names, values(record), strict=True))


@cache
def _reader(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """Return the names of a record's fields in order, and what reads them all at once."""
    names = tuple(sorted(field.name for field in fields(kind)))
    return names, attrgetter(*names)


def _arrange_pool(pool: Pool) -> Pool:
    return replace(
        pool,
        commodity=normalize("NFC", pool.commodity),
        listings=_rows(pool.listings, lambda row: row.id),
        demands=_rows(pool.demands, lambda row: row.id),
    )


def _rows(rows: Iterable[_Row], key: Callable[[_Row], Any]) -> tuple[_Row, ...]:
    """Sort rows after bringing their text into normal form."""
    return tuple(sorted(map(_normal, rows), key=key))


def _normal(row: _Row) -> _Row:
    kind: Any = type(row)
    changed: dict[str, Any] = {
        name: normalize("NFC", getattr(row, name))
        for name in _texts(kind)
        if not is_normalized("NFC", getattr(row, name))
    }
    return replace(row, **changed) if changed else row


@cache
def _texts(kind: Any) -> tuple[str, ...]:
    """Return the names of a record's text fields."""
    return tuple(field.name for field in fields(kind) if field.type is str)


def _names(commodities: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if commodities is None else tuple(sorted({normalize("NFC", name) for name in commodities}))
