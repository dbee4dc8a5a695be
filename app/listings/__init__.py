"""Offered: what producers have, when it can leave, and the least they ask for it.

Words: listing (stok), ask, best before. Invariants: an ask is for its owner and the hub only; patch, withdrawal and
expiry touch only the open part; package prices round up to whole rupiah per base unit.
"""
