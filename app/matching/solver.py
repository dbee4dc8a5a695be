"""The engine in a process of its own, asked one market at a time.

A clearing keeps a core busy, and the engine with its compiler is larger than the rest of the service: so a server
answers others while it clears, starts without waiting for kernels, and stays small. The process begins with the
first question or with `start`, and ends with ours, however ours ends: its input is then closed.
"""

import asyncio
import atexit
import pickle
import subprocess
import sys
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, cast

from app.engine.model import Market

if TYPE_CHECKING:
    from app.engine.serve import Solved


class SolverLostError(RuntimeError):
    """The engine's process ended before it answered: out of memory, or stopped with the server."""


class Solver:
    """Clears markets in another process, which is started when it is needed and anew when it was lost."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._asking = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    async def clear(self, market: Market) -> "Solved":
        """Return the canonical bytes of a market and its clearing.

        Raises what engine.clear raises, and SolverLostError when the process ends meanwhile.
        """
        return await asyncio.to_thread(self._ask, market)

    def start(self) -> None:
        """Begin to load the engine, so that the first clearing finds it loaded; does not wait for it."""
        with self._asking:
            self._running()

    def stop(self) -> None:
        """End the process, also in the middle of a clearing."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _ask(self, market: Market) -> "Solved":
        with self._asking:
            process = self._running()
            questions, answers = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
            try:
                pickle.dump(market, questions, pickle.HIGHEST_PROTOCOL)
                questions.flush()
                answer = pickle.load(answers)  # noqa: S301 - from a process that we started ourselves
            except (EOFError, OSError, pickle.UnpicklingError) as error:
                self.stop()  # a dying process shuts its pipes before it can be seen to have ended
                raise SolverLostError from error
        if isinstance(answer, Exception):
            raise answer
        return cast("Solved", answer)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            # in a session of its own Ctrl-C is the server's alone
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.engine.serve"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        return self._process


#: the engine of this process
SOLVER = Solver()
atexit.register(SOLVER.stop)
