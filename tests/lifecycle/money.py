"""A small model of the money: bills, payments, set-offs and shares as docs/settlement.md tells them.

An account is named by its kind and whose it is; what it owes is kept by order, under None what is for no order yet.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from fractions import Fraction
from math import floor

from tests.lifecycle.goods import Goods, Line, Order, Receipt, apportioned, day_of

Account = tuple[str, str | None]
BANK: Account = ("bank", None)
FEE: Account = ("hub_fee", None)
DAYS = {"cash": 0, "net_7": 7, "net_30": 30}


def rounded(amount: Fraction) -> int:
    """Half a rupiah counts as one."""
    return floor(amount + Fraction(1, 2))


class Money:
    """What everybody owes."""

    def __init__(self, goods: Goods, *, fee_permille: int, account_id: Callable[[Account], str]) -> None:
        self.goods, self.fee_permille, self.account_id = goods, fee_permille, account_id
        self.owed: dict[Account, Counter[str | None]] = defaultdict(Counter)
        #: by order
        self.bills: dict[str, list[tuple[date, int]]] = defaultdict(list)
        self.dues: dict[str, Counter[Account]] = defaultdict(Counter)
        self.shared: dict[str, Counter[Account]] = defaultdict(Counter)
        #: by order, then by payment in the order in which they came; below 0 what was given back
        self.paid: dict[str, Counter[int]] = defaultdict(Counter)
        self.spent: dict[str, Counter[int]] = defaultdict(Counter)
        self.payments = 0
        self.set_offs = 0

    def transfer(self, debit: Account, credit: Account, amount: int, order: str | None) -> None:
        self.owed[debit][order] += amount
        self.owed[credit][order] -= amount

    def billed(self, order: Order) -> int:
        return sum(amount for _, amount in self.bills[order.id])

    def by_due(self, account: Account) -> list[tuple[str, int]]:
        """What an account owes by order, the first due first."""
        found = [(order, owes) for order, owes in self.owed[account].items() if order and owes]
        return sorted(found, key=lambda item: self._due(item[0]))

    def _due(self, order: str) -> tuple[date, str]:
        return min((day for day, _ in self.bills[order]), default=date.max), self.goods.orders[order].number

    def bill(self, receipt: Receipt) -> None:
        order = receipt.order
        buyer: Account = ("buyer", order.demand.party.id)
        before = self.owed[buyer][order.id]
        producers: dict[Account, None] = {}
        for line in order.lines:
            if line.id in receipt.loaded:
                self._bill_line(receipt, line)
                producers["producer", line.listing.party.id] = None
        due = day_of(receipt.at) + timedelta(days=DAYS[order.terms])
        self.bills[order.id].append((due, self.owed[buyer][order.id] - before))
        receipt.billed = True
        touched = {order.id} | self._meet(buyer)
        for producer in producers:
            touched |= self._meet(producer)
        self.finish(touched)

    def _bill_line(self, receipt: Receipt, line: Line) -> None:
        order, loaded_g, payable_g = receipt.order, receipt.loaded[line.id], receipt.payable[line.id]

        def cost(grams: int, price: int) -> int:
            return rounded(Fraction(grams * price, self.goods.unit_weight_g))

        def owe(debit: Account, credit: Account, amount: int) -> None:
            self.transfer(debit, credit, amount, order.id)
            for account, sign in ((debit, -1), (credit, 1)):
                if account != buyer:
                    self.dues[order.id][account] += sign * amount

        buyer: Account = ("buyer", order.demand.party.id)
        producer: Account = ("producer", line.listing.party.id)
        goods = cost(payable_g, line.prices.producer)
        owe(buyer, producer, goods + cost(payable_g, line.prices.scarcity))
        for payee, price in (
            (("collection", line.listing.party.region), line.prices.collection),
            (("carrier", receipt.shipment.way.lane), line.prices.freight),
        ):
            by_buyer = cost(payable_g, price)
            owe(buyer, payee, by_buyer)
            owe(producer, payee, cost(loaded_g, price) - by_buyer)
        owe(producer, FEE, rounded(Fraction(goods * self.fee_permille, 1000)))

    def _meet(self, account: Account) -> set[str]:
        """Let what an account is owed meet what it owes; of a buyer only its credit is free."""
        owes = [(order, amount) for order, amount in self.by_due(account) if amount > 0]
        if account[0] == "buyer":
            owed_to: list[tuple[str | None, int]] = [(None, -self.owed[account][None])]
        else:
            owed_to = [(order, -amount) for order, amount in self.by_due(account) if amount < 0]
        amount = min(sum(part for _, part in owed_to), sum(part for _, part in owes))
        return self._set_off(account, spent(amount, owed_to), spent(amount, owes)) if amount > 0 else set()

    def _set_off(self, account: Account, out: dict[str | None, int], into: dict[str | None, int]) -> set[str]:
        self.payments += 1
        self.set_offs += 1
        for parts, sign in ((out, 1), (into, -1)):
            for order, part in parts.items():
                self._move(account, order, sign * part)
        return {order for order in (*out, *into) if order}

    def _move(self, account: Account, order: str | None, amount: int) -> None:
        """Let an account owe more, or less, through the bank."""
        self.transfer(account, BANK, amount, order)
        if order and account[0] == "buyer":
            self.paid[order][self.payments] -= amount

    def pay_in(self, buyer: Account, amount: int, named: list[Order]) -> None:
        expected = {order.id: max(0, self.still_open(order)) for order in named}
        others = [(order, owes) for order, owes in self.by_due(buyer) if order not in expected]
        parts = spent(amount, [*expected.items(), *others])
        self.payments += 1
        for order, part in parts.items():
            self._move(buyer, order, -part)
        if sum(parts.values()) < amount:
            self._move(buyer, None, sum(parts.values()) - amount)
        self.finish(order for order in parts if order)

    def still_open(self, order: Order) -> int:
        """What an order still takes: its bills or, while more may come, its whole value."""
        owes = self.owed["buyer", order.demand.party.id][order.id]
        if self.goods.over(order):
            return owes
        return max(order.value, self.billed(order)) - (self.billed(order) - owes)

    def payable(self, account: Account) -> int:
        """What may be paid out to an account: to a buyer its credit, to a payee what is due."""
        return sum(amount for _, amount in self._payables(account))

    def _payables(self, account: Account) -> list[tuple[str | None, int]]:
        if account[0] == "buyer":
            return [(None, max(0, -self.owed[account][None]))]
        return [(order, -owes) for order, owes in self.by_due(account) if owes < 0]

    def pay_out(self, account: Account, amount: int) -> None:
        parts = spent(amount, self._payables(account))
        self.payments += 1
        for order, part in parts.items():
            self._move(account, order, part)
        self.settle(self.goods.orders[order] for order in parts if order)

    def finish(self, orders: Iterable[str]) -> None:
        """Share out, give back, settle: of these orders and of those that this reaches."""
        waiting, seen = set(orders), set[str]()
        while waiting:
            order = self.goods.orders[min(waiting)]
            waiting.discard(order.id)
            seen.add(order.id)
            self._share(order)
            waiting |= self._give_back(order) - seen
        self.settle(self.goods.orders[key] for key in seen)

    def _share(self, order: Order) -> None:
        left = min(self.paid[order.id].total(), self.billed(order)) - self.shared[order.id].total()
        accounts = sorted((a for a, due in self.dues[order.id].items() if due), key=self.account_id)
        for payment, amount in self.paid[order.id].items():
            part = min(left, amount - self.spent[order.id][payment])
            if part <= 0:
                continue
            left -= part
            self.spent[order.id][payment] += part
            unshared = {repr(a): max(0, self.dues[order.id][a] - self.shared[order.id][a]) for a in accounts}
            parts = apportioned(part, unshared)
            self.shared[order.id].update({account: parts[repr(account)] for account in accounts})

    def _give_back(self, order: Order) -> set[str]:
        buyer: Account = ("buyer", order.demand.party.id)
        ahead = -self.owed[buyer][order.id]
        if ahead <= 0 or not self.goods.over(order):
            return set()
        self._set_off(buyer, {order.id: ahead}, {None: ahead})
        return self._meet(buyer)

    def paid_ahead(self) -> list[str]:
        """Orders that are over and hold money of their buyers."""
        orders = self.goods.orders.values()
        return [o.id for o in orders if self.goods.over(o) and self.owed["buyer", o.demand.party.id][o.id] < 0]

    def settle(self, orders: Iterable[Order]) -> None:
        for order in orders:
            if order.status == "delivered" and self.goods.over(order) and self._is_even(order):
                order.status = "settled"

    def _is_even(self, order: Order) -> bool:
        owed = {account: owes[order.id] for account, owes in self.owed.items() if account not in (BANK, FEE)}
        return all(owes == 0 if account[0] == "buyer" else owes >= 0 for account, owes in owed.items())


def spent(amount: int, opens: Iterable[tuple[str | None, int]]) -> dict[str | None, int]:
    """Spend an amount on what is open, first things first."""
    parts: dict[str | None, int] = {}
    for key, open_idr in opens:
        part = min(amount, open_idr)
        if part > 0:
            parts[key], amount = part, amount - part
    return parts
