"""Splitting a whole number in proportion: nothing is lost and nothing is made by rounding."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def in_proportion(amount: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """Split an amount in proportion to weights, none of them below 0; the parts add up to the amount.

    1. Each gets the whole units of amount x weight / sum of weights.
    2. The units that are left go one each to the largest remainders, among equals in the order of the keys as given.

    No part is above its weight where the amount is not above the sum of weights. An amount of 0 makes parts of 0.
    """
    if not amount:
        return dict.fromkeys(weights, 0)
    total = sum(weights.values())
    parts = {key: amount * weight // total for key, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda key: -(amount * weights[key] % total))
    for key in by_remainder[: amount - sum(parts.values())]:
        parts[key] += 1
    return parts
