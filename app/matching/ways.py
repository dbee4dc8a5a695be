"""One pair on one way, outside a run: what two parties agree by themselves keeps the hard rules of the engine."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.rules import HORIZON_DAYS, CommodityFacts, Reference
from app.demands.models import Demand
from app.engine.model import Pool, Reason
from app.engine.pairs import Agreements, Leg, departure_leg, first_failing, loco_leg
from app.kit.problems import invalid
from app.kit.text import Text
from app.lanes import queries as lanes
from app.lanes.models import Departure
from app.lanes.rules import is_usable
from app.listings.models import Listing
from app.matching.snapshot import agreement_of, demand_of, departure_of, listing_of
from app.regions.queries import agreements_in_force


@dataclass(frozen=True, slots=True)
class Way:
    """A departure, or fetching at the hub on a day."""

    hub: str
    #: with its lane; None where the buyer fetches at the hub
    departure: Departure | None
    departs_on: date
    arrives_on: date

    @property
    def departure_id(self) -> UUID | None:
        """The departure, if there is one."""
        return None if self.departure is None else self.departure.id

    @property
    def chilled(self) -> bool:
        """Whether the goods travel cooled."""
        return self.departure is not None and self.departure.lane.temperature == "chilled"

    def leg(self, unit_weight_g: int) -> Leg:
        """Return the way as the engine reads it, for goods of this weight (grams a base unit)."""
        if self.departure is None:
            return loco_leg(self.hub, self.departs_on.toordinal())
        return departure_leg(departure_of(self.departure), unit_weight_g)


async def usable_way(
    session: AsyncSession, *, hub: str, departure_id: UUID | None, day: date | None, today: date
) -> Way:
    """Return the way by a departure of a hub, or by fetching there on a day, tomorrow where none is named (rule 6).

    Raises Invalid (422) naming /departure_id or /on.
    """
    if departure_id is None:
        fetched_on = day or date.fromordinal(today.toordinal() + 1)
        if not 0 < (fetched_on - today).days <= HORIZON_DAYS:
            raise invalid(
                "/on",
                "day",
                Text(
                    f"Mulai besok, paling lama {HORIZON_DAYS} hari lagi.",
                    f"From tomorrow, {HORIZON_DAYS} days at most.",
                ),
            )
        return Way(hub, None, fetched_on, fetched_on)
    departure = await lanes.departure(session, departure_id)
    if departure is None or departure.lane.origin != hub:
        raise invalid(
            "/departure_id",
            "unknown_departure",
            Text("Tidak ada jadwal ini dari hub.", "There is no such departure from the hub."),
        )
    days = {"departs_on": departure.departs_on, "closes_on": departure.closes_on}
    if not is_usable(**days, status=departure.status, today=today):
        raise invalid(
            "/departure_id", "departure_closed", Text("Jadwal ini sudah ditutup.", "This departure has closed.")
        )
    if day not in (None, departure.departs_on):
        raise invalid("/on", "other_day", Text("Bukan hari jadwal ini.", "It is not the day of the departure."))
    return Way(hub, departure, departure.departs_on, departure.arrives_on)


async def forbidden(
    session: AsyncSession, *, listing: Listing, demand: Demand, way: Way, reference: Reference, now: datetime
) -> Reason | None:
    """Return the first hard rule that forbids a pair on a way, or None; prices are the parties' own to agree on."""
    commodity = reference.commodities[demand.commodity]
    offered = listing_of(listing, commodity, reference.regions, now)
    wanted = demand_of(demand, commodity, reference.regions, now)
    return first_failing(
        Agreements(agreement_of(agreement) for agreement in await agreements_in_force(session)),
        _pool(commodity),
        replace(offered, price_expired=False),
        way.leg(commodity.unit_weight_g),
        replace(wanted, price_expired=False),
    )


def _pool(commodity: CommodityFacts) -> Pool:
    return Pool(commodity.code, commodity.unit_weight_g, commodity.grades_substitute, (), ())


def collection_idr(listing: Listing, commodity: CommodityFacts, reference: Reference) -> int:
    """Return what collecting one base unit costs from the gate to the hub, rupiah, rounded up."""
    return -(-reference.regions[listing.region].collection_idr_per_kg * commodity.unit_weight_g // 1000)
