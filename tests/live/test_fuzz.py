"""Any input gets a planned answer: schemathesis over the whole contract, on a live server, with three parties' keys."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.live.test_concurrency import live_server

EXAMPLES = os.environ.get("HUB_FUZZ_EXAMPLES", "6")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.parametrize("who", ["hub", "producer", "buyer"])
async def test_no_input_gets_an_unplanned_answer(cluster: Any, scenario_template: Any, who: str) -> None:
    """No 5xx, no undocumented status or media type, no answer of another shape. HUB_FUZZ_EXAMPLES asks for more."""
    keys = scenario_template.keys
    key = {"hub": keys.hub, "producer": next(iter(keys.producers.values())), "buyer": next(iter(keys.buyers.values()))}[
        who
    ]
    url = await cluster.copy(scenario_template.template, "hub_test_fuzz")
    program = Path(sys.executable).with_name("schemathesis")
    with live_server(url, protected=True) as base:
        command = [str(program), "run", f"{base}/openapi.json", "-H", f"Authorization: Bearer {key}"]
        bounds = [
            "--max-examples",
            EXAMPLES,
            "--phases",
            "fuzzing",
            "--generation-deterministic",
            "--continue-on-failure",
        ]
        left_out = ["--exclude-operation-id", "stream_job"]
        done = await asyncio.to_thread(
            subprocess.run,
            [*command, "--checks", CHECKS, *bounds, *left_out],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
