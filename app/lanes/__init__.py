"""How it travels: lanes from the hub to a city, and their departures.

Words: lane, departure, closure. Invariants: one departure is one day's capacity; it closes at the end of `closes_on`;
what is booked never exceeds its capacity, and its capacity never goes below what is booked.
"""
