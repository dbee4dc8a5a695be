"""The melon market after both sides have confirmed: orders, and what is done with them."""

from dataclasses import dataclass
from typing import Any

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


def line_of(order: dict[str, Any], who: str) -> dict[str, Any]:
    (line,) = [line for line in order["lines"] if line["producer"]["name"] == who]
    found: dict[str, Any] = line
    return found
