"""`hub api`: a request to a running hub."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import httpx
import typer

from app.cli.context import settings_of
from app.cli.output import OUTPUT, complain, print_json
from app.cli.prepare import KEYS_FILE
from app.kit.text import Text

#: HTTP status -> exit code; other errors are 1
EXIT_CODES = {401: 4, 403: 4, 409: 5, 412: 5}
MULTI_STATUS = 207
SOME_REFUSED = 3


Url = Annotated[str, typer.Option(help="where the hub runs")]
Key = Annotated[str | None, typer.Option(help="default: HUB_API_KEY, then the hub's in demo-keys.json")]


def exit_code(status: int) -> int:
    """Return the exit code that tells an HTTP error status."""
    return EXIT_CODES.get(status, 1)


def api(
    method: Annotated[str, typer.Argument(help="GET, POST, PATCH or DELETE")],
    path: Annotated[str, typer.Argument(help="such as /v1/listings?status=open")],
    data: Annotated[str | None, typer.Option(help="JSON body")] = None,
    url: Url = "http://127.0.0.1:8000",
    key: Key = None,
    if_match: Annotated[str | None, typer.Option(help="ETag of the row that you read")] = None,
) -> None:
    """Ask a running hub and print its answer."""
    if not path.startswith("/"):
        raise typer.BadParameter("begins with /, such as /v1/listings", param_hint="PATH")
    headers = {"Accept": "application/json", "Accept-Language": OUTPUT.language}
    if data is not None:
        headers["Content-Type"] = "application/json"
    if found := key_or_demo(key):
        headers["Authorization"] = f"Bearer {found}"
    if if_match:
        headers["If-Match"] = if_match
    with silent(url):
        answer = httpx.request(method.upper(), url.rstrip("/") + path, content=data, headers=headers, timeout=120)
    _show(answer)


@contextmanager
def silent(url: str) -> Iterator[None]:
    """Say it, and what helps, where a hub does not answer; ends the command."""
    try:
        yield
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise no_answer(url, error) from None


def no_answer(url: str, error: Exception) -> typer.Exit:
    """Say that a hub does not answer, and what helps; returns the end of the command."""
    complain(
        Text(f"{url} tidak menjawab: {error}", f"{url} does not answer: {error}"),
        Text("jalankan dengan `hub run`, atau sebut yang lain dengan --url", "start it with `hub run`, or use --url"),
    )
    return typer.Exit(1)


def _show(answer: httpx.Response) -> None:
    """Print an answer as it is, JSON indented; end with the exit code of its status."""
    is_json = "json" in answer.headers.get("content-type", "")
    if is_json:
        print_json(answer.json())
    else:
        sys.stdout.write(answer.text)
    if answer.status_code == MULTI_STATUS and any(
        item["status"] != httpx.codes.CREATED for item in answer.json()["items"]
    ):
        raise typer.Exit(SOME_REFUSED)
    if not answer.is_success:
        complain(
            Text(f"jawaban {answer.status_code}", f"answer {answer.status_code}"), NEXT_STEPS.get(answer.status_code)
        )
        raise typer.Exit(exit_code(answer.status_code))


#: HTTP status -> what helps, where the answer itself cannot know it
NEXT_STEPS = {
    401: Text("beri kunci dengan --key atau HUB_API_KEY", "give a key with --key or HUB_API_KEY"),
    412: Text("baca lagi, lalu kirim ETag-nya dengan --if-match", "read it again and send its ETag with --if-match"),
    428: Text("kirim ETag yang Anda baca dengan --if-match", "send the ETag that you read with --if-match"),
}


def key_or_demo(key: str | None) -> str | None:
    """Return the key given, else HUB_API_KEY, else the hub's of the opening scenario."""
    return key or os.environ.get("HUB_API_KEY") or _demo_key()


def _demo_key() -> str | None:
    path = settings_of().data_dir / KEYS_FILE
    return str(json.loads(path.read_text())["hub"]) if path.exists() else None
