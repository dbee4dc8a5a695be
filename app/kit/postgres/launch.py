"""Starting, sharing and recovering one server: what happens before it answers."""

import fcntl
import hashlib
import os
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from app.kit.postgres.account import Account, PostgresError, discard, open_private, state_folder
from app.kit.postgres.programs import find_programs

_SETTINGS = {"max_connections": "100", "shared_buffers": "128MB", "timezone": "UTC"}
_CREATE_HUB = b"CREATE ROLE hub LOGIN CREATEDB;\nCREATE DATABASE hub OWNER hub;\n"
_NEW = "cluster.new-"  # then something unique: the initdb of a killed owner may still be at work in its folder
_PORT = "5432"
_SOCKET_LINE = 4  # of postmaster.pid, counted from 0; line 0 is the process id
_SOCKET_PATH_LIMIT = 103  # macOS; Linux allows 107
_PASSING_OBSTACLES = (b"shared memory block", b'" already exists')  # in the log of a server that was started too early
_LOG_LINES = 12
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.01
_RETRY_SECONDS = 0.1

# The shell leaves a process behind that reads from the owner's pipe, then becomes the postmaster under its own id.
# Nobody ever writes: the read ends when the owner does, however it ends, and the signal named as $0 follows.
# Two levels deep, because the postmaster is surprised by children that it has not started.
ON_A_LEASH = """
exec 3<&0 </dev/null
( ( read -r end <&3; kill -s "$0" $$ 2>/dev/null ) & )
exec "$@" 3<&-
"""


@dataclass(frozen=True)
class Owned:
    """What only the owner has: the postmaster, with the pipe that keeps it alive, and the lock."""

    process: subprocess.Popen[bytes]
    lock: int
    sockets: Path


