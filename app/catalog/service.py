"""Use cases of the catalogue: price references; loading the reference files."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import queries
from app.catalog.models import Commodity, Consumption, Grade, PriceReference, Unit
from app.catalog.rules import require_grade
from app.kit import rows
from app.kit.ids import new_id
from app.kit.principal import Principal
from app.kit.problems import Forbidden, NotFound
from app.outbox.events import Event, actor_of
from app.outbox.service import record
from app.regions.service import require_region

DATA = Path(__file__).parent / "data"


async def post_price(
    session: AsyncSession, *, principal: Principal, values: Mapping[str, Any], now: datetime, today: date
) -> PriceReference:
    """Post a price reference; an observer posts observed prices of its own region only.

    Raises Forbidden (403), Invalid (422) for an unknown commodity, grade, region, or bad days and ranges.
    """
    facts = dict(values)
    observed = facts["kind"] == "observed"
    if observed and facts["region"] is None:
        facts["region"] = principal.region
    if not principal.is_hub and not (observed and facts["region"] == principal.region):
        raise Forbidden
    reference = await queries.reference(session)
    commodity = reference.commodity(facts["commodity"])
    if facts["grade"] is not None:
        require_grade(commodity, facts["grade"], "/grade")
    if facts["region"] is not None:
        await require_region(session, code=facts["region"], pointer="/region")
    facts["valid_from"] = facts["valid_from"] or today
    if observed:
        facts["valid_until"] = facts["valid_until"] or facts["valid_from"]
    facts["max_idr"] = facts["max_idr"] or facts["min_idr"]
    price = PriceReference(id=new_id(), posted_by=principal.organization_id, created_at=now, **facts)
    session.add(price)
    await session.flush()
    told = {"commodity": price.commodity, "region": price.region, "kind": price.kind}
    await record(session, Event("price.posted", price.id, (), now, actor_of(principal), told))
    return price


async def change_price(
    session: AsyncSession, *, principal: Principal, price_id: UUID, version: int, changes: Mapping[str, object]
) -> PriceReference:
    """Change a price reference: its poster its own, the hub any.

    Raises NotFound (404), StaleVersion (412), Invalid (422) for bad days and ranges.
    """
    price = await rows.lock(session, PriceReference, price_id)
    if not principal.is_hub and price.posted_by != principal.organization_id:
        raise NotFound
    await rows.change(session, price, version=version, changes=changes)
    return price


async def load_reference(session: AsyncSession, *, now: datetime) -> None:
    """Load commodities, grades, units, prices and consumption from the files; rows that exist stay as they are."""
    for model, values in (
        (Commodity, [_commodity(row) for row in rows.reference_rows(DATA / "commodities.csv")]),
        (Grade, [_grade(row) for row in rows.reference_rows(DATA / "grades.csv")]),
        (Unit, [_unit(row) for row in rows.reference_rows(DATA / "units.csv")]),
        (PriceReference, [_price(row, now) for row in rows.reference_rows(DATA / "price_references.csv")]),
        (Consumption, [_consumption(row) for row in rows.reference_rows(DATA / "consumption.csv")]),
    ):
        await session.execute(insert(model).on_conflict_do_nothing(), values)


def _commodity(row: Mapping[str, str | None]) -> dict[str, Any]:
    chilled = row["shelf_life_chilled_days"]
    return {
        **{name: row[name] for name in ("code", "name_en", "category", "hs_code", "base_unit", "cold_storage")},
        "name": row["name_id"],
        "unit_weight_g": int(row["unit_weight_g"] or 0),
        "grades_substitute": row["grades_substitute"] == "true",
        "shelf_life_ambient_days": int(row["shelf_life_ambient_days"] or 0),
        "shelf_life_chilled_days": int(chilled) if chilled else None,
        "required_papers": row["required_papers"],
        "source": row["source"],
    }


def _grade(row: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "commodity": row["commodity"],
        "code": row["grade"],
        "rank": int(row["rank"] or 0),
        "scheme": row["scheme"],
    }


def _unit(row: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "commodity": row["commodity"],
        "code": row["unit"],
        "name": row["name_id"],
        "base_quantity": Decimal(row["base_quantity"] or 0),
        "fixed": row["fixed"] == "true",
    }


def _price(row: Mapping[str, str | None], now: datetime) -> dict[str, Any]:
    same = ("code", "commodity", "grade", "kind", "level", "region", "place", "regulation", "note", "source")
    until, zone = row["valid_until"], row["price_zone"]
    return {
        "id": new_id(),
        **{name: row[name] for name in same},
        "price_zone": int(zone) if zone else None,
        "min_idr": int(row["min_idr"] or 0),
        "max_idr": int(row["max_idr"] or 0),
        "valid_from": date.fromisoformat(row["valid_from"] or ""),
        "valid_until": date.fromisoformat(until) if until else None,
        "version": 1,
        "created_at": now,
    }


def _consumption(row: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "region": row["region"],
        "commodity": row["commodity"],
        "basis": row["basis"],
        "kg_per_week": int(Decimal(row["tonnes_per_week"] or 0) * 1000),
        "note": row["note"],
        "source": row["source"],
    }
