"""The embedded server as the app sees it. Unix only, synchronous, standard library only."""

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import quote

from app.kit.postgres.account import make_folder
from app.kit.postgres.launch import Launch, Owned, end


class EmbeddedPostgres:
    """A server that answers, at `url`, for as long as its owner lives; `owner` says whether that is this process."""

    def __init__(self, sockets: Path, log: Path, owned: Owned | None) -> None:
        """Use `EmbeddedPostgres.start`."""
        self.url = f"postgresql+asyncpg://hub@/hub?host={quote(str(sockets))}"
        self.log = log
        self._owned = owned
        if owned:
            os.register_at_fork(after_in_child=self._disown)

    @classmethod
    def start(
        cls, data_dir: Path, *, settings: Mapping[str, str] = MappingProxyType({}), timeout: float = 60.0
    ) -> "EmbeddedPostgres":
        """Start the server of this data folder, making it first if need be, or share the one that runs there.

        `settings` are PostgreSQL's, by name; a guest takes the owner's. `timeout` is in seconds and includes recovery
        after a crash. The user is `hub`, no password: whoever enters the socket folder (mode 0700) is trusted.
        """
        launch = Launch(data_dir.absolute(), settings, time.monotonic() + timeout)
        make_folder(launch.data_dir)
        while (lock := launch.try_lock()) is None:
            if sockets := launch.answering():
                return cls(sockets, launch.log, None)
            launch.wait("the process named in the file `lock` owns the folder, but its server does not answer: end it")
        try:
            return cls((owned := launch.serve(lock)).sockets, launch.log, owned)
        except BaseException:
            os.close(lock)
            raise

    @property
    def owner(self) -> bool:
        """Whether the server stops with this process."""
        return self._owned is not None

    def stop(self) -> None:
        """End the server and wait for it, if this process owns it; a guest leaves it running. Twice is once."""
        if owned := self._owned:
            self._owned = None
            end(owned.process)
            shutil.rmtree(owned.sockets, ignore_errors=True)
            os.close(owned.lock)

    def _disown(self) -> None:
        """Make a forked worker a guest: it must not keep pipe and lock open when the owner is gone."""
        if owned := self._owned:
            self._owned = None
            os.close(owned.lock)
            if owned.process.stdin:
                owned.process.stdin.close()

    def __enter__(self) -> Self:
        """Use the server for the length of a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, if this process owns it."""
        self.stop()
