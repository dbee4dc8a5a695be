"""`hub run` as people start it: a process with everything that it starts, and nothing left when it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

from app.demo.service import Keys
from tests.cli.conftest import Ended, data_folder
from tests.conftest import NOW

pytestmark = pytest.mark.db

HUB = [sys.executable, "-m", "app.cli.main"]


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return {**kept, "HUB_DATA_DIR": str(data_dir), "HUB_CLOCK_AT": NOW.isoformat(), **more}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data folder that tests share: making a cluster takes longer than starting it."""
    with data_folder() as made:
        yield made


class Running:
    """A hub that has said that it is ready."""

    def __init__(self, process: subprocess.Popen[str], out: Path) -> None:
        self.process = process
        self.steps = re.findall(r"^hub: (.+?) +\d+\.\d\d s$", self.until("hub: siap"), re.MULTILINE)
        self.shown = out.read_text()
        self.urls = re.findall(r"http://\S+", self.shown)
        self.base = self.urls[0].removesuffix("/")

    @property
    def _errors(self) -> IO[str]:
        assert self.process.stderr is not None
        return self.process.stderr

    def until(self, text: str) -> str:
        """What it tells, up to the line that holds a text."""
        told = ""
        for line in self._errors:
            told += line
            if text in line:
                return told
        pytest.fail(f"ended without saying {text!r}:\n{told}")

    def stop(self, number: int) -> str:
        """What it tells after a signal, until its end."""
        self.process.send_signal(number)
        return self._errors.read()


@contextmanager
def running(data_dir: Path, out: Path) -> Iterator[Running]:
    with out.open("w") as file:
        process = subprocess.Popen(
            [*HUB, "run", "--port", "0"],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(data_dir),
            start_new_session=True,
        )
    try:
        yield Running(process, out)
    finally:
        process.kill()
        process.communicate()


def descendants(ancestor: int) -> dict[int, str]:
    """Return the processes that a process has started, with what they started in turn, by id."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    found, known = {}, {ancestor}
    while more := [row for row in rows if int(row[1]) in known and int(row[0]) not in known]:
        known |= {int(row[0]) for row in more}
        found |= {int(row[0]): row[2] for row in more if not row[2].startswith("ps ")}
    return found


def alive(pids: dict[int, str]) -> dict[int, str]:
    """Return those that still run; a zombie has no arguments left."""
    chosen = ",".join(map(str, pids))
    listed = subprocess.run(["ps", "-o", "pid=,args=", "-p", chosen], capture_output=True, text=True, check=False)
    rows = [line.split(maxsplit=1) for line in listed.stdout.splitlines()]
    return {int(row[0]): row[-1] for row in rows if pids[int(row[0])] == row[-1]}


def worker_of(hub: Running) -> int:
    """The worker's process id, as soon as it is more than the shell that becomes it."""
    command = f"{sys.executable} -m app.worker"
    while hub.process.poll() is None:
        for pid, started in descendants(hub.process.pid).items():
            if started == command:
                return pid
    pytest.fail("the hub has ended")


def posted(hub: Running, keys: Keys) -> list[int]:
    """How many listings, demands and matches there are."""
    with httpx.Client(base_url=hub.base, timeout=60, headers={"Authorization": f"Bearer {keys.hub}"}) as client:
        answers = [client.get(f"/v1/{what}?limit=200") for what in ("listings", "demands", "matches")]
    return [len(answer.json()["items"]) for answer in answers]


def test_run_serves_the_cleared_scenario_and_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with running(folder, out) as hub:
        assert len(hub.steps) == 4
        assert re.search(r"Pedagang telur Depok +25/11 LN-02 +10.000 +26.950 +27.630", hub.shown)
        assert [url.split("/", 3)[3] for url in hub.urls] == ["", "docs", "v1/dashboard/summary", "readyz"]
        path = folder / "demo-keys.json"
        assert f"kunci       {path}" in hub.shown
        assert path.stat().st_mode & 0o777 == 0o600
        written = path.read_text()
        keys = Keys(**json.loads(written))
        with httpx.Client(base_url=hub.base, timeout=60) as client:
            assert [client.get(url).status_code for url in hub.urls] == [200] * 4
            for key in (keys.hub, keys.observer, *keys.producers.values(), *keys.buyers.values()):
                assert client.get("/v1/me", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        rows = posted(hub, keys)
        assert min(rows) > 0

        os.kill(worker_of(hub), signal.SIGKILL)
        hub.until("worker berhenti (kode -9) dan dijalankan lagi")

        started = descendants(hub.process.pid)
        assert any("postgres" in command for command in started.values())
        assert "semua sudah berhenti" in hub.stop(signal.SIGINT)
        assert hub.process.wait() == 0
        assert alive(started) == {}

    with running(folder, out) as hub:
        assert len(hub.steps) == 3
        assert "Pedagang" not in hub.shown
        assert path.read_text() == written
        assert posted(hub, keys) == rows
        started = descendants(hub.process.pid)
        assert worker_of(hub) in started
        hub.stop(signal.SIGTERM)
        assert hub.process.wait() == 0
        assert alive(started) == {}


def test_killing_run_ends_the_worker_too(folder: Path, tmp_path: Path) -> None:
    with running(folder, tmp_path / "out") as hub:
        worker = worker_of(hub)
        started = descendants(hub.process.pid)
        assert worker in started
        hub.process.kill()
        hub.process.wait()
        # the pipe closes when the last process that writes to it, the worker, has ended
        hub._errors.read()
        assert worker not in alive(started)


def test_a_taken_port_is_told_before_anything_starts(call: Callable[..., Ended], data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = call("run", "--port", str(port))
    assert (ended.code, ended.out) == (1, "")
    complaint, next_step = ended.err.splitlines()
    assert f"127.0.0.1:{port}" in complaint
    assert "--port" in next_step
    assert list(data_dir.iterdir()) == []


def test_a_data_folder_that_cannot_be_made_is_told_with_the_next_step(
    call: Callable[..., Ended], data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_dir / "file").touch()
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("HUB_DATA_DIR", str(data_dir / "file"))
    ended = call("run", "--port", "0")
    assert (ended.code, ended.out) == (1, "")
    complaint, next_step = ended.err.splitlines()
    assert str(data_dir / "file") in complaint
    assert "HUB_DATA_DIR" in next_step
