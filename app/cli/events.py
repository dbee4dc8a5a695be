"""`hub events tail` and `hub webhook listen`: what happens at a running hub, or the same posted to this machine."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import typer
from httpx_sse import connect_sse

from app.cli.output import OUTPUT, complain, errors, read
from app.cli.requests import Key, Url, exit_code, key_or_demo, silent
from app.kit.clock import SystemClock
from app.kit.ids import new_secret
from app.kit.text import Text
from app.webhooks import rules

events = typer.Typer(no_args_is_help=True, help="What happened, in order.")
webhook = typer.Typer(no_args_is_help=True, help="Webhooks, tried on this machine.")

#: seconds of silence after which a stream is given up: its heartbeats come more often
SILENCE = 60


@events.command("tail")
def tail(
    *,
    after: Annotated[int, typer.Option(min=0, help="only events after this position")] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on with what happens, until Ctrl-C")] = False,
    url: Url = "http://127.0.0.1:8000",
    key: Key = None,
) -> None:
    """Print events, one JSON line each, from the position given; read on after the last one printed."""
    with _client(url, key) as client, silent(url):
        for event in _past(client, after):
            after = event["position"]
            _print(event)
        if follow:
            for event in _stream(client, after):
                _print(event)


@webhook.command("listen")
def listen(
    *,
    forward_to: Annotated[str, typer.Option(help="where to post, such as http://localhost:3000/hooks")],
    secret: Annotated[str | None, typer.Option(help="signs; default: a new one, told at the start")] = None,
    url: Url = "http://127.0.0.1:8000",
    key: Key = None,
) -> None:
    """Receive what happens from now on and post it, signed as a webhook is, to an address on this machine."""
    signing = secret or rules.write_secret(new_secret())
    target = rules.parse_url(forward_to, inside_allowed=True)
    errors.print(f"{read(Text('rahasia', 'secret'))}: {signing}", markup=False, soft_wrap=True)
    with _client(url, key) as client, httpx.Client(trust_env=False, timeout=15) as local, silent(url):
        for event in _stream(client, None):
            body = json.dumps(event, ensure_ascii=False)
            headers = rules.headers(event["position"], body, secrets=[signing], now=SystemClock().now())
            try:
                outcome = str(local.post(target, content=body, headers=headers).status_code)
            except httpx.TransportError as error:
                outcome = str(error)
            errors.print(f"{event['position']} {event['type']} -> {outcome}", markup=False, soft_wrap=True)


def _client(url: str, key: str | None) -> httpx.Client:
    headers = {"Accept-Language": OUTPUT.language}
    if found := key_or_demo(key):
        headers["Authorization"] = f"Bearer {found}"
    return httpx.Client(base_url=url, headers=headers, timeout=SILENCE)


def _past(client: httpx.Client, after: int) -> Iterator[dict[str, Any]]:
    following: str | None = f"/v1/events?after={after}&limit=200"
    while following:
        page = client.get(following)
        _require(page)
        yield from page.json()["items"]
        following = page.json()["next"]


def _stream(client: httpx.Client, after: int | None) -> Iterator[dict[str, Any]]:
    """Yield events as they happen; a stream that ends or is cut goes on after the last event."""
    while True:
        where = {} if after is None else {"Last-Event-ID": str(after)}
        try:
            with connect_sse(client, "GET", "/v1/events/stream", headers=where) as source:
                if source.response.status_code != httpx.codes.OK:
                    source.response.read()
                    _require(source.response)
                for told in source.iter_sse():
                    if told.data:
                        event = told.json()
                        after = event["position"]
                        yield event
        except (httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError):
            complain(Text("aliran terputus, disambung lagi.", "the stream was cut and is taken up again."))


def _require(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    problem = answer.json()
    complain(Text(problem["detail"], problem["detail"]))
    raise typer.Exit(exit_code(answer.status_code))


def _print(event: dict[str, Any]) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)  # noqa: T201 - the result itself
