"""Whose quantity it is at every instant: open, proposed, ordered or withdrawn.

Words: allocation (a step that moves quantity), ledger (all of them), posting (a listing or a demand).
Invariants: quantity = open + proposed + ordered + withdrawn; the ledger is append-only and the truth, the counters
beside it make the CHECK possible, an invariant view proves that they agree; what returns to a closed posting becomes
withdrawn.
"""
