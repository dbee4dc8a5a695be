"""Loading the reference data, and the opening scenario on top of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import queries as catalog_queries
from app.catalog import service as catalog
from app.catalog.rules import Reference, Typed
from app.demands import rules as demand_rules
from app.demands import service as demands
from app.demo.last_week import DAYS_BACK, load_last_week
from app.kit.clock import local_day
from app.kit.db import Database
from app.kit.principal import Principal, Role
from app.kit.rows import reference_rows
from app.lanes import service as lanes
from app.listings import rules as listing_rules
from app.listings import service as listings
from app.matching import clearing
from app.matching import queries as matching_queries
from app.matching.models import ClearingRun
from app.matching.solver import SOLVER
from app.outbox.events import WORKER, Actor
from app.parties import queries as parties_queries
from app.parties import service as parties
from app.regions import service as regions

DATA = Path(__file__).parent / "data"
HUB = "35.72"
HUB_NAME = "Hub BTC Kota Blitar"
OBSERVER_NAME = "Pengamat harga Depok (contoh)"
#: first word of an example's name -> its kind
KINDS = {
    "Koperasi": "koperasi",
    "Gapoktan": "koperasi",
    "Kelompok": "kelompok tani",
    "Peternak": "peternak",
    "Petani": "petani",
    "Pekarangan": "petani",
    "Penggilingan": "penggilingan",
    "UMKM": "UMKM",
    "BUMD": "BUMD",
    "Supermarket": "ritel",
    "Toko": "ritel",
}

Row = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the example parties, by name."""

    hub: str
    observer: str
    producers: Mapping[str, str]
    buyers: Mapping[str, str]

    def write(self, path: Path) -> None:
        """Write the keys for their owner's eyes only."""
        path.touch(mode=0o600)
        path.chmod(0o600)
        content = {
            "hub": self.hub,
            "observer": self.observer,
            "producers": dict(self.producers),
            "buyers": dict(self.buyers),
        }
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


async def load_reference(session: AsyncSession, *, now: datetime) -> None:
    """Load regions, agreements, commodities, prices and lanes, and keep departures 35 days ahead."""
    await regions.load_reference(session, now=now)
    await catalog.load_reference(session, now=now)
    await lanes.load_reference(session, now=now)
    await lanes.keep_departures(session, now=now)


async def load_scenario(
    session: AsyncSession, *, environment: str, now: datetime, with_last_week: bool = True
) -> Keys | None:
    """Load the example parties with their stock and needs, perhaps also what they traded last week.

    Each post is a microsecond later than the one before, so that ties go to the earlier line of the file.
    Returns None where organisations exist already.
    """
    if await parties_queries.anybody(session):
        return None
    SOLVER.start()  # the engine loads while the scenario is written
    reference = await catalog_queries.reference(session)
    parts = _Loader(session, reference, environment, now - DAYS_BACK if with_last_week else now)
    hub = await parts.key_of(HUB_NAME, Role.HUB, HUB, kind="hub")
    observer = await parts.key_of(OBSERVER_NAME, Role.OBSERVER, "32.76", kind="dinas pangan")
    supply = reference_rows(DATA / "scenario_supply.csv")
    demand = reference_rows(DATA / "scenario_demand.csv")
    producers = {str(row["producer"]): str(row["region"]) for row in supply}
    buyers = {str(row["buyer"]): str(row["region"]) for row in demand}
    keys = Keys(
        hub,
        observer,
        {name: await parts.key_of(name, Role.PRODUCER, region) for name, region in producers.items()},
        {name: await parts.key_of(name, Role.BUYER, region) for name, region in buyers.items()},
    )
    if with_last_week:
        await load_last_week(session, principal=parts.hub, reference=reference, parties=parts.ids, now=now)
    parts.now = now
    for row in supply:
        await parts.post_listing(row)
    for row in demand:
        await parts.post_demand(row)
    return keys


async def awaits_clearing(session: AsyncSession) -> bool:
    """Tell whether the scenario was loaded and nothing was cleared since."""
    loaded = await parties_queries.is_registered(session, OBSERVER_NAME)
    return loaded and await matching_queries.last_binding_sha256(session) is None


