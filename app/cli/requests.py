"""`hub api`: a request to a running hub."""

import json
import os
from typing import Annotated

import httpx
import typer

from app.cli.context import settings_of
from app.cli.output import complain, print_json
from app.cli.serve import KEYS_FILE

EXIT_CODES = {401: 4, 403: 4, 409: 5, 412: 5}


def api(
    method: Annotated[str, typer.Argument(help="GET, POST, PATCH or DELETE")],
    path: Annotated[str, typer.Argument(help="such as /v1/listings?status=open")],
    data: Annotated[str | None, typer.Option(help="JSON body")] = None,
    url: Annotated[str, typer.Option(help="where the hub runs")] = "http://127.0.0.1:8000",
    key: Annotated[str | None, typer.Option(help="default: HUB_API_KEY, then the hub's in demo-keys.json")] = None,
    if_match: Annotated[str | None, typer.Option(help="ETag of the row that you read")] = None,
) -> None:
    """Ask a running hub and print its answer."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    found = key or os.environ.get("HUB_API_KEY") or _demo_key()
    if found:
        headers["Authorization"] = f"Bearer {found}"
    if if_match:
        headers["If-Match"] = if_match
    try:
        answer = httpx.request(method.upper(), f"{url}{path}", content=data, headers=headers, timeout=120)
    except httpx.TransportError as error:
        complain(f"{url} does not answer: {error}", "next: start it with `./dev run`, or name another with --url")
        raise typer.Exit(1) from None
    if answer.content:
        print_json(answer.json()) if "json" in answer.headers.get("content-type", "") else print(answer.text)  # noqa: T201
    if answer.is_error:
        raise typer.Exit(EXIT_CODES.get(answer.status_code, 1))


def _demo_key() -> str | None:
    path = settings_of().data_dir / KEYS_FILE
    return json.loads(path.read_text())["hub"] if path.exists() else None
