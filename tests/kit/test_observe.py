"""What operators see: one JSON object a line, with the request it belongs to."""

import json
import logging
from typing import Any

import pytest

from app.kit.observe import JsonLines


async def test_a_request_leaves_one_line_with_its_id(api: Any, caplog: Any) -> None:
    with caplog.at_level(logging.INFO, "hub.http"):
        await api.get("/v1/regions/35.05", headers={"X-Request-Id": "abc-1", "Authorization": "Bearer btc_test_secret"})
    (record,) = [record for record in caplog.records if record.name == "hub.http"]
    line = json.loads(JsonLines().format(record))
    told = {name: line[name] for name in ("level", "message", "request_id", "method", "path", "status")}
    assert list(told.values()) == ["info", "request", "abc-1", "GET", "/v1/regions/35.05", 200]
    assert "secret" not in json.dumps(line)


def test_an_error_brings_its_trace_on_the_same_line() -> None:
    error = RuntimeError("rusak\ndua baris")
    info = (RuntimeError, error, error.__traceback__)
    record = logging.LogRecord("hub.worker", logging.ERROR, __file__, 1, "job failed", None, info)
    text = JsonLines().format(record)
    assert "\n" not in text
    assert "RuntimeError: rusak" in json.loads(text)["trace"]


@pytest.mark.parametrize("path", ["/v1/regions/35.05", "/nowhere/at/all"])
async def test_paths_do_not_grow_the_metrics(scenario: Any, path: str) -> None:
    await scenario.get(path)
    metrics = await scenario.get("/metrics", headers=scenario.as_(scenario.keys.hub))
    assert path not in metrics.text
