"""Acts on what the engine decides: snapshot, clear, audit, record; then both sides confirm.

Words: clearing run (pencocokan), match (usulan, then kesepakatan), unmatched, options, outlook, quote. Invariants: a
run is recorded whole or not at all, from a snapshot that still stood when it was written; nothing is recorded that
the audit refused; a proposal keeps its terms; what is declined or lapses returns in the same transaction.
"""
