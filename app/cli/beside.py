"""The worker beside the server: a process of its own, started again if it dies, ended with the server."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.output import complain
from app.kit.postgres.launch import ON_A_LEASH
from app.kit.text import Text

#: seconds between the end of a worker and the start of the next
PAUSE = 1.0
#: seconds a worker has to finish what it is doing
PATIENCE = 15.0
#: seconds between two looks at it
LOOK = 0.1


@contextmanager
def worker_process() -> Iterator[None]:
    """Keep a worker running for the length of a block; it reads its settings from our environment."""
    stopping = threading.Event()
    keeper = threading.Thread(target=_keep_running, args=(stopping,), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        keeper.join()


def _keep_running(stopping: threading.Event) -> None:
    while not stopping.is_set():
        process = _start()
        while process.poll() is None and not stopping.wait(LOOK):
            pass
        _end(process)
        if not stopping.is_set():
            complain(
                Text(
                    f"worker berhenti (kode {process.returncode}) dan dijalankan lagi.",
                    f"the worker ended (code {process.returncode}) and is started again.",
                )
            )
            stopping.wait(PAUSE)


def _start() -> subprocess.Popen[bytes]:
    """Start a worker on a leash: if we are killed it ends too. In a session of its own Ctrl-C is ours alone."""
    command = ["/bin/sh", "-c", ON_A_LEASH, "TERM", sys.executable, "-m", "app.worker"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the worker to end, make it end, and let the leash go."""
    if process.poll() is None:
        process.terminate()
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
