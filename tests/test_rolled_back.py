"""What a test writes is rolled back, numbers too."""

from typing import Any

from tests.conftest import rolled_back
from tests.orders.trade import Trade


async def test_numbers_are_given_out_again(cluster: Any, scenario_template: Any) -> None:
    url, numbers = cluster.url(scenario_template.template), []
    for _ in range(2):
        async with rolled_back(url, scenario_template.keys) as client:
            numbers.append((await Trade(client).two_farms_one_shop())["number"])
    assert numbers[0] == numbers[1]
