"""The first hub of a database, without the examples."""

import asyncio
import json
from typing import Any

import pytest

from tests.cli.conftest import Hub
from tests.conftest import api_on


async def test_the_key_of_the_first_hub_registers_a_producer_who_posts(new_hub: Hub) -> None:
    ended = await asyncio.to_thread(new_hub, "register", "Hub BTC Kota Blitar")
    assert ended.code == 0, ended.err
    async with api_on(new_hub.url) as api:
        hub = api.as_(json.loads(ended.out)["hub"])
        koperasi = {"name": "Koperasi Ponggok", "role": "producer", "kind": "koperasi", "region": "35.05"}
        owner = (await api.post("/v1/organizations", json=koperasi, headers=hub)).json()
        key = (await api.post(f"/v1/organizations/{owner['id']}/api-keys", json={}, headers=hub)).json()["secret"]
        eggs: dict[str, Any] = {
            "commodity": "telur-ayam-ras",
            "grade": "II",
            "quantity": 1,
            "unit": "ton",
            "price_idr": 26000,
        }
        assert (await api.post("/v1/listings", json=eggs, headers=api.as_(key))).status_code == 201


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (["register", "Hub A"], ["register", "Hub A"], 5),
        (["register", "Hub A"], ["register", "Hub B", "--region", "32.76"], 1),
        (["register", "Hub A"], ["register", "Hub B", "--region", "99.99"], 1),
    ],
)
def test_a_hub_is_registered_once_and_in_a_region_that_is_one(
    new_hub: Hub, first: list[str], second: list[str], code: int
) -> None:
    assert new_hub(*first).code == 0
    refused = new_hub(*second)
    assert (refused.code, refused.out) == (code, "")
    assert refused.err
    assert new_hub.sql("SELECT count(*) FROM organizations") == 1
