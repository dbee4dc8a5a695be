"""The engine in a process of its own: the same answers, its refusals, and its end with ours."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.engine import canonical
from app.engine.clear import clear
from app.engine.door import MarketRefusedError
from app.matching.solver import Solver, SolverLostError
from tests.conftest import until
from tests.engine.markets import random_market

MARKET = random_market(7, orders=6, pools=2, tight=True, fills=0.3)

#: starts an engine's process, says so, and waits to be killed
STARTER = """
import sys
from app.matching.solver import SOLVER
SOLVER.start()
print("started", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def solver() -> Iterator[Solver]:
    """A process for one test."""
    solver = Solver()
    yield solver
    solver.stop()


async def test_it_answers_what_the_engine_answers(solver: Solver) -> None:
    document, clearing = await solver.clear(MARKET)
    assert document == canonical.encode_market(MARKET)
    assert canonical.encode_clearing(clearing) == canonical.encode_clearing(clear(MARKET))


async def test_several_who_ask_at_once_get_their_own_answers(solver: Solver) -> None:
    markets = [random_market(seed, orders=6, pools=1) for seed in range(8)]
    answers = await asyncio.gather(*(solver.clear(market) for market in markets))
    assert [document for document, _ in answers] == [canonical.encode_market(market) for market in markets]


async def test_what_the_engine_raises_is_raised_here_and_it_goes_on(solver: Solver) -> None:
    pool = MARKET.pools[0]
    bad = replace(MARKET, pools=(replace(pool, listings=(pool.listings[0], pool.listings[0])),))
    with pytest.raises(MarketRefusedError) as raised:
        await solver.clear(bad)
    assert "app/engine/door.py" in raised.value.__notes__[0]
    assert (await solver.clear(MARKET))[1].matches


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_a_process_that_ends_meanwhile_is_told_and_the_next_question_starts_another(
    solver: Solver, how: str
) -> None:
    solver.start()
    assert solver._process is not None
    os.kill(solver._process.pid, signal.SIGSTOP)
    asked = asyncio.create_task(solver.clear(MARKET))

    async def asks() -> bool:
        return solver._asking.locked()

    await until(asks)
    await asyncio.sleep(0.1)
    if how == "killed":
        solver._process.kill()
    else:
        solver.stop()
    with pytest.raises(SolverLostError):
        await asked
    assert (await solver.clear(MARKET))[1].matches


def _process_that_shut_its_pipe() -> subprocess.Popen[bytes]:
    code = "import os, time; os.close(1); time.sleep(600)"
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


async def test_a_process_that_has_shut_its_pipe_but_is_not_gone_yet_is_ended_and_replaced(
    solver: Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = _process_that_shut_its_pipe()
    monkeypatch.setattr(solver, "_process", dying)
    with pytest.raises(SolverLostError):
        await solver.clear(MARKET)
    assert dying.poll() is not None
    assert (await solver.clear(MARKET))[1].matches


def test_a_server_loads_neither_the_engine_nor_what_few_ask_for() -> None:
    heavy = {"numba", "highspy", "numpy", "app.engine.clear", "fpdf", "openpyxl"}
    code = f"import sys, app.main; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == []


def test_it_ends_when_its_server_is_killed() -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", STARTER], **pipes) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"started\n"
        starter.kill()
        starter.communicate(timeout=30)  # ends when nobody holds its error output: the engine had inherited it
