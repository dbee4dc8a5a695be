"""Market clearing: whole numbers in, whole numbers out.

Words: market, pool, order, departure, clearing. Invariants: pure and synchronous; no clock, no randomness, and
no float that decides anything. The model is told in docs/engine.md. In reading order:

model       what goes in and what comes out
clear       the one door: seven steps from market to clearing
serve       the engine as a process, asked over pipes
door        what is refused because whole numbers could not hold it
canonical   canonical order and bytes, for replay
pairs       the hard rules of one listing, one way, one demand
columns     records as columns, and what joins columns
book        orders that the network cannot tell apart, and the legs on which goods may travel
ground      every way that goods may take, kept between clearings
network     the compact network: orders on their ground, one market node
question    a flow question between bounds, with rows
compiled    kernels: machine code where numba is installed
pivots      one pivot of the network simplex
curves      how much is injected at a node at which price, level by level
simplex     the network simplex: priced nodes with piecewise-linear curves, warm restarts
bands       large books: a histogram, a band, and a look at all orders
reclear     for other users of the simplex: a few changed orders of many, dealt and proven anew where something changed
flows       optimal whole flows of a network, by the simplex
memory      the last state of each pool, to start from
highs       a library's solver, for rows and where numba is not installed
exact       whole-number repair and proof of what the library says
rows        prices on the rows of shared departures, over the network simplex
allot       whole units on shared departures, what is left given away
joint       departures that several arcs or pools share
ties        the order of posting, then of arrival
fills       smallest fills: branch and bound
prices      which prices a flow allows, and what is published
coupled     for other users, too: zones with offers and bids, coupled by lines
components  the whole market, pools joined where they must be
claim       what a result claims
trades      every trade that the rules allow, straight from the market
audit       whether it holds
parcels     a flow cut into parcels, each from one offer to one request
matches     from parcels to matches and prices
standing    where every order stands afterwards
cells       the other side of the market, summed up for one need
reasons     why quantity is left over
"""
