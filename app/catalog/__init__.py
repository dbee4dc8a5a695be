"""What is traded: commodities with grades and units, price references, and what households need.

Words: commodity, grade, unit, price reference. Invariants: grade rank 1 is best; a unit that is not fixed is a trade
habit, a listing may state its own package weight; references mark prices, they never block.
"""
