"""Who: organisations, and the keys they use.

Words: organisation, role, kind, API key. Invariants: an organisation has one role; a key is stored as prefix and hash,
shown once, revoked at once; a suspended organisation's keys open nothing.
"""
