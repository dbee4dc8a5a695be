"""What both sides confirmed, or a deal the desk recorded, until it is delivered and paid.

Words: order (pesanan), line (one producer's part of it), deal (agreed by word or telephone), tolerance, payment terms.
Invariants: the matches of one demand on one departure are one order with a line per match; a line is received no
further than it is loaded, and loaded no further than it is ordered; a posting's ordered quantity is the sum of its
lines in orders that were not cancelled; an order is cancelled as a whole only while nothing of it is loaded.
"""
