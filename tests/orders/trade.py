"""The melon market after both sides have confirmed: orders, and what is done with them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.shipments.due import finish_receipts
from tests.matching.melons import FIRST, SECOND, SHOP, Melons


@dataclass(frozen=True)
class Trade(Melons):
    """Melons that are sold: whoever asks is named, the hub where nobody is."""

    async def post(self, path: str, who: str = "hub", **body: Any) -> Any:
        return await self.api.post(f"/v1{path}", json=body, headers=self.api.as_(self.keys[who]))

    async def get(self, path: str, who: str = "hub") -> Any:
        return await self.api.get(f"/v1{path}", headers=self.api.as_(self.keys[who]))

    async def done(self, path: str, who: str = "hub", **body: Any) -> dict[str, Any]:
        """Post what must succeed."""
        answer = await self.post(path, who, **body)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def confirm_all(self) -> None:
        for match in await self.matches(query="&status=proposed"):
            for side in ("listing", "demand"):
                await self.done(f"/matches/{match['id']}/confirm", side=side)

    async def orders(self, who: str = "hub", query: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.api.walk(f"/v1/orders?commodity=melon{query}", self.keys[who])
        return found

    async def order(self, who: str = "hub", **of: Any) -> dict[str, Any]:
        """Read the only order, or the one given, with its history."""
        key = of["id"] if of else (await self.orders(who))[0]["id"]
        found: dict[str, Any] = (await self.get(f"/orders/{key}", who)).json()
        return found

    async def two_farms_one_shop(self, *, first: int = 600, second: int = 400, **need: Any) -> dict[str, Any]:
        """Clear and confirm what both farms sell to the shop: one order with two lines; return it."""
        await self.offer(FIRST, quantity=first)
        await self.offer(SECOND, quantity=second)
        await self.need(SHOP, quantity=first + second, min_quantity=first + second, **need)
        await self.clear()
        await self.confirm_all()
        (order,) = await self.orders()
        return order

    async def load(self, order: dict[str, Any], departure: str | None = None, **part: int) -> dict[str, Any]:
        """Load what is left of an order on its own departure or another; `first` and `second` load less."""
        wanted = {FIRST: part.get("first"), SECOND: part.get("second")}
        lines = []
        for line in order["lines"]:
            quantity = wanted.get(line["producer"]["name"]) if part else line["quantity"] - line["loaded_quantity"]
            if quantity:
                lines.append({"order_line_id": line["id"], "quantity": quantity})
        return await self.done("/shipments", departure_id=departure or order["departure_id"], lines=lines)

    async def dispatch(self, shipment: dict[str, Any], *, crates_out: int = 0) -> dict[str, Any]:
        """Let a shipment leave with just what its quantities weigh."""
        weights = [
            {"order_line_id": line["order_line_id"], "net_weight_g": line["quantity"] * 1000}
            for line in shipment["lines"]
        ]
        return await self.done(f"/shipments/{shipment['id']}/dispatch", weights=weights, crates_out=crates_out)

    async def arrive(self, shipment: dict[str, Any]) -> dict[str, Any]:
        return await self.done(f"/shipments/{shipment['id']}/arrive")

    async def on_the_way(self, order: dict[str, Any], **part: int) -> dict[str, Any]:
        """Load, dispatch, arrive."""
        return await self.arrive(await self.dispatch(await self.load(order, **part)))

    async def receive(
        self, shipment: dict[str, Any], order: dict[str, Any], net_weight_g: int, who: str = "hub", **more: Any
    ) -> dict[str, Any]:
        body = {"order_id": order["id"], "net_weight_g": net_weight_g, **more}
        return await self.done(f"/shipments/{shipment['id']}/receipts", who, **body)

    async def receipts(self, order: dict[str, Any], who: str = "hub") -> list[dict[str, Any]]:
        answer = await self.get(f"/orders/{order['id']}/receipts", who)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def hours_pass(self, hours: float) -> None:
        """Let time pass, and the worker with it."""
        self.api.clock.at += timedelta(hours=hours)
        await finish_receipts(self.api.database, self.api.clock.now())

    async def resolve(self, dispute: dict[str, Any], **body: Any) -> Any:
        headers = self.api.as_(self.api.keys.hub, **{"If-Match": f'"{dispute["version"]}"'})
        return await self.api.patch(f"/v1/disputes/{dispute['id']}", json=body, headers=headers)


def line_of(order: dict[str, Any], who: str) -> dict[str, Any]:
    (line,) = [line for line in order["lines"] if line["producer"]["name"] == who]
    found: dict[str, Any] = line
    return found
