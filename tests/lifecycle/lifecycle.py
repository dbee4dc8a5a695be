"""From orders to money: the rest of the machine."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.lifecycle.goods import UNDER_WAY, Line, Order, Receipt, Shipment, day_of
from tests.lifecycle.money import BANK, FEE, Account
from tests.lifecycle.trading import Trading

OUTCOMES = ("upheld", "rejected", "split")


class Lifecycle(Trading):
    """The whole life of a trade."""

    @precondition(lambda self: self.ways_forward())
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        """Steps in which all goes well, so that markets come to their end now and then."""
        for _ in range(3):
            self.step_forward(data)

    def ways_forward(self) -> list[Callable[..., None]]:
        paid_last = self.orders("delivered") or self.orders("in_transit")
        ways: list[tuple[object, Callable[..., None]]] = [
            (self.unloaded(), partial(self.load, whole=True, too_much=0)),
            (self.shipments("loading"), partial(self.dispatch, goes_on=True, per_mille=1000)),
            (self.shipments("in_transit"), self.bring),
            (self.unreceived(), partial(self.receive, by_buyer=False, late_g=0, much=2)),
            (self.unreceived(), partial(self.receive, by_buyer=True, late_g=0, much=1)),
            (self.disputable(), partial(self.dispute, by_buyer=False)),
            (self.disputed(), self.resolve),
            (self.something_is_due(), self.work),
            (paid_last, partial(self.pay_in, all_of_it=True)),
            (self.payees(), self.pay_everybody),
        ]
        return [*super().ways_forward(), *(step for apt, step in ways if apt)]

    # on the road

    def unloaded(self) -> list[tuple[Order, Line]]:
        orders = (order for order in self.goods.orders.values() if order.status in UNDER_WAY)
        return [(order, line) for order in orders for line in order.lines if line.left]

    @precondition(lambda self: self.unloaded())
    @rule(data=st.data(), whole=st.booleans(), too_much=st.sampled_from((0, 0, 0, 0, 1)))
    def load(self, data: st.DataObject, *, whole: bool, too_much: int) -> None:
        first, _ = self.pick(data, self.unloaded())
        to_hub = first.way.id is None
        fit = [(order, line) for order, line in self.unloaded() if (order.way.id is None) == to_hub]
        fit = [(order, line) for order, line in fit if to_hub or order.demand.party is first.demand.party]
        chosen = fit if whole else data.draw(st.lists(st.sampled_from(fit), min_size=1, max_size=3, unique=True))
        carried = [(o, line, line.left if whole else data.draw(st.integers(1, line.left))) for o, line in chosen]
        there = [way for way in self.goods.ways.values() if way.destination == first.demand.party.region]
        way = first.way if to_hub else data.draw(st.sampled_from([first.way, first.way, *there[:6]]))
        lines = [{"order_line_id": line.id, "quantity": quantity} for _, line, quantity in carried]
        lines[0]["quantity"] = max(carried[0][2], too_much * (carried[0][1].left + 1))
        moved = sum(quantity for order, _, quantity in carried if order.way != way)
        fine = not too_much and (to_hub or moved <= self.goods.room(way))
        told = self.ask("/shipments", fine=fine, departure_id=way.id, lines=lines)
        if fine:
            self.goods.shipments[told["id"]] = Shipment(told["id"], way, carried)
            for order, line, quantity in carried:
                line.loaded += quantity
                order.status = "scheduled" if order.status == "confirmed" else order.status
            self.reached["several orders in a shipment"] += len({order.id for order, _, _ in carried}) > 1
            self.reached["an order over several shipments"] += any(line.loaded > took for _, line, took in carried)

    def shipments(self, status: str) -> list[Shipment]:
        return [shipment for shipment in self.goods.shipments.values() if shipment.status == status]

    @precondition(lambda self: self.shipments("loading"))
    @rule(data=st.data(), goes_on=st.booleans(), per_mille=st.sampled_from((1000, 987, 1003, 500, 1500, 1501)))
    def dispatch(self, data: st.DataObject, *, goes_on: bool, per_mille: int) -> None:
        shipment = self.pick(data, self.shipments("loading"))
        for _, line, quantity in shipment.carried:
            shipment.weights[line.id] = quantity * self.goods.unit_weight_g * per_mille // 1000
        fine = 2 * per_mille <= 3 * 1000
        weights = [{"order_line_id": key, "net_weight_g": grams} for key, grams in shipment.weights.items()]
        self.ask(f"/shipments/{shipment.id}/dispatch", fine=fine, weights=weights)
        if not fine:
            return
        shipment.status = "in_transit"
        for order in shipment.orders.values():
            order.status = "in_transit" if order.status == "scheduled" else order.status
        if shipment.way.id is None:
            self.hand_over(shipment)
        elif goes_on:
            self.arrive(shipment)

    def hand_over(self, shipment: Shipment) -> None:
        """Where the buyer fetches, what is loaded is received at once."""
        shipment.status = "arrived"
        told = {one["order_id"]: one["id"] for one in self.market.get(f"/shipments/{shipment.id}")["receipts"]}
        for order in shipment.orders.values():
            net = sum(shipment.loaded(order).values())
            self.count(Receipt(told[order.id], shipment, order, net, 0, 0, self.now))

    def count(self, receipt: Receipt) -> None:
        """Count as received what the shipment brought of the order."""
        self.goods.receipts[receipt.id] = receipt
        for order, line, quantity in receipt.shipment.carried:
            line.received += quantity * (order is receipt.order)
        receipt.order.deliver_if_complete()

    @precondition(lambda self: self.shipments("in_transit"))
    @rule(data=st.data())
    def bring(self, data: st.DataObject) -> None:
        self.arrive(self.pick(data, self.shipments("in_transit")))

    def arrive(self, shipment: Shipment) -> None:
        self.ask(f"/shipments/{shipment.id}/arrive")
        shipment.status = "arrived"

    # receipts and disputes

    def unreceived(self) -> list[tuple[Shipment, Order]]:
        received = {(receipt.shipment, receipt.order) for receipt in self.goods.receipts.values()}
        brought = [(shipment, order) for shipment in self.shipments("arrived") for order in shipment.orders.values()]
        return [one for one in brought if one not in received]

    @precondition(lambda self: self.unreceived())
    @rule(
        data=st.data(), by_buyer=st.booleans(), late_g=st.sampled_from((0, 1)), much=st.sampled_from((0, 0, 1, 2, 100))
    )
    def receive(self, data: st.DataObject, *, by_buyer: bool, late_g: int, much: int) -> None:
        """Up to the tolerance, a gram beyond, twice as much, or nothing arrives in good order."""
        shipment, order = self.pick(data, self.unreceived())
        loaded = sum(shipment.loaded(order).values())
        lost = min(loaded, loaded * order.tolerance * min(much, 2) // 100 + late_g * bool(much))
        lost = loaded if much > 2 else lost
        broken = data.draw(st.integers(0, lost))
        refused = data.draw(st.integers(0, lost - broken))
        net = loaded - (lost - broken - refused)
        body = {"order_id": order.id, "net_weight_g": net, "broken_g": broken, "refused_g": refused, "reason": "x"}
        key = order.demand.party.key if by_buyer else None
        told = self.ask(f"/shipments/{shipment.id}/receipts", key=key, **body)
        receipt = Receipt(told["id"], shipment, order, net, broken, refused, self.now)
        self.count(receipt)
        if by_buyer:
            self.acknowledged(receipt)

    def acknowledged(self, receipt: Receipt) -> None:
        receipt.acknowledged = True
        if receipt.by_rule_g == receipt.loaded_g:
            receipt.make_final(receipt.loaded_g, self.now)

    def unfinished(self) -> list[Receipt]:
        return [receipt for receipt in self.goods.receipts.values() if receipt.final_at is None]

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        receipt = self.pick(data, self.unfinished())
        fine = not receipt.acknowledged and receipt.dispute is None
        self.ask(f"/receipts/{receipt.id}/acknowledge", fine=fine)
        if fine:
            self.acknowledged(receipt)

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data(), by_buyer=st.booleans())
    def dispute(self, data: st.DataObject, *, by_buyer: bool) -> None:
        receipt = self.pick(data, self.unfinished())
        party = receipt.order.demand.party if by_buyer else receipt.sellers[0]
        fine = receipt.disputable(self.now + timedelta(seconds=1), by_buyer=by_buyer)
        body = {"receipt_id": receipt.id, "organization": party.id, "note": "x"}
        told = self.ask(f"/orders/{receipt.order.id}/disputes", fine=fine, **body)
        if fine:
            receipt.dispute = told["id"]

    def disputable(self) -> list[Receipt]:
        return [receipt for receipt in self.unfinished() if not receipt.dispute]

    def disputed(self) -> list[Receipt]:
        return [receipt for receipt in self.unfinished() if receipt.dispute]

    @precondition(lambda self: self.disputed())
    @rule(data=st.data())
    def resolve(self, data: st.DataObject) -> None:
        receipt, outcome = self.pick(data, self.disputed()), data.draw(st.sampled_from(OUTCOMES))
        stated = data.draw(st.integers(0, receipt.loaded_g)) if outcome == "split" else None
        body = {"outcome": outcome} | ({} if stated is None else {"payable_g": stated})
        answer = self.market.ask("PATCH", f"/disputes/{receipt.dispute}", version=1, **body)
        assert answer.is_success, answer.text
        self.reached[f"dispute {outcome}"] += 1
        # upheld is the opposite of what the rule says
        opposite = (
            receipt.loaded_g if receipt.by_rule_g < receipt.loaded_g else min(receipt.accepted_g, receipt.loaded_g)
        )
        payable = {"upheld": opposite, "rejected": receipt.by_rule_g, "split": stated}[outcome]
        receipt.make_final(payable, self.now)

    # time

    @rule(hours=st.sampled_from((3, 12, 25, 49)))
    def time_passes(self, hours: int) -> None:
        self.market.hours_pass(hours)

    def something_is_due(self) -> bool:
        """Whether a round of the worker has something to do, by the model."""
        late = any(not self.now < match.expires for match in self.proposals())
        over = any(not one.closed and one.last < day_of(self.now) for one in self.goods.postings.values())
        receipts = self.goods.receipts.values()
        return late or over or bool(self.money.paid_ahead()) or any(not receipt.billed for receipt in receipts)

    @precondition(lambda self: self.something_is_due())
    @rule(data=st.data())
    def work(self, data: st.DataObject) -> None:  # noqa: ARG002 - as every other step
        """One round of the worker."""
        self.market.work(self.money.fee_permille)
        due = [
            match for match in self.goods.matches.values() if match.status == "proposed" and match.expires <= self.now
        ]
        self.goods.end(due, "lapsed")
        for posting in self.goods.postings.values():
            if posting.last < day_of(self.now):
                posting.closed = posting.closed or "expired"
        for receipt in sorted(self.unfinished(), key=lambda one: one.id):
            if self.now >= receipt.at + timedelta(hours=24) and not receipt.dispute:
                receipt.make_final(receipt.by_rule_g, self.now)
        final = [one for one in self.goods.receipts.values() if one.final_at and not one.billed]
        for receipt in sorted(final, key=lambda one: (one.final_at, one.id)):
            self.money.bill(receipt)
        self.money.finish(self.money.paid_ahead())
        self.money.settle(self.goods.orders.values())

    # money

    @precondition(lambda self: self.goods.orders)
    @rule(data=st.data(), all_of_it=st.booleans())
    def pay_in(self, data: st.DataObject, *, all_of_it: bool) -> None:
        """One payment for none, one or several orders: what is open, less or more."""
        order = self.pick(data, self.goods.orders.values())
        buyer: Account = ("buyer", order.demand.party.id)
        own = [one for one in self.goods.orders.values() if one.demand.party is order.demand.party]
        named = data.draw(st.lists(st.sampled_from(own), max_size=3, unique=True))
        open_idr = sum(max(0, self.money.still_open(one)) for one in named)
        amount = open_idr if all_of_it and open_idr else data.draw(st.integers(1, max(2, 2 * order.value)))
        fine = all(one.status != "cancelled" for one in named)
        body = {"organization": buyer[1], "amount_idr": amount, "orders": [one.id for one in named]}
        self.ask("/payments", fine=fine, **body)
        if fine:
            self.money.pay_in(buyer, amount, named)
            self.reached["one payment for several orders"] += len(named) > 1

    def payees(self) -> list[Account]:
        return [one for one in self.money.owed if one not in (BANK, FEE) and self.money.payable(one)]

    @precondition(lambda self: self.payees())
    @rule(data=st.data(), too_much=st.booleans())
    def pay_a_part(self, data: st.DataObject, *, too_much: bool) -> None:
        account = self.pick(data, self.payees())
        due = self.money.payable(account)
        self.pay_out(account, due + 1 if too_much else data.draw(st.integers(1, due)), fine=not too_much)

    def pay_everybody(self, data: st.DataObject) -> None:  # noqa: ARG002 - as every other step
        for account in self.payees():
            self.pay_out(account, self.money.payable(account))

    def pay_out(self, account: Account, amount: int, *, fine: bool = True) -> None:
        key = self.market.accounts()[account]
        self.ask("/payments", fine=fine, direction="out", account=key, amount_idr=amount)
        if fine:
            self.money.pay_out(account, amount)
