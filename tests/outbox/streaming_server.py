"""Serve a database from a process of its own; as a control its streams are not told that it stops."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import uvicorn

from app import main as composition
from app.config import Settings
from app.kit.clock import FixedClock


@contextmanager
def _untold(_close: object) -> Iterator[None]:
    yield


def main(url: str, now: str, protection: str) -> None:
    """Serve on a free port, printed as the first line."""
    if protection == "off":
        composition.closed_by_signals = _untold
    clock = FixedClock(datetime.fromisoformat(now))
    app = composition.create_app(Settings(database_url=url, environment="test"), clock=clock)
    config = uvicorn.Config(app, port=0, log_config=None)
    listening = config.bind_socket()
    listening.listen(config.backlog)  # who connects before the application is up waits instead of failing
    os.write(1, f"{listening.getsockname()[1]}\n".encode())
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
