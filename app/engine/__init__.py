"""Market clearing: whole numbers in, whole numbers out.

Words: market, pool, order, departure, clearing. Invariants: pure and synchronous; no clock, no randomness, and
no float that decides anything. `model` says what goes in and what comes out, `clear` decides, `audit` checks.
"""
