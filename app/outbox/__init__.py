"""What happened, written with the change that made it happen.

Words: event, subject, actor (who acted), principal (for whom). Invariants: an event is recorded in the transaction
of its change; the events of a subject, in order, are its history.
"""
