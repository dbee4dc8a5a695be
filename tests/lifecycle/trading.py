"""From posts to orders: each rule asks the hub, does the same in the model; both are compared after each step."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.lifecycle.goods import (
    UNDER_WAY,
    Goods,
    Line,
    Match,
    Order,
    Party,
    Posting,
    Way,
    day_of,
)
from tests.lifecycle.market import Market
from tests.lifecycle.money import Money

T = TypeVar("T")
SIDES = ("listing", "demand")
#: commodity -> grams of a base unit, unit, grade
COMMODITIES = {"melon": (1000, "kg", "A"), "kendang-jimbe": (3000, "pcs", "M")}
REFUSED = (409, 422)
#: posts of which one may be withdrawn: earlier it would end what has hardly begun
MANY = 6


class Trading(RuleBasedStateMachine):
    """One market from its first post on. What a rule may not do, it tries too: then nothing moves."""

    def __init__(self, market: Market, reached: Counter[str]) -> None:
        super().__init__()
        self.market, self.reached = market, reached
        market.begin()

    def teardown(self) -> None:
        """Compare what is told, count what was reached, leave no trace."""
        try:
            if hasattr(self, "money"):
                self.market.compare_answers(self.goods, self.money)
                self.reached.update(f"order {order.status}" for order in self.goods.orders.values())
                self.reached.update(f"match {match.status}" for match in self.goods.matches.values())
                self.reached["set-off"] += self.money.set_offs
        finally:
            self.market.forget()

    @initialize(data=st.data(), commodity=st.sampled_from(sorted(COMMODITIES)), fee=st.sampled_from((0, 7)))
    def open_market(self, data: st.DataObject, commodity: str, fee: int) -> None:
        """Begin with a need, stock for it and deals, some of them on their way: every rule soon has what to act on."""
        self.commodity, (weight, self.unit, self.grade) = commodity, COMMODITIES[commodity]
        self.goods = Goods(weight, self.market.ways())
        self.money = Money(self.goods, fee_permille=fee, account_id=lambda account: self.market.accounts()[account])
        self.need(data, quantity=data.draw(st.integers(200, 600)), price=20_000, whole=False)
        self.offer(data, quantity=data.draw(st.integers(200, 600)), price=1_000, whole=False)
        for _ in range(2):
            self.deal(data, data.draw(st.integers(100, 9_000)), 1)
        for _ in range(data.draw(st.sampled_from((0, 9, 18)))):
            self.step_forward(data)

    @property
    def now(self) -> datetime:
        return self.market.api.clock.now()

    @invariant()
    def everything_adds_up(self) -> None:
        if hasattr(self, "money"):
            self.market.compare(self.goods, self.money)

    def ask(self, path: str, *, fine: bool = True, key: str | None = None, **body: Any) -> Any:
        """Post what must succeed, or must be refused; return the answer of what succeeded."""
        # no two steps at the same instant: payments are taken in the order of time
        self.market.hours_pass(1 / 3600)
        answer = self.market.ask("POST", path, key=key, **body)
        assert answer.is_success if fine else answer.status_code in REFUSED, (fine, answer.status_code, answer.text)
        self.reached[f"{path.rpartition('/')[2]} {'done' if fine else 'refused'}"] += 1
        return answer.json()

    def parties(self, role: str) -> list[Party]:
        return [party for party in self.market.people if (party.region in ("32.76", "35.78")) == (role == "buyer")]

    # posts

    def few_open(self, side: str) -> bool:
        return sum(1 for one in self.goods.postings.values() if one.side == side and self.goods.open(one)) < 3

    @precondition(lambda self: self.few_open("listing"))
    @rule(data=st.data(), quantity=st.integers(1, 600), price=st.integers(100, 9_000), whole=st.booleans())
    def offer(self, data: st.DataObject, *, quantity: int, price: int, whole: bool) -> None:
        party = data.draw(st.sampled_from(self.parties("producer")))
        self.post("listing", party, quantity, price, quantity if whole else 1)

    @precondition(lambda self: self.few_open("demand"))
    @rule(data=st.data(), quantity=st.integers(1, 600), price=st.integers(4_000, 20_000), whole=st.booleans())
    def need(self, data: st.DataObject, *, quantity: int, price: int, whole: bool) -> None:
        party = data.draw(st.sampled_from(self.parties("buyer")))
        delivery = data.draw(st.sampled_from(("franco", "franco", "franco", "loco")))
        self.post("demand", party, quantity, price, quantity if whole else 1, delivery=delivery)

    def post(self, side: str, party: Party, quantity: int, price: int, least: int, delivery: str = "franco") -> Posting:
        today = day_of(self.now)
        first, last = today + timedelta(days=side == "demand"), today + timedelta(days=6)
        body: dict[str, Any] = {"commodity": self.commodity, "quantity": quantity, "unit": self.unit}
        body |= {"organization": party.id, "min_quantity": least}
        if side == "listing":
            body |= {"grade": self.grade, "price_idr": price, "available_until": str(last)}
        else:
            body |= {"min_grade": self.grade, "max_price_idr": price, "deliver_by": str(last), "delivery": delivery}
        told = self.ask(f"/{side}s", **body)
        posting = Posting(told["id"], side, party, quantity, least, price, first, last, delivery)
        self.goods.postings[posting.id] = posting
        return posting

    @precondition(lambda self: len(self.goods.postings) > MANY)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        live = [posting for posting in self.goods.postings.values() if not posting.closed]
        posting = self.pick(data, [*live, *self.goods.postings.values()])
        self.ask(f"/{posting.side}s/{posting.id}/withdraw", fine=not posting.closed)
        posting.closed = posting.closed or "withdrawn"

    # matches

    @precondition(lambda self: {one.side for one in self.goods.postings.values() if self.goods.open(one)} == set(SIDES))
    @rule()
    def clear(self) -> None:
        open_before = {key: self.goods.open(posting) for key, posting in self.goods.postings.items()}
        run = self.ask("/clearing-runs", commodities=[self.commodity])
        for row in self.market.get(f"/clearing-runs/{run['id']}/matches?limit=200")["items"]:
            self.take_in(row, open_before)
        assert all(self.goods.open(posting) >= 0 for posting in self.goods.postings.values())

    def take_in(self, row: dict[str, Any], open_before: dict[str, int]) -> None:
        """Believe a proposal once it keeps the rules."""
        listing, demand = (self.goods.postings[row[f"{side}_id"]] for side in SIDES)
        way = self.goods.way(row["departure_id"], datetime.fromisoformat(row["departs_on"]).date())
        prices = self.goods.prices(listing, way, row["producer_price_idr"], row["scarcity_idr"])
        leasts = tuple(min(posting.least, open_before[posting.id]) for posting in (listing, demand))
        expires = self.goods.expiry(way, self.now)
        match = Match(row["id"], row["run_id"], listing, demand, way, row["quantity"], prices, expires, leasts)
        assert datetime.fromisoformat(row["expires_at"]).astimezone(UTC) == expires
        assert listing.price <= prices.producer
        assert prices.delivered == row["delivered_price_idr"] <= demand.price
        assert self.goods.usable(way, self.now)
        assert self.goods.fits(listing, demand, way)
        self.goods.matches[match.id] = match

    def proposals(self) -> list[Match]:
        return [match for match in self.goods.matches.values() if match.status == "proposed"]

    @precondition(lambda self: self.proposals())
    @rule(data=st.data(), both=st.booleans())
    def confirm(self, data: st.DataObject, *, both: bool) -> None:
        match = self.pick(data, self.proposals())
        side = data.draw(st.sampled_from(SIDES))
        for one in SIDES if both else (side,):
            self.confirm_side(match, one)

    @precondition(lambda self: self.proposals())
    @rule(data=st.data())
    def confirm_less(self, data: st.DataObject) -> None:
        match = self.pick(data, self.proposals())
        quantity = data.draw(st.integers(1, match.quantity))
        self.confirm_side(match, data.draw(st.sampled_from(SIDES)), quantity)

    def confirm_side(self, match: Match, side: str, quantity: int | None = None) -> None:
        takes = match.quantity if quantity is None else quantity
        changes = {} if quantity is None else {"quantity": quantity}
        fine = match.answerable(self.now) and self.goods.filled(match, takes)
        self.ask(f"/matches/{match.id}/confirm", fine=fine, side=side, **changes)
        if fine:
            match.quantity = takes
            match.confirmed.add(side)
            if len(match.confirmed) == len(SIDES):
                match.status = "confirmed"
                self.take_up(match)

    def take_up(self, match: Match) -> None:
        """A confirmed match is a line of the order of its demand and departure."""
        ((line_id, order_id, number),) = self.market.rows(
            "SELECT l.id::text, o.id::text, o.number FROM order_lines l JOIN orders o ON o.id = l.order_id"
            " WHERE l.match_id = :match",
            match=match.id,
        )
        order = self.goods.joins(match) or Order(order_id, number, match.demand, match.way, "clearing")
        assert order.id == order_id
        order.lines.append(Line(line_id, match.listing, match.quantity, match.prices))
        self.goods.orders[order.id] = order

    @precondition(lambda self: self.proposals())
    @rule(data=st.data(), side=st.sampled_from(SIDES), take_out=st.booleans())
    def decline(self, data: st.DataObject, *, side: str, take_out: bool) -> None:
        match = self.pick(data, self.proposals())
        fine = match.answerable(self.now)
        self.ask(f"/matches/{match.id}/decline", fine=fine, side=side, withdraw=take_out)
        if fine:
            match.posting(side).taken_out += match.quantity * take_out
            self.goods.end([match], "declined")

    @precondition(lambda self: self.proposals())
    @rule(data=st.data(), side=st.sampled_from(SIDES), price=st.integers(1, 20_000) | st.none(), more=st.booleans())
    def counter(self, data: st.DataObject, *, side: str, price: int | None, more: bool) -> None:
        match = self.pick(data, self.proposals())
        quantity = data.draw(st.integers(1, match.quantity * 2)) if more else match.quantity
        ways = [way for way in self.goods.ways.values() if self.goods.usable(way, self.now)]
        ways = [way for way in ways if self.goods.fits(match.listing, match.demand, way)] or [match.way]
        way = data.draw(st.sampled_from([match.way, *ways[:3]]))
        offer = self.goods.offered(match, side, price or match.prices.producer, quantity, way)
        asked = {"quantity": quantity, "producer_price_idr": price, "departure_id": way.id, "side": side}
        nothing_new = (offer.quantity, offer.way, offer.prices) == (match.quantity, match.way, match.prices)
        may = match.answerable(self.now) and side not in match.confirmed and match.offer is None
        fine = may and not nothing_new and self.goods.filled(match, quantity)
        self.ask(f"/matches/{match.id}/counter-offer", fine=fine, **{k: v for k, v in asked.items() if v is not None})
        if fine:
            match.offer = offer

    @precondition(lambda self: any(match.offer for match in self.proposals()))
    @rule(data=st.data(), side=st.sampled_from(SIDES), takes=st.booleans())
    def answer_counter(self, data: st.DataObject, *, side: str, takes: bool) -> None:
        match = self.pick(data, [match for match in self.proposals() if match.offer])
        fine = match.answerable(self.now) and match.offer.status == "open" and match.offer.side != side
        if fine and takes:
            fine = self.goods.accept_offer(match)
        elif fine:
            match.offer.status = "declined"
        self.ask(f"/matches/{match.id}/counter-offer/{'accept' if takes else 'decline'}", fine=fine, side=side)
        if fine and takes:
            self.take_up(match)

    # orders

    @rule(data=st.data(), price=st.integers(100, 9_000), tolerance=st.sampled_from((0, 1, 5)))
    def deal(self, data: st.DataObject, price: int, tolerance: int) -> None:
        demand = data.draw(st.sampled_from([None, *self.postings("demand")]))
        buyer = demand.party if demand else data.draw(st.sampled_from(self.parties("buyer")))
        way = data.draw(st.sampled_from(self.deal_ways(demand, buyer)))
        terms = data.draw(st.sampled_from(("cash", "net_7", "net_30")))
        sold = [self.draw_sold(data) for _ in range(data.draw(st.integers(1, 2)))]
        body: dict[str, Any] = {"payment_terms": terms, "tolerance_percent": tolerance}
        body |= {"demand_id": demand.id} if demand else {"buyer": buyer.id, "commodity": self.commodity}
        body |= {"departure_id": way.id} if way.id else {"on": str(way.departs)}
        body["lines"] = [{**line, "producer_price_idr": price} for _, _, line in sold]
        fine = self.deal_fits(demand, way, sold)
        told = self.ask("/orders", fine=fine, **body)
        if fine:
            self.record(told, demand, buyer, way, sold, tolerance, terms)

    def postings(self, side: str) -> list[Posting]:
        return [posting for posting in self.goods.postings.values() if posting.side == side]

    def deal_ways(self, demand: Posting | None, buyer: Party) -> list[Way]:
        tomorrow = self.goods.way(None, day_of(self.now) + timedelta(days=1))
        ways = [way for way in self.goods.ways.values() if self.goods.usable(way, self.now)]
        there = [way for way in ways if way.destination == buyer.region][:4]
        return there if demand and demand.delivery == "franco" else [*there, tomorrow]

    def draw_sold(self, data: st.DataObject) -> tuple[Posting | Party, int, dict[str, Any]]:
        listing = data.draw(st.sampled_from([None, None, *self.postings("listing")]))
        if listing is None:
            party, quantity = data.draw(st.sampled_from(self.parties("producer"))), data.draw(st.integers(1, 600))
            return party, quantity, {"producer": party.id, "grade": self.grade, "quantity": quantity}
        quantity = data.draw(st.integers(1, max(1, self.goods.open(listing))))
        return listing, quantity, {"listing_id": listing.id, "quantity": quantity}

    def deal_fits(self, demand: Posting | None, way: Way, sold: Sequence[tuple[Posting | Party, int, Any]]) -> bool:
        total = sum(quantity for _, quantity, _ in sold)
        stock: Counter[Posting] = Counter()
        for seller, quantity, _ in sold:
            if isinstance(seller, Posting):
                stock[seller] += quantity
                if not seller.first <= way.departs <= seller.last:
                    return False
        if demand and not (self.place_and_days(demand, way) and total <= self.goods.open(demand)):
            return False
        return total <= self.goods.room(way) and all(taken <= self.goods.open(one) for one, taken in stock.items())

    def place_and_days(self, demand: Posting, way: Way) -> bool:
        ever = Posting("", "listing", demand.party, 1, 1, 1, way.departs, way.departs)
        return self.goods.fits(ever, demand, way)

    def record(
        self,
        told: dict[str, Any],
        demand: Posting | None,
        buyer: Party,
        way: Way,
        sold: Sequence[tuple[Posting | Party, int, Any]],
        tolerance: int,
        terms: str,
    ) -> None:
        """Take in an order, and what was posted with it."""
        total, price = sum(quantity for _, quantity, _ in sold), told["lines"][0]["producer_price_idr"]
        if demand is None:
            delivery, limit = "franco" if way.id else "loco", max(one["delivered_price_idr"] for one in told["lines"])
            demand = Posting(told["demand_id"], "demand", buyer, total, 1, limit, way.arrives, way.arrives, delivery)
            self.goods.postings[demand.id] = demand
        order = Order(told["id"], told["number"], demand, way, "deal", tolerance, terms)
        for (seller, quantity, _), line in zip(sold, self.in_order(told["lines"], sold), strict=True):
            listing = seller
            if isinstance(seller, Party):
                listing = Posting(line["listing_id"], "listing", seller, quantity, 1, price, way.departs, way.departs)
                self.goods.postings[listing.id] = listing
            order.lines.append(Line(line["id"], listing, quantity, self.goods.prices(listing, way, price)))
        self.goods.orders[order.id] = order

    def in_order(self, lines: list[dict[str, Any]], sold: Sequence[tuple[Posting | Party, int, Any]]) -> Iterable[Any]:
        """The lines of an answer in the order in which they were asked for."""
        left = list(lines)
        for seller, quantity, _ in sold:
            key = seller.id
            line = next(o for o in left if o["quantity"] == quantity and key in (o["listing_id"], o["producer"]["id"]))
            left.remove(line)
            yield line

    def orders(self, *statuses: str) -> list[Order]:
        return [order for order in self.goods.orders.values() if order.status in statuses]

    @precondition(lambda self: self.orders(*UNDER_WAY))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        order = self.pick(data, [*self.orders(*UNDER_WAY), *self.goods.orders.values()])
        parties = {order.demand.party.id: order.demand.party} | {
            o.listing.party.id: o.listing.party for o in order.lines
        }
        who = data.draw(st.sampled_from([None, *parties.values()]))
        itself = who is not None and data.draw(st.booleans())
        everything = who is None or who is order.demand.party
        dropped = [o for o in order.lines if o.left and (everything or o.listing.party is who)]
        fine = bool(dropped) and order.status in (("confirmed",) if itself else UNDER_WAY)
        body = {"reason": "x"} | ({"organization": who.id} if who and not itself else {})
        self.ask(f"/orders/{order.id}/cancel", fine=fine, key=who.key if itself else None, **body)
        if fine and sum(o.quantity for o in order.lines) == sum(o.left for o in dropped):
            order.status = "cancelled"
        elif fine:
            for one in dropped:
                one.quantity = one.loaded
            order.deliver_if_complete()

    def ways_forward(self) -> list[Callable[..., None]]:
        """What can go well next; the rest of the machine adds to it."""
        return [partial(self.confirm, both=True)] if self.proposals() else []

    def step_forward(self, data: st.DataObject) -> None:
        if ways := self.ways_forward():
            self.pick(data, ways)(data)

    def pick(self, data: st.DataObject, found: Iterable[T]) -> T:
        return data.draw(st.sampled_from(list(found)))
