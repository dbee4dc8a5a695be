"""`hub api` asks over HTTP, with a key, and ends with the code of the answer."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.cli.conftest import Ended

ITEMS = [{"index": 0, "status": 201, "id": "a"}, {"index": 1, "status": 422, "problem": {}}]


class Echo(BaseHTTPRequestHandler):
    """Answers with the status that the path names, and with what it was asked."""

    def _answer(self) -> None:
        status, kept = int(self.path.split("/")[1]), self.path.split("/")[2:]
        length = int(self.headers.get("Content-Length", 0))
        asked = {
            "method": self.command,
            "key": self.headers.get("Authorization"),
            "language": self.headers.get("Accept-Language"),
            "body": self.rfile.read(length).decode(),
            "items": ITEMS[: len(kept)],
        }
        body = json.dumps(asked).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - how http.server finds them

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server that says what it was asked."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/200", 0),
        ("/201", 0),
        ("/400", 1),
        ("/401", 4),
        ("/403", 4),
        ("/404", 1),
        ("/409", 5),
        ("/412", 5),
        ("/422", 1),
        ("/503", 1),
        ("/207/stored", 0),
        ("/207/stored/refused", 3),
    ],
)
def test_the_exit_code_tells_the_status(call: Callable[..., Ended], server: str, path: str, code: int) -> None:
    ended = call("api", "GET", path, "--url", server)
    assert ended.code == code
    assert json.loads(ended.out)["method"] == "GET"
    assert bool(ended.err) == (code not in {0, 3})


def test_the_key_is_the_given_one_then_the_environments_then_the_hubs(
    call: Callable[..., Ended], server: str, data_dir: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key(*options: str) -> Any:
        return json.loads(call("api", "GET", "/200", "--url", server, *options).out)["key"]

    assert key() is None
    (data_dir / "demo-keys.json").write_text(json.dumps({"hub": "of-the-file"}))
    assert key() == "Bearer of-the-file"
    monkeypatch.setenv("HUB_API_KEY", "of-the-environment")
    assert key() == "Bearer of-the-environment"
    assert key("--key", "given") == "Bearer given"


def test_a_body_and_the_language_are_sent(call: Callable[..., Ended], server: str) -> None:
    ended = call("--lang", "en", "api", "post", "/201", "--data", '{"a": 1}', "--url", server)
    asked = json.loads(ended.out)
    assert (asked["method"], asked["body"], asked["language"]) == ("POST", '{"a": 1}', "en")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ftp://127.0.0.1", "http://[", "nonsense"])
def test_a_hub_that_does_not_answer_says_what_to_start(call: Callable[..., Ended], url: str) -> None:
    ended = call("api", "GET", "/v1/listings", "--url", url)
    assert (ended.code, ended.out) == (1, "")
    assert "`hub run`" in ended.err
    assert "Traceback" not in ended.err
