"""Use cases of regions and agreements."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.kit.ids import new_id
from app.kit.problems import NotFound
from app.outbox.events import Actor, Event
from app.outbox.service import record
from app.regions import queries
from app.regions.errors import unknown_commodity, unknown_region
from app.regions.models import Agreement, Region

DATA = Path(__file__).parent / "data"


async def change_region(
    session: AsyncSession, *, code: str, hub: str, version: int, changes: Mapping[str, object]
) -> Region:
    """Change a region that belongs to this hub or to none.

    Raises NotFound (404), StaleVersion (412), Invalid (422) for an unknown hub.
    """
    region = await rows.lock(session, Region, code)
    if region.hub not in (None, hub):
        raise NotFound
    if changes.get("hub") is not None:
        await require_region(session, code=str(changes["hub"]), pointer="/hub")
    await rows.change(session, region, version=version, changes=changes)
    return region


async def require_region(session: AsyncSession, *, code: str, pointer: str) -> Region:
    """Return the region with this code. Raises Invalid (422) naming the field."""
    region = await session.get(Region, code)
    if region is None:
        raise unknown_region(pointer, code)
    return region


async def sign_agreement(
    session: AsyncSession, *, hub: str, values: Mapping[str, Any], now: datetime, actor: Actor
) -> Agreement:
    """Record an agreement between the hub and a region.

    Raises Invalid (422) for an unknown region or commodity, or bad days.
    """
    await require_region(session, code=values["region"], pointer="/region")
    await _require_commodities(session, values["commodities"])
    agreement = Agreement(id=new_id(), hub=hub, updated_at=now, **values)
    session.add(agreement)
    await session.flush()
    await record(session, Event("agreement.signed", agreement.id, (), now, actor, {"region": agreement.region}))
    return agreement


async def change_agreement(
    session: AsyncSession,
    *,
    agreement_id: UUID,
    hub: str,
    version: int,
    changes: Mapping[str, Any],
    now: datetime,
    actor: Actor,
) -> Agreement:
    """Change an agreement of this hub.

    Raises NotFound (404), StaleVersion (412), Invalid (422) for an unknown commodity or bad days.
    """
    agreement = await rows.lock(session, Agreement, agreement_id)
    if agreement.hub != hub:
        raise NotFound
    await _require_commodities(session, changes.get("commodities"))
    await rows.change(session, agreement, version=version, changes={**changes, "updated_at": now})
    facts = {"region": agreement.region, "status": agreement.status}
    await record(session, Event("agreement.changed", agreement.id, (), now, actor, facts))
    return agreement


async def _require_commodities(session: AsyncSession, codes: Sequence[str] | None) -> None:
    known = await queries.known_commodities(session, codes or ())
    for index, code in enumerate(codes or ()):
        if code not in known:
            raise unknown_commodity(f"/commodities/{index}", code)


async def load_reference(session: AsyncSession, *, now: datetime) -> None:
    """Load regions and the agreements in force from the reference files; rows that exist stay as they are."""
    regions = [_region_values(row) for row in rows.reference_rows(DATA / "regions.csv")]
    # a region may name its hub or parent in the same statement: foreign keys are checked at its end
    await session.execute(insert(Region).on_conflict_do_nothing(), regions)
    agreements = [
        _agreement_values(row, now)
        for row in rows.reference_rows(DATA / "agreements.csv")
        if row["status"] == "in_force" and row["region"]
    ]
    await session.execute(insert(Agreement).on_conflict_do_nothing(index_elements=["code"]), agreements)


def _region_values(row: Mapping[str, str | None]) -> dict[str, Any]:
    same: Sequence[str] = ("code", "bps_code", "name", "level", "province", "island", "timezone", "role", "trades_as")
    return {
        **{name: row[name] for name in (*same, "note", "source")},
        "latitude": float(row["latitude"] or 0),
        "longitude": float(row["longitude"] or 0),
        "population": int(row["population"] or 0),
        "population_on": _day(row["population_on"]),
        "price_zone": int(row["price_zone"] or 1),
        "hub": row["hub_code"],
        "collection_idr_per_kg": int(row["collection_idr_per_kg"] or 0),
        "collection_days": int(row["collection_days"] or 0),
        "version": 1,
    }


def _agreement_values(row: Mapping[str, str | None], now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "code": row["code"],
        "hub": row["hub"],
        "region": row["region"],
        "instrument": row["instrument"],
        "signed_on": _day(row["signed_on"]),
        "valid_until": _day(row["valid_until"]),
        "commodities": None,
        "status": "in_force",
        "note": row["note"],
        "source": row["source"],
        "version": 1,
        "updated_at": now,
    }


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