def end(process: subprocess.Popen[bytes]) -> None:
    """Fast shutdown; if that takes too long an immediate one, from which the next start recovers."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.communicate()


class Launch:
    """One attempt to start: the folder, the settings, and until when."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str], deadline: float) -> None:
        """Find out as whom and with which programs to run; nothing is changed yet but for a copy of the programs."""
        self.data_dir = data_dir
        self.log = data_dir / "postgres.log"
        self._link = data_dir / "cluster"
        self._settings = {**_SETTINGS, **settings}
        self._deadline = deadline
        self._account = Account.for_folder(self._link)
        if self._link.exists() and (owner := self._link.stat().st_uid) != self._account.uid:
            message = f"{data_dir} belongs to user id {owner}: start as that user, or set DATABASE_URL."
            raise PostgresError(message)
        self._programs = find_programs(self._account)

    def try_lock(self) -> int | None:
        """Take the lock, unless another process has it."""
        lock = open_private(self.data_dir / "lock", os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        return lock

    def answering(self) -> Path | None:
        """Find the socket folder of the server, if it takes connections.

        It is read from postmaster.pid, because a guest's temporary folder may be another than the owner's.
        """
        sockets = "".join(self._pid_file()[_SOCKET_LINE : _SOCKET_LINE + 1])
        command = [self._program("pg_isready"), "-q", "-h", sockets, "-p", _PORT, "-U", "hub", "-d", "hub"]
        return Path(sockets) if sockets and self._account.run(command, output=subprocess.DEVNULL) == 0 else None

    def wait(self, trouble: str, seconds: float = _POLL_SECONDS) -> None:
        """Let a moment pass; past the deadline, say what the trouble is."""
        if time.monotonic() > self._deadline:
            self._fail(trouble)
        time.sleep(seconds)

    def serve(self, lock: int) -> Owned:
        """Make the cluster if there is none, end what an earlier owner left, run the server until it answers."""
        if self._link.is_symlink() and not self._link.exists():
            self._fail("`cluster` links to a folder that is gone: bring it back, or remove the link to begin empty")
        for unfinished in self.data_dir.glob(f"{_NEW}*"):
            discard(unfinished)
        if not self._link.exists():
            self._make_cluster()
        sockets = self._socket_folder()
        while (process := self._run(sockets, self._end_left_behind())) is None:
            self.wait("processes of an earlier server still use the cluster: end them", _RETRY_SECONDS)
        return Owned(process, lock, sockets)

    def _make_cluster(self) -> None:
        """Build a cluster with role and database `hub`, then rename it: it is in its place whole or not at all."""
        if self._account.reaches(self.data_dir):
            new = place = Path(tempfile.mkdtemp(prefix=_NEW, dir=self.data_dir))
        else:
            place = Path(tempfile.mkdtemp(prefix="cluster-", dir=state_folder()))
            new = self.data_dir / f"{_NEW}{place.name}"
            new.symlink_to(place)
        self._account.give(place)
        sync = "--no-sync" if self._settings.get("fsync") == "off" else ""
        options = f"-U postgres -A trust -E UTF8 -k --no-locale --no-instructions {sync}".split()
        self._make(["initdb", "-D", str(place), *options])
        self._make(["postgres", "--single", "-D", str(place), "-c", "exit_on_error=on", "postgres"], _CREATE_HUB)
        new.rename(self._link)
        _sync_folder(self.data_dir)

    def _make(self, command: list[str], statements: bytes = b"") -> None:
        program, *arguments = command
        with self._open_log() as log:
            if self._account.run([self._program(program), *arguments], output=log, stdin=statements):
                self._fail(f"{program} failed: mend what the log says and start again")

    def _socket_folder(self) -> Path:
        """Make a private folder with a short name, because a socket's path may have no more than about 100 bytes.

        Not in XDG_RUNTIME_DIR: that is removed when its user logs out, though the app may go on.
        """
        name = "hub-pg-" + hashlib.sha256(f"{self.data_dir}:{self._account.uid}".encode()).hexdigest()[:16]
        folders = [Path(base) / name for base in (tempfile.gettempdir(), "/tmp")]  # noqa: S108 - checked below
        fitting = [one for one in folders if len(os.fsencode(one / f".s.PGSQL.{_PORT}")) <= _SOCKET_PATH_LIMIT]
        folder = next(one for one in fitting if self._account.reaches(one.parent))
        if not folder.is_symlink() and not folder.exists():
            folder.mkdir(mode=0o700)
            self._account.give(folder)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != self._account.uid or status.st_mode & 0o077:
            self._fail(f"{folder} is not a folder of user id {self._account.uid} alone: remove it")
        return folder

    def _end_left_behind(self) -> int:
        """End the postmaster of an owner that is gone; the process id in postmaster.pid, by then a stale one."""
        pid = int("".join(self._pid_file()[:1]) or 0)
        if self._is_postmaster(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        while self._is_postmaster(pid):
            self.wait(f"process {pid}, the server of an earlier owner, does not end: end it")
        return pid

    def _is_postmaster(self, pid: int) -> bool:
        """Whether this process serves our cluster; after a crash or in a new container another may have its id."""
        if not pid:
            return False
        if Path("/proc/self/cmdline").exists():
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                return False
        else:
            ps = ["ps", "-ww", "-p", str(pid), "-o", "command="]
            words = subprocess.run(ps, capture_output=True, check=False).stdout
        return b"-D " + os.fsencode(self._link.resolve()) + b" " in words

    def _run(self, sockets: Path, stale_pid: int) -> subprocess.Popen[bytes] | None:
        """Run the server until it answers; None while an earlier one or what is left of it is in the way."""
        said = self.log.stat().st_size if self.log.exists() else 0
        process = self._spawn(sockets, stale_pid)
        try:
            while process.poll() is None:
                if self.answering():
                    return process
                self.wait("the server does not answer in time: give it longer, or look at the log")
        except BaseException:
            end(process)
            raise
        end(process)
        if not any(obstacle in self.log.read_bytes()[said:] for obstacle in _PASSING_OBSTACLES):
            self._fail("the server ended at once: mend what the log says and start again")
        return None

    def _spawn(self, sockets: Path, stale_pid: int) -> subprocess.Popen[bytes]:
        settings = {**self._settings, "listen_addresses": "", "unix_socket_directories": str(sockets), "port": _PORT}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        postgres = [self._program("postgres"), "-D", str(self._link.resolve()), *options]
        with self._open_log() as log:
            command = ["/bin/sh", "-c", ON_A_LEASH, "INT", *postgres]  # INT is a fast shutdown
            return self._account.popen(command, stdin=subprocess.PIPE, output=log, stale_pid=stale_pid)

    def _program(self, name: str) -> str:
        return str(self._programs / name)

    def _open_log(self) -> IO[bytes]:
        return os.fdopen(open_private(self.log, os.O_WRONLY | os.O_APPEND), "ab")

    def _pid_file(self) -> list[str]:
        try:
            return (self._link / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _fail(self, trouble: str) -> NoReturn:
        """Say what is wrong, what to do, and what the server said last."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        last = "".join(f"\n    {line}" for line in lines[-_LOG_LINES:])
        message = f"PostgreSQL in {self.data_dir}: {trouble}. Last lines of {self.log}:{last or ' (none)'}"
        raise PostgresError(message)


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
