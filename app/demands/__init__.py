"""Wanted: what buyers in the cities need, by when, how fresh, and the most they pay.

Words: demand (kebutuhan), limit, franco (delivered), loco (fetched at the hub). Invariants: a limit is for its owner
and the hub only; patch, withdrawal and expiry touch only the open part; package prices round down to whole rupiah per
base unit.
"""
