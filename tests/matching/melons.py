"""A small market for tests: two farms and a shop in Surabaya that trade melons, beside the opening scenario."""

from dataclasses import dataclass
from typing import Any

FIRST, SECOND = "Kelompok tani Karangsari (contoh)", "Agrowisata Karangsari (contoh)"
SHOP, OTHER_SHOP = "Supermarket Surabaya (contoh)", "Toko buah Depok (contoh)"


@dataclass(frozen=True)
class Melons:
    """The market and its one run."""

    api: Any

    @property
    def keys(self) -> dict[str, str]:
        return {**self.api.keys.producers, **self.api.keys.buyers, "hub": self.api.keys.hub}

    async def offer(self, who: str = FIRST, *, quantity: int = 600, price_idr: int = 8000, **more: Any) -> Any:
        body = {"commodity": "melon", "grade": "A", "quantity": quantity, "unit": "kg", "price_idr": price_idr, **more}
        return await self._post("/v1/listings", body, who)

    async def need(self, who: str = SHOP, *, quantity: int = 1000, max_price_idr: int = 10000, **more: Any) -> Any:
        body = {"commodity": "melon", "min_grade": "A", "quantity": quantity, "unit": "kg", **more}
        return await self._post("/v1/demands", {**body, "max_price_idr": max_price_idr}, who)

    async def _post(self, url: str, body: dict[str, Any], who: str) -> Any:
        answer = await self.api.post(url, json=body, headers=self.api.as_(self.keys[who]))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def start(self, **body: Any) -> Any:
        request = {"commodities": ["melon"], **body}
        return await self.api.post("/v1/clearing-runs", json=request, headers=self.api.as_(self.api.keys.hub))

    async def clear(self) -> dict[str, Any]:
        answer = await self.start()
        assert answer.status_code == 201, answer.text
        run: dict[str, Any] = answer.json()
        return run

    async def matches(self, who: str = "hub", query: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.api.walk(
            f"/v1/matches?commodity=melon&sort=departs_on{query}", self.keys[who]
        )
        return found

    async def answer(self, who: str, match: dict[str, Any], action: str, **body: Any) -> Any:
        url = f"/v1/matches/{match['id']}/{action}"
        return await self.api.post(url, json=body, headers=self.api.as_(self.keys[who]))

    async def read(self, who: str, order: dict[str, Any]) -> dict[str, Any]:
        kind = "demands" if "max_price_idr" in order else "listings"
        answer = await self.api.get(f"/v1/{kind}/{order['id']}", headers=self.api.as_(self.keys[who]))
        row: dict[str, Any] = answer.json()
        return row

    async def change(self, who: str, order: dict[str, Any], **body: Any) -> Any:
        kind = "demands" if "max_price_idr" in order else "listings"
        row = await self.read(who, order)
        headers = self.api.as_(self.keys[who], **{"If-Match": f'"{row["version"]}"'})
        return await self.api.patch(f"/v1/{kind}/{order['id']}", json=body, headers=headers)


def quantities(order: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return what is open, proposed, ordered and withdrawn."""
    return (
        order["open_quantity"],
        order["proposed_quantity"],
        order["ordered_quantity"],
        order["withdrawn_quantity"],
    )
