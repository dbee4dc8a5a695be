"""Numbers for everybody: what is offered, needed, matched and moved, and at which prices.

Words: balance, flow, service level, benefit. Invariants: read-only; sums by commodity, region and day, never a party.
"""