async def clear_scenario(database: Database, *, now: datetime) -> ClearingRun:
    """Clear all pools for the hub, as its operator would."""
    async with database.reader() as session:
        reference = await catalog_queries.reference(session)
        hub = await parties_queries.hub_organization(session)
    return await clearing.run(
        database,
        commodities=clearing.pools_to_clear(reference, None),
        dry_run=False,
        now=now,
        timezone=reference.regions[hub.region].timezone,
        actor=Actor(hub.id),
    )


class _Loader:
    """Posts the scenario, one microsecond after another."""

    def __init__(self, session: AsyncSession, reference: Reference, environment: str, now: datetime) -> None:
        self.session = session
        self.reference = reference
        self.environment = environment
        self.now = now
        self.owners: dict[str, parties.Owner] = {}

    @property
    def hub(self) -> Principal:
        """The hub as who acts."""
        own = self.owners[HUB_NAME]
        return Principal(own.id, Role.HUB, own.region, own.hub)

    @property
    def ids(self) -> dict[str, UUID]:
        """Organisations by name."""
        return {name: owner.id for name, owner in self.owners.items()}

    async def key_of(self, name: str, role: Role, region: str, kind: str | None = None) -> str:
        number = len(self.owners) + 1
        values = {
            "name": name,
            "role": role,
            "kind": kind or KINDS.get(name.split(maxsplit=1)[0], "pedagang"),
            "region": region,
            "place": None,
            "contact": None,
            # numbers that no operator gives out
            "telephone": f"+62800000{number:04}",
        }
        organization = await parties.register(self.session, hub=HUB, values=values, now=self.now, actor=WORKER)
        self.owners[name] = parties.Owner(organization.id, organization.region, organization.hub)
        _, key = await parties.create_key(
            self.session, organization=organization, label="demo", environment=self.environment, now=self.now
        )
        return key

    async def post_listing(self, row: Row) -> None:
        owner = self.owners[str(row["producer"])]
        today = self._tick(owner.region)
        draft = listing_rules.Draft(
            commodity=str(row["commodity"]),
            grade=str(row["grade"]),
            region=str(row["region"]),
            typed=_typed(row, "price_idr"),
            available_from=today + timedelta(days=int(row["available_from_day"] or 0)),
            available_until=today + timedelta(days=int(row["available_until_day"] or 0)),
            best_before=None,
            best_before_chilled=None,
            price_valid_until=None,
            papers={},
            external_ref=None,
            note=None,
        )
        values = listings.prepare(draft, owner=owner, reference=self.reference, now=self.now)
        values["min_quantity"] = int(row["min_quantity"] or 1)
        await listings.publish(self.session, values=values, actor=Actor(owner.id))

    async def post_demand(self, row: Row) -> None:
        owner = self.owners[str(row["buyer"])]
        today = self._tick(owner.region)
        draft = demand_rules.Draft(
            commodity=str(row["commodity"]),
            min_grade=str(row["min_grade"]),
            region=str(row["region"]),
            delivery="franco",
            typed=_typed(row, "max_price_idr"),
            deliver_from=today + timedelta(days=int(row["deliver_from_day"] or 0)),
            deliver_by=today + timedelta(days=int(row["deliver_by_day"] or 0)),
            min_remaining_shelf_life_days=int(row["min_remaining_shelf_life_days"] or 0),
            price_valid_until=None,
            external_ref=None,
            note=None,
        )
        values = demands.prepare(draft, owner=owner, reference=self.reference, now=self.now)
        values["min_quantity"] = int(row["min_quantity"] or 1)
        await demands.publish(self.session, values=values, actor=Actor(owner.id))

    def _tick(self, region: str) -> date:
        self.now += timedelta(microseconds=1)
        return local_day(self.now, self.reference.regions[region].timezone)


def _typed(row: Row, price_field: str) -> Typed:
    return Typed(
        quantity=Decimal(row["quantity"] or 0),
        unit=str(row["unit"]),
        price_idr=int(row[price_field] or 0),
        price_unit=row["price_unit"],
        # in base units in the file, so it is set on the row afterwards
        min_quantity=None,
        unit_base_quantity=None,
    )
