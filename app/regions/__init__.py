"""Where: cities and regencies, the hub that gathers their supply, and the agreements that open trade.

Words: hub, region, agreement. Invariants: a producing region belongs to a hub; a part of a city trades as its
parent; only an agreement that is in force opens a region, between its days, for all or some commodities.
"""
