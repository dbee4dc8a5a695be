"""The opening scenario: Blitar's producers and the cities that buy, loaded into an empty database and cleared.

Words: scenario. Invariants: loaded once, only where no organisation exists; all parties are examples.
"""
