"""Pure rules of shipments: transitions, plausible weights, which weight is paid, and until when it may be disputed."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from app.kit.proportion import in_proportion


class State(StrEnum):
    """Where a shipment stands."""

    LOADING = "loading"
    IN_TRANSIT = "in_transit"
    ARRIVED = "arrived"


#: (from, to) -> the event it is told by
TRANSITIONS: dict[tuple[State, State], str] = {
    (State.LOADING, State.IN_TRANSIT): "shipment.dispatched",
    (State.IN_TRANSIT, State.ARRIVED): "shipment.arrived",
}

#: time to object to a receipt
DISPUTE_WITHIN = timedelta(hours=24)


class Outcome(StrEnum):
    """What the hub decides about a dispute."""

    UPHELD = "upheld"
    REJECTED = "rejected"
    SPLIT = "split"


def shipment_number(count: int, year: int) -> str:
    """Return the number that people quote, such as SJ-2026-000123."""
    return f"SJ-{year}-{count:06}"


def is_plausible(weight_g: int, quantity: int, unit_weight_g: int) -> bool:
    """Tell whether a weight lies within half and one and a half of what the quantity weighs by the catalogue.

    Further off, kilograms were typed for grams or the wrong line was weighed.
    """
    expected = quantity * unit_weight_g
    return expected <= 2 * weight_g <= 3 * expected


def payable_g(*, loaded_g: int, accepted_g: int, delivery: str, tolerance_percent: int) -> int:
    """Return which weight of a receipt is paid, grams.

    1. Fetched at the hub (loco), the buyer bears the way: what was loaded is paid.
    2. Delivered (franco), a loss within the tolerance is nobody's fault: what was loaded is paid.
    3. Beyond it the seller, who bears the risk until receipt, is paid for what was accepted.
    """
    if delivery == "loco" or (loaded_g - accepted_g) * 100 <= tolerance_percent * loaded_g:
        return loaded_g
    return accepted_g


def shares(payable: int, loaded: Mapping[UUID, int]) -> dict[UUID, int]:
    """Split a payable weight over lines in proportion to what was loaded of each, to the gram; ties to the lower id."""
    return in_proportion(payable, dict(sorted(loaded.items())))


def decided_g(outcome: Outcome, stated_g: int | None, *, by_rule_g: int, loaded_g: int, accepted_g: int) -> int | None:
    """Return the payable weight that an outcome means, grams; None where it must be stated and is not.

    A rejected dispute leaves what the rule says. An upheld one is worth the weight stated with it; without one, the
    accepted weight where the rule would pay more, else the loaded weight: the opposite of what was objected to.
    """
    if outcome is Outcome.REJECTED:
        return by_rule_g
    if stated_g is None and outcome is Outcome.UPHELD:
        return min(accepted_g, loaded_g) if by_rule_g == loaded_g else loaded_g
    return stated_g


def ends_at_acknowledgement(*, payable: int, loaded: int) -> bool:
    """Tell whether the buyer's word makes a receipt final.

    Only where nobody loses by it: producers who would bear a loss keep their time to object.
    """
    return payable == loaded
