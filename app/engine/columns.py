"""Records as columns, and what joins columns: many rows at once, none by itself."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from app.engine.compiled import Bools, Ints

#: bits of a day, a grade or days of life: the door lets none in that is longer
VALUE_BITS = 23


def ints(rows: Sequence[Any], name: str) -> Ints:
    """Return one attribute of all rows, whole numbers or truth values, shape (rows,)."""
    return np.fromiter(map(attrgetter(name), rows), np.int64, len(rows))


def codes(rows: Sequence[Any], name: str, number: Mapping[str, int]) -> Ints:
    """Return the numbers of a text attribute of all rows, shape (rows,)."""
    return np.fromiter(map(number.__getitem__, map(attrgetter(name), rows)), np.int64, len(rows))


def pack(*columns: Ints) -> Ints:
    """Return one number for each row of the columns: equal where all columns are, and in their order; spans below 2^62.

    Each column is a digit in mixed radix; where that would not fit into 62 bits, ranks take the place of figures.
    """
    key, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        digit = column - column.min() if len(column) else column
        span = int(digit.max(initial=0)) + 1
        if size * span >= 2**62:
            key, digit = (np.unique(digits, return_inverse=True)[1] for digits in (key, digit))
            size, span = (int(digits.max(initial=0)) + 1 for digits in (key, digit))
        key, size = key * span + digit, size * span
    return key


def under(group: Ints, value: Ints) -> Ints:
    """Return one number for each value (a day, a grade, days of life) under its group: sorted by group, then value."""
    return (group << VALUE_BITS) | value


def group_of(key: Ints) -> Ints:
    """Return the groups of numbers made by `under`."""
    return key >> VALUE_BITS


def value_of(key: Ints) -> Ints:
    """Return the values of numbers made by `under`."""
    return key & ((1 << VALUE_BITS) - 1)


def at_least(keys: Ints, group: Ints, value: Ints) -> tuple[Ints, Bools]:
    """Return the place of the first key of a group with at least a value, and whether there is one; keys are sorted."""
    place = np.searchsorted(keys, under(group, value))
    there = place < len(keys)
    there[there] = group_of(keys[place[there]]) == group[there]
    return place, there


def members(start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Return every (range, member) of the ranges start .. end - 1, in their order."""
    count = end - start
    which = np.repeat(np.arange(len(start)), count)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(count) - count - start, count)


def meeting(wanted: Ints, group: Ints) -> tuple[Ints, Ints]:
    """Return every (place in `wanted`, place in `group`) of equal values; `group` is sorted."""
    return members(np.searchsorted(group, wanted), np.searchsorted(group, wanted, side="right"))
