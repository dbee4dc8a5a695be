"""The engine as a process: markets in over standard input, clearings out over standard output, until the input ends.

Who asks stays small, answers others meanwhile, and loads none of this; see app/matching/solver.py. What passes is
pickled, between one program and itself.
"""

import gc
import os
import pickle
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from app.engine import canonical
from app.engine.clear import clear
from app.engine.memory import Memory
from app.engine.model import Clearing, Market

#: what a market's canonical bytes and its clearing are
Solved = tuple[bytes, Clearing]


def solve(market: Market, memory: Memory) -> Solved:
    """Return the canonical bytes of a market and its clearing. Raises what `clear` raises."""
    with uncollected():
        return canonical.encode_market(market), clear(market, memory)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector of cycles away: records hold none, and it walks a million of them again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer each market by its `Solved`, or by the exception that it met, with the place where it was raised.

    Pools are solved from the state in which the question before left them.
    """
    memory = Memory()
    while True:
        try:
            with uncollected():
                market: Market = pickle.load(questions)  # noqa: S301 - from the process that started us, and nobody else
        except EOFError:
            return
        answer: Solved | Exception
        try:
            answer = solve(market, memory)
        except Exception as error:  # noqa: BLE001 - raised again where it was asked
            error.add_note(traceback.format_exc())
            answer = error
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "wb") as only_answers:
        os.dup2(2, 1)  # whatever else a library prints goes where errors go
        serve(sys.stdin.buffer, only_answers)
