"""The contract as a file: committed, and true."""

import json
import re
from typing import Any

import pytest

from app.main import create_app, openapi_text
from tests.conftest import settings_for
from tests.test_architecture import ROOT

COMMITTED = ROOT / "openapi.json"
VERBS = (
    "list|get|publish|change|withdraw|renew|sign|post|open|close|add|register|create|rotate|revoke|start|confirm|decline"
    "|stream|cancel|load|dispatch|arrive|record|acknowledge|resolve|make|accept|delete|redeliver"
)


def document() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(COMMITTED.read_text())
    return read


OPERATIONS = [
    pytest.param(method, operation, id=operation["operationId"])
    for methods in document()["paths"].values()
    for method, operation in methods.items()
]


def test_the_committed_contract_is_what_runs() -> None:
    """Renew it with `python -m app.main > openapi.json` and read the difference: others write clients against it."""
    assert openapi_text(create_app(settings_for("postgresql://nobody@/nowhere"))) == COMMITTED.read_text()


@pytest.mark.parametrize(("method", "operation"), OPERATIONS)
def test_operations_are_named_and_tell_their_problems(method: str, operation: dict[str, Any]) -> None:
    assert re.fullmatch(rf"({VERBS})(_[a-z]+)+", operation["operationId"]), operation["operationId"]
    assert operation["summary"]
    assert operation["description"]
    problems = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
    assert {"400", "422", "503"} <= set(problems)
    assert all("application/problem+json" in answer["content"] for answer in problems.values())
    if operation.get("security"):
        assert {"401", "403", "429"} <= set(problems)
    if method == "patch":
        assert {"404", "412", "428"} <= set(problems)
