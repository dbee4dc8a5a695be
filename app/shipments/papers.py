"""What the papers of a shipment tell, and their PDF."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.catalog.rules import Reference
from app.lanes.models import Lane
from app.orders.models import Order, OrderLine
from app.parties.models import Organization
from app.shipments.models import Receipt, Shipment
from app.shipments.queries import Carried


@dataclass(frozen=True, slots=True)
class Papers:
    """What the papers of a shipment tell, as far as their reader may see it."""

    shipment: Shipment
    lane: Lane | None
    carried: Sequence[Carried]
    #: all lines of each order that it carries some of, whatever carries them
    ordered: Mapping[UUID, Sequence[OrderLine]]
    receipts: Sequence[Receipt]
    organizations: Mapping[UUID, Organization]
    reference: Reference

    @property
    def orders(self) -> list[Order]:
        """The orders that it carries, by number."""
        return sorted({item.order.id: item.order for item in self.carried}.values(), key=lambda order: order.number)

    def unit(self, order: Order) -> str:
        """Return the base unit of an order's goods."""
        return self.reference.commodities[order.commodity].base_unit


def render(papers: Papers) -> bytes:
    """Return the papers as one PDF: loading list, then for each order its order paper, surat jalan and BAST."""
    from app.shipments import printing  # noqa: PLC0415 - fonts and pictures take long to load, and few print

    return printing.render(papers)
