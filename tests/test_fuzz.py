"""Any input gets a planned answer: schemathesis over the whole contract, with the keys of four parties and none.

HUB_FUZZ_EXAMPLES is the number of cases of each operation; set, it draws other cases in each run.
"""

import os
from datetime import timedelta
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.test_openapi import document

EXAMPLES = os.environ.get("HUB_FUZZ_EXAMPLES")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CONTRACT = document()
NAMES = [
    (path, method, operation["operationId"])
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
]
for path_, method_, _ in NAMES:
    # keys are drawn below, and are no part of a case
    CONTRACT["paths"][path_][method_].pop("security", None)
SCHEMA = schemathesis.openapi.from_dict(CONTRACT)
OPERATIONS = [pytest.param(SCHEMA[path][method], id=name) for path, method, name in NAMES]
PARTIES = ("hub", "producer", "buyer", "observer", "nobody")


def headers_of(api: Any, party: str) -> dict[str, str]:
    keys = {"hub": api.keys.hub, "observer": api.keys.observer, "producer": next(iter(api.keys.producers.values()))}
    keys["buyer"] = next(iter(api.keys.buyers.values()))
    return {} if party == "nobody" else api.as_(keys[party])


def request_of(case: Any, headers: dict[str, str]) -> dict[str, Any]:
    """Return a case as httpx takes it."""
    sent = case.as_transport_kwargs(base_url="http://hub")
    request = {name: sent[name] for name in ("method", "url", "params", "json") if name in sent}
    if "data" in sent:
        request["content"] = sent["data"]
    if sent.get("files"):
        request["files"] = [
            (name, (file, value if isinstance(value, str | bytes) else str(value)))
            for name, (file, value) in sent["files"]
        ]
    return {**request, "headers": {**sent["headers"], **headers}}


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(
    max_examples=int(EXAMPLES or 10),
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
async def test_every_case_gets_an_answer_of_the_contract(agreed: Any, operation: Any, data: Any) -> None:
    mode = data.draw(st.sampled_from(list(schemathesis.GenerationMode)), label="mode")
    case = data.draw(operation.as_strategy(generation_mode=mode), label="case")
    headers = headers_of(agreed, data.draw(st.sampled_from(PARTIES), label="party"))
    for place in case.path_parameters or {}:
        if place in agreed.known and data.draw(st.booleans(), label="known"):
            # ids that exist, so that cases reach behind the 404
            case.path_parameters[place] = data.draw(st.sampled_from(agreed.known[place]), label=place)
    request = agreed.build_request(**request_of(case, headers))
    # a form is a stream, and the checks look at what was sent
    request.read()
    answer = await agreed.send(request)
    # in a query everything is text, so what is wrong in JSON may be a word that is merely not found
    strict = [negative_data_rejection] if operation.method in ("post", "patch") else []
    case.validate_response(answer, checks=[*CHECKS, *strict])


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={}),
        httpx.Response(418, json={}, headers={"content-type": "application/problem+json"}),
        httpx.Response(200, text="<p>baik</p>", headers={"content-type": "text/html"}),
        httpx.Response(200, json={"organization": None}),
    ],
    ids=["a bug", "an undocumented status", "an undocumented type", "another shape"],
)
def test_the_checks_see_what_they_look_for(answer: httpx.Response) -> None:
    """The control: an answer outside the contract is noticed."""
    answer.request, answer.elapsed = httpx.Request("GET", "http://hub/v1/me"), timedelta()
    with pytest.raises(FailureGroup):
        SCHEMA["/v1/me"]["get"].Case().validate_response(answer, checks=CHECKS)
