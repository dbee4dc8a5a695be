"""What README shows is what runs: its client code against a live server, its commands against a database."""

import asyncio
import contextlib
import io
import json
import re
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import main as cli
from tests.live.test_concurrency import live_server
from tests.test_architecture import ROOT

README = (ROOT / "README.md").read_text()
COMMANDS = [shlex.split(line, comments=True)[2:] for line in re.findall(r"^\./dev hub .*$", README, re.MULTILINE)]


async def copied(cluster: Any, scenario_template: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    url: str = await cluster.create("hub_test_readme", scenario_template.template)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("HUB_CLOCK_AT", "2026-11-24T09:00:00+07:00")
    return url


def run(command: list[str]) -> Any:
    """Run a command of the hub as a shell would; it starts an event loop of its own."""
    return CliRunner().invoke(cli.app, command)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_a_command_of_the_readme_succeeds(
    cluster: Any, scenario_template: Any, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    await copied(cluster, scenario_template, monkeypatch)
    result = await asyncio.to_thread(run, command)
    assert result.exit_code == 0, (result.output, result.exception)
    assert json.loads(result.stdout)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["clear", "--commodity", "emas"], 1),
        (["replay", "0190a1b2-0000-7000-8000-000000000000"], 1),
        (["listings", "--limit", "0"], 2),
        (["demo"], 5),
        (["demo", "--reset"], 4),
    ],
)
async def test_a_command_that_fails_says_how(
    cluster: Any, scenario_template: Any, monkeypatch: pytest.MonkeyPatch, command: list[str], code: int
) -> None:
    await copied(cluster, scenario_template, monkeypatch)
    monkeypatch.setattr("sys.argv", ["hub", *command])
    with pytest.raises(SystemExit) as ended:
        await asyncio.to_thread(cli.main)
    assert ended.value.code == code


@pytest.mark.parametrize(
    ("readme", "prints"),
    [
        ("README.md", "300 kg at Rp 27000 a kilogram, until 2026-12-01"),
        ("README.id.md", "300 kg seharga Rp 27000 sekilo, sampai 2026-12-01"),
    ],
)
async def test_the_client_code_prints_what_the_readme_says(
    cluster: Any, scenario_template: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, readme: str, prints: str
) -> None:
    url = await copied(cluster, scenario_template, monkeypatch)
    (tmp_path / "keys.json").write_text(json.dumps(asdict(scenario_template.keys)))
    told = (ROOT / readme).read_text()
    (code,) = re.findall(r"```python\n(.*?)```", told, re.DOTALL)
    printed = io.StringIO()
    with live_server(url, protected=True) as base, contextlib.redirect_stdout(printed):
        code = code.replace(".hub/demo-keys.json", str(tmp_path / "keys.json")).replace("http://127.0.0.1:8000", base)
        await asyncio.to_thread(exec, code, {})
    assert printed.getvalue() == f"{prints}\n"
    assert f"`{prints[:-10]}...`." in told


def test_both_readmes_show_the_same_commands() -> None:
    indonesian = (ROOT / "README.id.md").read_text()
    shown = re.findall(r"^\./dev hub .*$", indonesian, re.MULTILINE)
    assert [shlex.split(line, comments=True)[2:] for line in shown] == COMMANDS
    for text in (README, indonesian):
        assert re.findall(r"^\./dev \w+$", text, re.MULTILINE) == ["./dev run", "./dev test"]
        assert len(re.findall(r"^\| <http://127.0.0.1:8000/", text, re.MULTILINE)) == 3


@pytest.mark.parametrize("readme", ["README.md", "README.id.md"])
def test_every_file_that_a_readme_shows_or_names_is_there(readme: str) -> None:
    told = (ROOT / readme).read_text()
    named = re.findall(r"\]\(([\w./-]+)\)|src=\"([\w./-]+)\"", told)
    assert len(named) >= 5
    assert [path for pair in named for path in pair if path and not (ROOT / path).exists()] == []
