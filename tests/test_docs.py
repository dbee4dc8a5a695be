"""What docs/ show is what runs: code and commands against a live server on the opening scenario, names of commands."""

import contextlib
import fnmatch
import io
import itertools
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import WebhookVerificationError
from typer.testing import CliRunner

from app.cli import main as cli
from app.webhooks import rules as webhooks
from tests.client.conftest import Live, live
from tests.test_architecture import ROOT

__all__ = ["live"]

DOCS = sorted((ROOT / "docs").glob("*.md"))
ROLES = {"producer", "buyer", "operator", "analyst", "integrator"}
#: their commands tell one story, which tests/cli/test_trade.py and test_sheets.py run in its order
STORIES = {"orders", "spreadsheets"}
BASE = "http://127.0.0.1:8000"
PONGGOK = "Koperasi peternak Ponggok (contoh)"


def blocks(document: Path, *languages: str) -> list[tuple[str, str]]:
    found = re.findall(r"^```(\w+)\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
    return [(language, content) for language, content in found if language in languages]


def commands() -> Iterator[list[str]]:
    """Every line of every block of commands."""
    for document in (one for one in DOCS if one.stem not in STORIES):
        for _, content in blocks(document, "sh"):
            for line in content.replace("\\\n", " ").splitlines():
                yield shlex.split(line, comments=True)


def programs() -> Iterator[tuple[str, str, str | None]]:
    """Every block of code, with the block of text under it that says what it prints."""
    for document in DOCS:
        found = [*blocks(document, "python", "text"), ("", "")]
        for (language, code), (following, text) in itertools.pairwise(found):
            if language == "python" and document.stem != "events":
                yield document.stem, code, text if following == "text" else None


def run(code: str, names: dict[str, Any]) -> None:
    """Run code as somebody would who copies it; `names` are what it finds and what it leaves."""
    exec(compile(code, "docs", "exec"), names)  # noqa: S102 - our own docs


HUB = [command[2:] for command in commands() if command[:2] == ["./dev", "hub"]]
CURL = [command[1:] for command in commands() if command[:1] == ["curl"]]


def test_each_role_has_its_page_and_no_command_is_of_a_kind_that_nobody_runs() -> None:
    assert {document.stem for document in DOCS} >= ROLES
    assert len(HUB) + len(CURL) == len(list(commands())) > 10


@pytest.mark.parametrize("document", DOCS, ids=lambda document: document.stem)
def test_what_a_page_leads_to_is_there(document: Path) -> None:
    links = re.findall(r"\]\(([\w./-]+)\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("command", HUB, ids=" ".join)
def test_a_command_of_the_docs_succeeds(live: Live, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setenv("DATABASE_URL", live.url)
    monkeypatch.setenv("HUB_CLOCK_AT", "2026-11-24T09:00:00+07:00")
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, (result.output, result.exception)
    json.loads(result.stdout)


def asked(arguments: list[str], base: str, key: str) -> httpx.Response:
    """What curl would ask, without curl."""
    headers, data, url = {}, None, ""
    given = iter(arguments)
    for argument in given:
        match argument:
            case "-H":
                name, _, value = next(given).replace("$HUB_API_KEY", key).partition(": ")
                headers[name] = value
            case "-d":
                data = next(given)
            case "-o":
                next(given)
            case _:
                assert not argument.startswith("-"), argument
                url = argument.replace(BASE, base)
    return httpx.request("POST" if data else "GET", url, headers=headers, content=data)


@pytest.mark.parametrize("arguments", CURL, ids=lambda arguments: arguments[-1])
def test_an_address_of_the_docs_answers(live: Live, arguments: list[str]) -> None:
    answer = asked(arguments, live.base, live.keys.producers[PONGGOK])
    assert answer.status_code in {200, 201}, answer.text
    if "format=csv" in arguments[-1]:
        assert answer.headers["content-type"].startswith("text/csv")
        assert ";" in answer.text.splitlines()[0]
    else:
        assert answer.json()


@pytest.mark.parametrize(("document", "code", "prints"), list(programs()))
def test_code_of_the_docs_prints_what_they_say(
    live: Live, tmp_path: Path, document: str, code: str, prints: str | None
) -> None:
    assert prints is not None, f"docs/{document}.md does not say what its code prints"
    (tmp_path / "keys.json").write_text(json.dumps(asdict(live.keys)))
    printed = io.StringIO()
    code = code.replace(".hub/demo-keys.json", str(tmp_path / "keys.json")).replace(BASE, live.base)
    with contextlib.redirect_stdout(printed):
        run(code, {})
    assert fnmatch.fnmatchcase(printed.getvalue(), prints.replace("...", "?*")), printed.getvalue()


def test_the_receiver_of_webhooks_takes_what_the_hub_signs_and_nothing_else() -> None:
    ((_, code),) = blocks(ROOT / "docs" / "events.md", "python")
    secret = webhooks.write_secret("a" * 32)
    body = json.dumps({"position": 7, "type": "order.confirmed"})
    signed: dict[str, Any] = {
        "secret": secret,
        "body": body,
        "headers": webhooks.headers(7, body, secrets=[secret], now=datetime.now(UTC)),
    }
    run(code, signed)
    assert signed["event"]["type"] == "order.confirmed"
    with pytest.raises(WebhookVerificationError):
        run(code, {**signed, "body": body.replace("7", "8")})


@pytest.mark.parametrize("document", DOCS, ids=lambda document: document.stem)
def test_every_command_that_a_sentence_names_exists(document: Path) -> None:
    """`hub events tail --follow` in a sentence: the command is there, and so is the option."""
    for named in re.findall(r"`(?:\./dev )?hub ([a-z][^`]*)`", document.read_text()):
        words = shlex.split(named)
        options = {word for word in words if word.startswith("--")}
        path = [word for word in words if re.fullmatch(r"[a-z]+", word)]
        shown = [CliRunner().invoke(cli.app, [*path[:most], "--help"], env={"COLUMNS": "200"}) for most in (2, 1)]
        helps = [one.output for one in shown if one.exit_code == 0]
        assert helps, named
        assert all(option in helps[0] for option in options), named
