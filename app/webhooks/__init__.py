"""Webhooks: tell others what happened, signed, until they have it.

Words: endpoint (where an organisation wants to be told), delivery (one event for one endpoint), attempt. Invariants: an
event that an endpoint wants is one delivery; a delivery ends delivered or, after ten attempts, failed; no connection
leads inside; no endpoint waits for another.
"""
